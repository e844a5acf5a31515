"""Networks: both strands, places, padding, conditions."""

import pytest
import torch
from torch import Tensor, nn

from intarsia_domains.dna import (
    AbstractNetwork,
    AbstractStrands,
    AveragedStrands,
    DilatedCNN,
    OneStrand,
    SequenceTransformer,
    SharedStrands,
)


def small(kind: str, strands: AbstractStrands) -> AbstractNetwork:
    if kind == "cnn":
        return DilatedCNN(width=8, blocks=3, kernel=3, dropout=0.0, strands=strands)
    return SequenceTransformer(width=8, depth=2, heads=2, dropout=0.0, strands=strands)


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=rng))
    return network.eval().requires_grad_(False)


def case(rows: int = 4, length: int = 11, channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(7)
    belief = torch.randn(rows, length, 4, generator=rng).softmax(-1) - 0.25
    lengths = torch.tensor([length, length - 1, length - 4, 1])[:rows]
    inside = torch.arange(length) < lengths[:, None]
    told = torch.randn(rows, length, channels, generator=rng)
    return belief * inside[..., None], inside, told * inside[..., None]


def turned(x: Tensor, inside: Tensor) -> Tensor:
    out = x.clone()
    for row, length in enumerate(inside.sum(1).tolist()):
        out[row, :length] = x[row, :length].flip(0)
    return out


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
@pytest.mark.parametrize("strands", [SharedStrands(), AveragedStrands()], ids=["shared", "averaged"])
def test_both_strands_have_one_law(kind: str, strands: AbstractStrands) -> None:
    network = shaken(small(kind, strands).build(11, 3))
    belief, inside, told = case()
    there = network(belief, inside, told)
    back = network(turned(belief, inside).flip(-1), inside, turned(told, inside))
    expected = turned(there, inside).flip(-1)
    torch.testing.assert_close(back[inside], expected[inside], atol=1e-5, rtol=1e-4)
    assert float(there[inside].std()) > 0.1


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
def test_one_strand_has_a_direction(kind: str) -> None:
    network = shaken(small(kind, OneStrand()).build(11, 3))
    belief, inside, told = case()
    back = network(turned(belief, inside).flip(-1), inside, turned(told, inside))
    assert float((back - turned(network(belief, inside, told), inside).flip(-1))[inside].abs().max()) > 0.1


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
@pytest.mark.parametrize("strands", [OneStrand(), SharedStrands(), AveragedStrands()], ids=lambda s: s.name)
def test_padding_is_not_seen(kind: str, strands: AbstractStrands) -> None:
    network = shaken(small(kind, strands).build(11, 3))
    belief, inside, told = case()
    whole = network(belief, inside, told)
    length = int(inside[2].sum())
    alone = network(belief[2:3, :length], inside[2:3, :length], told[2:3, :length])
    torch.testing.assert_close(whole[2, :length], alone[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
def test_every_site_and_the_conditions_are_read(kind: str) -> None:
    network = shaken(small(kind, OneStrand()).build(6, 2))
    belief = torch.zeros(1, 6, 4, requires_grad=True)
    told = torch.zeros(1, 6, 2, requires_grad=True)
    network(belief, torch.ones(1, 6, dtype=torch.bool), told)[0, 2].square().sum().backward()
    assert belief.grad is not None
    assert told.grad is not None
    assert bool((belief.grad.abs().sum(-1) > 0).all())
    assert float(told.grad.abs().sum()) > 0


def test_shared_strands_have_half_of_the_weights_inside() -> None:
    def count(strands: AbstractStrands) -> int:
        return sum(p.numel() for p in DilatedCNN(width=16, blocks=2, strands=strands).build(9, 0).blocks.parameters())  # type: ignore[union-attr, operator]

    assert count(SharedStrands()) * 2 == count(OneStrand())


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="odd kernel"):
        DilatedCNN(kernel=4)
    with pytest.raises(ValueError, match="multiple of its heads"):
        SequenceTransformer(width=10, heads=4)
    with pytest.raises(ValueError, match="must be even"):
        DilatedCNN(width=7, strands=SharedStrands()).build(9, 0)
