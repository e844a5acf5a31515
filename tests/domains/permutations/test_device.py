"""Models on another device: on an accelerator where there is one, and on one that is only imagined.

The imagined one holds its tensors on the CPU. They say that they are on the device "meta", and refuse to meet a tensor
that is not there, so that a forgotten `device=` is found on every machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from intarsia.processes import GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce, Transposition
from intarsia.training import Settings
from intarsia_domains.permutations import (
    Arranger,
    Beam,
    DigitSorting,
    Draw,
    Greedy,
    ImageEncoder,
    LehmerDigits,
    Line,
    PointEncoder,
    Pointer,
    RankingModel,
    Rankings,
    Shuffles,
    Size,
    Tour,
    Unranked,
    VectorEncoder,
)

AWAY = torch.device("meta")
ATEN = torch.ops.aten
MOVES = (ATEN._to_copy.default, ATEN.copy_.default)
INDEXED = (ATEN.index.Tensor, ATEN.index_put.default, ATEN.index_put_.default, ATEN._index_put_impl_.default)
FAST = Settings(batch_size=64, evaluations=2, warmup=2, bfloat16=False)


class Away(Tensor):
    """A tensor on the imagined device; `held` has its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Away":
        return Tensor._make_wrapper_subclass(cls, held.shape, held.stride(), dtype=held.dtype, device=AWAY)

    def __init__(self, held: Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return call(func, args, kwargs or {})


def call(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation where its tensors are held, and refuse what a device would refuse."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    away = any(isinstance(x, Away) for x in tensors)
    if away and func in INDEXED:
        assert isinstance(tensors[0], Away), f"{func}: a tensor on the CPU is indexed by one that is elsewhere"
    elif away and func not in MOVES:
        here = [tuple(x.shape) for x in tensors if not isinstance(x, Away) and x.ndim]
        assert not here, f"{func}: tensors {here} on the CPU meet one that is elsewhere"
    out = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if func is ATEN.copy_.default:
        return args[0]
    wanted = kwargs.get("device")
    there = away if wanted is None else torch.device(wanted) == AWAY
    own = {id(x.held): x for x in tensors if isinstance(x, Away)}  # what was changed in place stays the same object

    def put(x: Any) -> Any:
        return (own[id(x)] if id(x) in own else Away(x)) if there and isinstance(x, Tensor) else x

    return tree_map(put, out)


def _held(x: Any) -> Any:
    if isinstance(x, torch.device):
        return torch.device("cpu")
    return x.held if isinstance(x, Away) else x


class Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return call(func, args, kwargs or {})


class Functions(TorchFunctionMode):
    """`torch.tensor` makes its values before dispatch sees them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and kwargs.get("device") is not None and torch.device(kwargs["device"]) == AWAY:
            return torch.tensor(*args, **{**kwargs, "device": "cpu"}).to(AWAY)
        return func(*args, **kwargs)


REAL = torch.Generator


class AwayGenerator(REAL):
    device = AWAY


class Generator(REAL):
    def __new__(cls, device: Any = "cpu") -> Any:
        return AwayGenerator.__new__(AwayGenerator) if torch.device(device) == AWAY else REAL(device)


@contextmanager
def imagined(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torch, "Generator", Generator)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    with Dispatch(), Functions():
        yield


@pytest.fixture(
    params=[
        "meta",
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator that torch can reach"),
            ],
        ),
    ]
)
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with imagined(monkeypatch) if request.param == "meta" else nullcontext():
        yield request.param


def test_the_imagined_device_refuses_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with imagined(monkeypatch):
        there = torch.arange(3, device=AWAY) + 1
        assert there.device == AWAY
        assert there.cpu().tolist() == [1, 2, 3]
        assert there[torch.tensor([2])].cpu().tolist() == [3]  # a device allows that
        with pytest.raises(AssertionError, match="meet one that is elsewhere"):
            there + torch.arange(3)
        with pytest.raises(AssertionError, match="indexed by one that is elsewhere"):
            torch.arange(4)[there]


@pytest.mark.parametrize(
    "options",
    [
        {"head": Pointer(4)},
        {"noise": Shuffles(), "head": PrefixPlackettLuce()},
        {"noise": Shuffles(Transposition), "head": Move(PlackettLuce())},
        {"noise": LehmerDigits()},
    ],
)
def test_rankings_elsewhere(device: str, options: dict[str, Any]) -> None:
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(4), (40, 1)), axis=1)
    votes = Rankings(tuple("abcd"), orders)
    model = RankingModel(
        steps=2, penalty=1.0, particles=16, size=Size(8, 1, 2), device=device, settings=FAST, progress=False, **options
    ).fit(votes)
    assert model.law_.device.type == device
    assert model.sample(5).is_complete
    assert (model.sample(3, given={"before": [("a", "b")], "prefix": ["d"]}).orders[:, 0] == 3).all()
    assert model.complete([["a"], ["b", "c"]]).labels()[1][:2] == ["b", "c"]
    assert np.isfinite(model.score_samples(votes)).all()
    assert np.isfinite(model.score_samples(Rankings.of([["a", "b"]], votes.items, Unranked.UNKNOWN))).all()


@pytest.mark.parametrize(("head", "tour"), [(PrefixPlackettLuce(), True), (Move(GeneralizedPlackettLuce()), False)])
def test_arrangements_elsewhere(device: str, head: PrefixPlackettLuce | Move, tour: bool) -> None:
    items = np.random.default_rng(0).random((40, 5, 2))
    orders = items[..., 0].argsort(1)
    encoder, shape = (PointEncoder(waves=2), Tour()) if tour else (VectorEncoder(8, 8), Line())
    model = Arranger(
        encoder,
        shape=shape,
        head=head,
        steps=2,
        width=8,
        depth=1,
        heads=2,
        settings=FAST,
        device=device,
        progress=False,
    ).fit(items, orders)
    assert model.network_.device.type == device
    for decode in (Greedy(), Beam(3, 2, starts=2), Draw(2)):
        assert model.arrange(items[:2], decode=decode).shape == (2, 5)
    if isinstance(head, PrefixPlackettLuce):
        assert np.isfinite(model.score_samples((items[:3], orders[:3]))).all()
        known = np.full((3, 5), -1)
        known[:, 0] = 0
        assert (model.complete((items[:3], known))[:, 0] == 0).all()


def test_images_elsewhere(device: str) -> None:
    images = np.random.default_rng(0).random((100, 8, 8)).astype(np.float32)
    source = DigitSorting(images, np.arange(100) % 10, n=3, digits=2, bank=60)
    encoder = ImageEncoder(parts=(1, 2), codes=4, channels=(4,), shift=0.1, bend=0.05, looks=2)
    model = Arranger(encoder, steps=2, width=8, depth=0, settings=FAST, device=device, progress=False).fit(source)
    items, _ = source(4, np.random.default_rng(1))
    assert model.arrange(items).shape == (4, 3)
