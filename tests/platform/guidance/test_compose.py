"""Classifier-free guidance and naive composition, on the kernel and as a change of the posterior."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from intarsia import Ancestral, Cosine, Diffusion, FirstHitting, Gaussian, Product, ResidualMLP, Stratified
from intarsia.errors import RequirementError
from intarsia.guidance import ClassifierFree, Compose, Mixed, NullCondition, Powers, Shares
from intarsia.processes import IMPOSSIBLE, Discrete, Xor
from intarsia.testing import BayesDenoiser, all_states, chi_square, enumerated_law, total_variation

POINTS = all_states([2, 2])
A = torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64)
B = torch.tensor([0.3, 0.3, 0.1, 0.3], dtype=torch.float64)
ABSORBING = Discrete.absorbing(2)
T = torch.full((1,), 0.5, dtype=torch.float64)


class Two:
    """A perfect denoiser of a law per condition, and of their equal mixture without one."""

    def __init__(self, process) -> None:
        laws = {0: A, 1: B, None: (A + B) / 2}
        self.bayes = {cond: BayesDenoiser(process, POINTS, law.log()) for cond, law in laws.items()}
        self.time_free = process.time_free

    def __call__(self, xt: Tensor, t: Tensor, cond: int | None) -> Tensor:
        return self.bayes[cond](xt, t)


def order_law(denoiser, cond: int | None = None) -> Tensor:
    """The law of unmasking two bits one by one in random order, (points,)."""
    total = torch.zeros(4, dtype=torch.float64)
    for order in itertools.permutations(range(2)):
        x = torch.full_like(POINTS, 2)
        chance = torch.ones(4, dtype=torch.float64)
        for site in order:
            logp = denoiser(x, T.expand(4), cond).log_softmax(-1)[:, site]
            chance *= logp.gather(1, POINTS[:, site, None])[:, 0].exp()
            x[:, site] = POINTS[:, site]
        total += chance / 2
    return total


def test_t10_a_product_of_conditionals_is_not_the_product() -> None:
    models = [BayesDenoiser(ABSORBING, POINTS, law.log()) for law in (A, B)]
    got = order_law(Compose(ABSORBING, models, Powers((1.0, 1.0))))
    assert torch.allclose(got, torch.tensor([0.42461538, 0.12, 0.03076923, 0.42461538]).double(), atol=5e-9)
    target = A * B / (A @ B)
    assert torch.allclose(target, torch.tensor([0.42857143, 0.10714286, 0.03571429, 0.42857143]).double(), atol=5e-9)
    assert total_variation(got, target) == pytest.approx(0.012857143, abs=5e-10)


@pytest.mark.parametrize(
    "process", [ABSORBING, Discrete.uniform(2, Cosine()), Discrete((2, 2), mask=0.4), Xor(2)], ids=repr
)
@pytest.mark.parametrize(("strength", "cond"), [(1.0, 1), (0.0, None)])
def test_strength_1_is_the_conditional_model_and_0_the_other(process, strength: float, cond: int | None) -> None:
    denoiser = Two(process)
    guided = ClassifierFree(process, denoiser, strength)
    _, law = enumerated_law(Ancestral(3), guided.process, lambda x, t, c: guided(x, t, 1), 2)
    _, expected = enumerated_law(Ancestral(3), process, lambda x, t, c: denoiser(x, t, cond), 2)
    assert torch.allclose(law, expected, atol=1e-12)


@pytest.mark.parametrize("process", [Discrete.uniform(2), Discrete((2, 2), mask=0.4), Xor(2)], ids=repr)
def test_other_noise_mixes_kernels(process) -> None:
    """Site by site p_c^g p^(1-g), normalized, from the two kernels; mixing logits would give another law."""
    denoiser = Two(process)
    guided = ClassifierFree(process, denoiser, 2.5)
    assert isinstance(guided.process, Mixed)
    x, s, t = all_states([3, 3]) if process.has_mask else POINTS, T / 2, T
    laws = []
    for cond in (1, None):
        entries, mask = process.reverse_law(denoiser(x, t.expand(len(x)), cond), x, s.expand(len(x)), t.expand(len(x)))
        laws.append(torch.cat([entries.reshape(len(x), 2, 2), mask[..., None]], 2).exp())
    expected = laws[0] ** 2.5 * laws[1] ** -1.5
    expected = torch.where(laws[0] > 0, expected, 0.0)
    expected = expected / expected.sum(-1, keepdim=True)
    entries, mask = guided.process.reverse_law(guided(x, t.expand(len(x)), 1), x, s.expand(len(x)), t.expand(len(x)))
    got = torch.cat([entries.reshape(len(x), 2, 2), mask[..., None]], 2).exp()
    assert torch.allclose(got, expected, atol=1e-12)


def test_rates_are_mixed_likewise() -> None:
    process = Discrete.uniform(2)
    denoiser = Two(process)
    guided = ClassifierFree(process, denoiser, 2.0)
    t = T.expand(4)
    (one, _), (none, _) = (process.rates(denoiser(POINTS, t, cond), POINTS, t) for cond in (1, None))
    got, to_mask = guided.process.rates(guided(POINTS, t, 1), POINTS, t)
    expected = torch.where(one > 0, one**2 / none.clamp(min=1e-300), 0.0)
    assert torch.allclose(got, expected, atol=1e-12)
    assert (to_mask == 0).all()


def test_absorbing_noise_keeps_its_times_and_mixes_posteriors() -> None:
    denoiser = Two(ABSORBING)
    guided = ClassifierFree(ABSORBING, denoiser, 2.0)
    assert guided.process is ABSORBING
    assert guided.time_free
    x, t = all_states([3, 3]), T.expand(9)
    one, none = (denoiser(x, t, cond).softmax(-1) for cond in (1, None))
    expected = one**2 / none.clamp(min=1e-300)
    masked = x == 2
    got = guided(x, t, 1).softmax(-1)
    assert torch.allclose(got[masked], (expected / expected.sum(-1, keepdim=True))[masked], atol=1e-12)
    for site in range(2):
        heads = guided.site_logits(x, t, 1, site).softmax(-1)
        assert torch.allclose(heads, got[:, site], atol=1e-12)


@pytest.mark.parametrize("sampler", [FirstHitting(), Stratified(group=50)], ids=repr)
def test_samplers_show_the_guided_law(sampler) -> None:
    guided = ClassifierFree(ABSORBING, Two(ABSORBING), 2.0)
    rng = torch.Generator().manual_seed(0)
    x = Diffusion(guided.process, guided).sample((3000, 2), sampler, cond=1, rng=rng)
    counts = torch.bincount(x @ torch.tensor([2, 1]), minlength=4)
    assert chi_square(counts, order_law(guided, 1)) >= 1e-4


def test_draws_follow_the_mixed_kernel() -> None:
    process = Discrete((2, 2), mask=0.4)
    guided = ClassifierFree(process, Two(process), 3.0)
    rng = torch.Generator().manual_seed(0)
    x = Diffusion(guided.process, guided).sample((4000, 2), Ancestral(4), cond=1, rng=rng)
    states, law = enumerated_law(Ancestral(4), guided.process, lambda x, t, c: guided(x, t, 1), 2)
    assert chi_square((x[:, None] == states).all(2).double().sum(0), law) >= 1e-4


def test_gaussian_kernels_have_a_gaussian_product() -> None:
    guided = ClassifierFree(Gaussian(), lambda x, t, c: x if c is None else x + c, 3.0)
    assert guided.process == Gaussian()
    x = torch.tensor([[0.5, -1.0]])
    assert torch.allclose(guided(x, T, 2.0), x + 6.0)
    with pytest.raises(RequirementError, match="sum to 1"):
        Compose(Gaussian(), [lambda x, t, c: x] * 2, Powers((1.0, 1.0)))
    assert torch.allclose(Compose(Gaussian(), [lambda x, t, c: x] * 2, Shares((0.25, 0.75)))(x, T), x)


def test_records_are_guided_field_by_field() -> None:
    process = Product({"a": ABSORBING, "b": Discrete.uniform(2), "c": Gaussian()})

    def denoiser(x: dict[str, Tensor], t: Tensor, cond: int | None) -> dict[str, Tensor]:
        shift = 0.0 if cond is None else 1.0
        return {"a": torch.tensor([[[shift, 0.0]]]), "b": torch.tensor([[[shift, 0.0]]]), "c": x["c"] + shift}

    guided = ClassifierFree(process, denoiser, 2.0)
    kinds = {name: type(field) for name, field in guided.process.fields.items()}  # type: ignore[attr-defined]
    assert kinds == {"a": Discrete, "b": Mixed, "c": Gaussian}
    rng = torch.Generator().manual_seed(0)
    x = Diffusion(guided.process, guided).sample({"a": (1, 1), "b": (1, 1), "c": (1, 1)}, Ancestral(3), cond=1, rng=rng)
    assert sorted(x) == ["a", "b", "c"]
    assert guided({"c": torch.zeros(1, 1)}, T, 1)["c"].item() == 2.0


def test_guidance_composes() -> None:
    """Guidance of guidance: the powers multiply."""
    process = Discrete.uniform(2)
    inner = ClassifierFree(process, Two(process), 2.0)
    outer = Compose(inner.process, [inner, inner], Powers((0.5, 1.0)))
    plain = Compose(process, [lambda x, t, c: Two(process)(x, t, c), lambda x, t, c: Two(process)(x, t, None)],
                    Powers((3.0, -1.5)))  # fmt: skip
    t = T.expand(4)
    laws = [g.process.reverse_law(g(POINTS, t, 1), POINTS, t / 2, t)[0] for g in (outer, plain)]  # type: ignore[attr-defined]
    assert torch.allclose(*laws, atol=1e-12)


def test_shares_are_mixtures() -> None:
    process = Discrete.uniform(2)
    models = [BayesDenoiser(process, POINTS, law.log()) for law in (A, B)]
    guided = Compose(process, models, Shares((0.25, 0.75)))
    t = T.expand(4)
    got = guided.process.reverse_law(guided(POINTS, t), POINTS, t / 2, t)[0].exp()  # type: ignore[attr-defined]
    parts = [process.reverse_law(model(POINTS, t), POINTS, t / 2, t)[0].exp() for model in models]
    assert torch.allclose(got, 0.25 * parts[0] + 0.75 * parts[1], atol=1e-12)


def test_impossible_classes_stay_impossible() -> None:
    mixed = Powers((3.0, -2.0)).logs([torch.tensor([-torch.inf, 0.0, -1.0]), torch.tensor([-torch.inf, -1.0, 0.0])])
    assert mixed.tolist() == [-torch.inf, 2.0, -3.0]
    clamped = Powers((2.0, -1.0)).logs([torch.tensor([-torch.inf]), torch.tensor([-0.5])])
    assert clamped.item() == 2 * IMPOSSIBLE + 0.5


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="a denoiser for each"):
        Compose(ABSORBING, [Two(ABSORBING)], Powers((1.0, 1.0)))
    with pytest.raises(ValueError, match="shares"):
        Shares((0.5, 0.6))
    with pytest.raises(ValueError, match="finite"):
        Powers((float("nan"),))
    with pytest.raises(RequirementError, match="stacked"):
        Mixed(Discrete.uniform(2), Powers((0.5, 0.5))).reverse_law(torch.zeros(4, 2), POINTS, T, T)


class TestNullCondition:
    def make(self, drop: float) -> NullCondition:
        network = ResidualMLP([2, 2], width=8, blocks=1, dropout=0.0, time_free=True, cond_width=4)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1)
        return NullCondition(network, nn.Embedding(3, 4), 4, drop)

    def test_rows_are_dropped_in_training_only(self) -> None:
        module = self.make(0.3)
        module.null.data.fill_(7.0)
        label = torch.ones(20_000, dtype=torch.long)
        state = torch.random.get_rng_state()
        torch.manual_seed(0)
        share = (module.vectors(20_000, label) == 7.0).all(1).double().mean().item()
        torch.random.set_rng_state(state)
        assert share == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / 20_000) ** 0.5)
        assert not (module.eval().vectors(20_000, label) == 7.0).any()

    def test_none_is_the_learned_null(self) -> None:
        module = self.make(0.5).eval()
        x = torch.full((3, 2), 2)
        module(x, torch.ones(3), None).sum().backward()
        assert module.null.grad is not None
        assert module.null.grad.abs().sum() > 0
        assert module.embed.weight.grad is None
        assert module.time_free
        vectors = module.vectors(2, None)
        assert torch.equal(vectors, module.null.expand(2, -1))

    def test_it_is_guided(self) -> None:
        process = Discrete.absorbing((2, 2))
        module = self.make(0.5).eval()
        guided = ClassifierFree(process, module, 2.0)
        assert guided.time_free
        x, t, label = torch.full((3, 2), 2), torch.ones(3), torch.tensor([0, 1, 2])
        with torch.no_grad():
            layout = process.classes
            one, none = (layout.log_softmax(module(x, t, cond).double()) for cond in (label, None))
            assert torch.allclose(guided(x, t, label), 2 * one - none)
            for site, part in enumerate(layout.slices()):  # type: ignore[attr-defined]
                head = guided.site_logits(x, t, label, site).log_softmax(-1)
                assert torch.allclose(head, layout.log_softmax(guided(x, t, label))[:, part], atol=1e-6)

    def test_drop_is_a_probability(self) -> None:
        with pytest.raises(ValueError, match="probability"):
            self.make(1.0)
