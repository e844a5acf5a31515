"""Networks: shapes, what they may look at, and that they can learn a tiny law."""

import pytest
import torch

from intarsia import AnyOrderObjective, RealMLP, ResidualMLP, Transformer, VarianceExploding, VariancePreserving
from intarsia.denoisers import RecordMLP, SiteEmbedding, TimeEmbedding, mean_from_velocity
from intarsia.processes import AbstractNoiseLevel, Discrete, Gaussian

COUNTS = (2, 3, 4)
X = torch.tensor([[0, 1, 2], [2, 3, 4], [1, 0, 3]])
T = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)


def networks(**kwargs: object) -> list[torch.nn.Module]:
    torch.manual_seed(0)
    return [
        ResidualMLP(COUNTS, width=16, blocks=2, dropout=0.0, **kwargs),  # type: ignore[arg-type]
        Transformer(COUNTS, width=16, depth=2, heads=2, **kwargs),  # type: ignore[arg-type]
    ]


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Weights that are zero at the start are moved, so that every input can be seen in the output."""
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


@pytest.mark.parametrize("index", [0, 1])
def test_ragged_logits_read_time_per_row_and_per_site(index: int) -> None:
    network = stirred(networks()[index])
    logits = network(X, T)
    assert logits.shape == (3, 9)
    assert logits.isfinite().all()
    assert torch.allclose(network(X, T[:, None].expand(-1, 3)), logits, atol=1e-6)
    assert not torch.allclose(network(X, T * 0.5), logits, atol=1e-6)
    site = T[:, None].expand(-1, 3).clone()
    site[:, 1] = 0.0
    assert not torch.allclose(network(X, site), logits, atol=1e-6)


@pytest.mark.parametrize("index", [0, 1])
def test_time_free_networks_ignore_time(index: int) -> None:
    network = stirred(networks(time_free=True)[index])
    assert network.time_free
    assert torch.equal(network(X, T), network(X, T * 0))


@pytest.mark.parametrize("index", [0, 1])
def test_conditions_matter(index: int) -> None:
    network = stirred(networks(cond_width=2)[index])
    a, b = network(X, T, torch.zeros(3, 2)), network(X, T, torch.ones(3, 2))
    assert not torch.allclose(a, b, atol=1e-6)
    assert network(X, T, None).shape == (3, 9)


@pytest.mark.parametrize("index", [0, 1])
def test_every_site_sees_every_other_and_rows_do_not(index: int) -> None:
    network = stirred(networks()[index])
    base = network(X, T)
    for site in range(3):
        other = X.clone()
        other[0, site] = 0 if other[0, site] else 1
        moved = (network(other, T) - base).abs()
        assert moved[0].min() > 0
        assert moved[1:].max() < 1e-6


@pytest.mark.parametrize("time_free", [False, True])
def test_single_site_logits(time_free: bool) -> None:
    network = networks(time_free=time_free)[0]
    stirred(network)
    for site, part in enumerate([slice(0, 2), slice(2, 5), slice(5, 9)]):
        assert torch.allclose(network.site_logits(X, T, None, site), network(X, T)[:, part], atol=1e-6)


def test_dense_transformer() -> None:
    network = stirred(Transformer(5, sites=3, width=16, depth=1, heads=2))
    assert network(torch.tensor([[0, 4, 5]]), T[:1]).shape == (1, 3, 5)
    for wrong in (
        lambda: Transformer(5),
        lambda: Transformer((2, 3), sites=2),
        lambda: Transformer(2, sites=2, heads=3),
    ):
        with pytest.raises(ValueError, match=r"sites|multiple"):
            wrong()


def test_reals() -> None:
    network = stirred(RealMLP(3, width=16, blocks=1))
    x = torch.tensor([[0.0, 1e6, -2.0]])
    assert network(x, T[:1]).shape == (1, 3)
    assert network(x, T[:1]).isfinite().all()
    assert not torch.allclose(network(x, T[:1]), network(x, T[:1] * 0))
    assert not network.time_free


def test_networks_start_from_the_marginals() -> None:
    network = networks()[0]
    marginals = torch.tensor([0.9, 0.1, 0.2, 0.3, 0.5, 0.25, 0.25, 0.25, 0.25]).log()
    network.start_at(marginals)
    assert torch.allclose(network(X, T), marginals.expand(3, -1), atol=0.6)


def test_conditions_need_a_place() -> None:
    with pytest.raises(ValueError, match="cond_width"):
        networks()[0](X, T, torch.zeros(3, 2))


def test_embeddings_are_rows_of_joint_states() -> None:
    torch.manual_seed(0)
    embed = SiteEmbedding([2, 3, 2], 5, [[0, 2], [1]])
    assert embed.weight.shape == (3 * 3 + 4, 5)
    x = torch.tensor([[1, 3, 2]])
    assert torch.allclose(embed(x), embed.weight[1 * 3 + 2] + embed.weight[9 + 3])
    # all joint states of a group have rows of their own
    states = torch.cartesian_prod(torch.arange(3), torch.tensor([0]), torch.arange(3))
    assert len(embed(states).unique(dim=0)) == 9
    for groups in ([[0, 1]], [[0, 1], [1, 2]]):
        with pytest.raises(ValueError, match="groups"):
            SiteEmbedding([2, 3, 2], 5, groups)
    with pytest.raises(ValueError, match="positions"):
        SiteEmbedding([2], 5, positions=torch.zeros(2))


def test_neighbors_start_alike() -> None:
    torch.manual_seed(0)
    rows = torch.linspace(0.01, 0.99, 64)
    embed = SiteEmbedding([64], 32, positions=torch.cat([rows, torch.tensor([torch.nan])]))
    near = (embed.weight[1:64] - embed.weight[:63]).norm(dim=1).mean()
    far = (embed.weight[32:64] - embed.weight[:32]).norm(dim=1).mean()
    assert near < 0.6 * far
    assert embed.weight.isfinite().all()


def test_time_embedding_tells_times_apart() -> None:
    torch.manual_seed(0)
    embed = TimeEmbedding(2, 8)
    out = embed(torch.linspace(0, 1, 50, dtype=torch.float64))
    assert len(out.unique(dim=0)) == 50
    assert torch.allclose(embed(torch.tensor([[0.3, 0.3]])), embed(torch.tensor([0.3])), atol=1e-6)


@pytest.mark.parametrize("index", [0, 1])
def test_networks_learn_a_dependent_pair(index: int) -> None:
    """x1 = x0 on two sites: from ln 4 to within 0.1 of ln 2 in 150 steps."""
    torch.manual_seed(0)
    network: torch.nn.Module = [
        ResidualMLP((2, 2), width=32, blocks=1, dropout=0.0, time_free=True),
        Transformer((2, 2), width=16, depth=1, heads=2, time_free=True),
    ][index]
    process, rng = Discrete.absorbing((2, 2)), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    x0 = torch.tensor([[0, 0], [1, 1]]).repeat(64, 1)
    for _ in range(150):
        loss = AnyOrderObjective()(process, network, x0, None, rng).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.793


def record() -> tuple[RecordMLP, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    network = RecordMLP({"class": (2, 3)}, {"real": 2, "bits": 3}, width=16, blocks=2, dropout=0.0)
    rng = torch.Generator().manual_seed(1)
    state = {
        "bits": torch.randint(2, (3, 3), generator=rng),
        "real": torch.randn(3, 2, generator=rng),
        "class": torch.tensor([[0, 3], [2, 1], [1, 0]]),
    }
    return stirred(network), state  # type: ignore[return-value]


def test_records_read_time_per_row_per_site_and_per_field() -> None:
    network, state = record()
    pred = network(state, T)
    assert {name: tuple(value.shape) for name, value in pred.items()} == {
        "class": (3, 5),
        "real": (3, 2),
        "bits": (3, 3),
    }
    clocks = {name: T[:, None].expand(value.shape) for name, value in state.items()}
    for times in (dict.fromkeys(state, T), clocks):
        again = network(state, times)
        assert all(torch.allclose(again[name], pred[name], atol=1e-6) for name in pred)
    seen = network(state, {**clocks, "bits": clocks["bits"] * 0})
    assert not torch.allclose(seen["class"], pred["class"], atol=1e-6)


def test_every_field_of_a_record_sees_every_other() -> None:
    network, state = record()
    pred = network(state, T)
    for name, value in state.items():
        moved = {**state, name: 1 - value if name == "bits" else value * 0}
        other = network(moved, T)
        assert all(not torch.allclose(other[field], pred[field], atol=1e-6) for field in pred), name


@pytest.mark.parametrize("level", [VariancePreserving(), VarianceExploding()], ids=repr)
def test_the_true_velocity_gives_the_true_mean(level: AbstractNoiseLevel) -> None:
    """A network that knows x0 says the v that gives it back, at every time."""
    process = Gaussian(level)
    t = torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64)
    x0 = torch.tensor([[0.3], [-1.2], [0.7]], dtype=torch.float64)
    xt = process.corrupt(x0, t, torch.Generator().manual_seed(0))
    signal, noise = process.coefficients(t, xt)
    sigma, x = noise / signal, xt / signal
    v = (x - x0 * (1 + sigma**2)) / (sigma * (1 + sigma**2).sqrt())
    assert torch.allclose(mean_from_velocity(process, v, xt, t), x0, atol=1e-9)
    if isinstance(level, VariancePreserving):  # the velocity of Salimans and Ho
        assert torch.allclose(v, (signal * (xt - signal * x0) / noise) - noise * x0, atol=1e-9)
