"""The pieces of the permutation benchmark that its numbers rest on."""

import importlib
import re
from itertools import permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from intarsia.processes import PrefixPlackettLuce
from intarsia_domains.permutations import Line, VectorEncoder
from intarsia_domains.permutations._arranger_chain import Chain, riffles
from intarsia_domains.permutations._arranger_network import ArrangerNetwork

FOLDER = Path(__file__).parents[3] / "benchmarks"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the benchmarks are not part of this copy")


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module(f"permutation_systems.{name}")


def test_the_known_law_sums_to_one_and_its_draws_follow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = module("_ballot_data", monkeypatch)
    monkeypatch.setattr(data, "ITEMS", 4)
    orders = np.array(list(permutations(range(4))))
    law = np.exp(data.log_truth(orders))
    assert law.sum() == pytest.approx(1, abs=1e-12)
    drawn, nats = data.synthetic(0, 20_000)
    np.testing.assert_allclose(nats, data.log_truth(drawn.orders))
    share = (drawn.orders[:, None] == orders).all(2).mean(0)
    assert np.abs(share - law).max() < 4 * np.sqrt(0.25 / 20_000)


def test_intervals_allow_for_overlapping_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variance 1, five splits, a fifth held out: half-width t(0.975, 4) √(1/5 + 1/4) = 2.7764 · 0.6708."""
    rankings = module("rankings", monkeypatch)
    gain = [-np.sqrt(2), 0.0, 0.0, 0.0, np.sqrt(2)]
    assert rankings.interval(gain, 0.2) == pytest.approx((-1.8625, 1.8625), abs=1e-4)
    assert rankings.interval([1.0], 0.2) == (-np.inf, np.inf)


def test_models_of_tours_are_measured_on_tours_that_they_never_see(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tours = module("_tours", monkeypatch)
    for n in (5, 7):
        points = np.arange(20 * n * 2, dtype=float).reshape(20, n, 2)
        np.savez(tmp_path / f"tours-train-{n}.npz", points=points, tours=np.tile(np.arange(n), (20, 1)))
    source, rng = tours.Labelled({5: 0.5, 7: 0.5}, tmp_path), np.random.default_rng(0)
    held, _ = source(64, rng)
    assert held.shape[1] == 7
    assert set(held[:, 0, 0]) == {0.0, 14.0}
    sizes = {points.shape[1]: points for points, _ in (source(64, rng) for _ in range(20))}
    assert set(sizes) == {5, 7}
    assert sizes[7][:, 0, 0].min() == 28.0

    (tmp_path / "tours-train-5.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"tours-train-5\.npz is missing; run the cells tours .*labels first"):
        tours.Labelled({5: 1.0}, tmp_path)


def test_what_is_left_is_said_with_its_cost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    script = importlib.import_module("permutations")
    options = script.parser().parse_args(["jigsaws", "collapse", "--budget", "3600", "--cells", str(tmp_path)])
    jigsaws, collapse = (len(script.PARTS[x].cells(options)[0]) for x in ("jigsaws", "collapse"))
    left, hours = re.findall(r"[0-9.]+", script.cost(options))[:2]
    assert int(left) == jigsaws + collapse
    assert float(hours) == pytest.approx(jigsaws + collapse, rel=0.05)  # an hour of training each, and little else
    (tmp_path / f"{script.PARTS['jigsaws'].cells(options)[0][0]}.json").write_text("{}")
    assert script.cost(options).startswith(f"{int(left) - 1} cells")
    for part in script.PARTS:
        options = script.parser().parse_args([part, "--cells", str(tmp_path / "none")])
        assert "about 0.00" not in script.cost(options)


def test_names_of_systems_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--only system=A,B` takes names apart at commas."""
    monkeypatch.syspath_prepend(str(FOLDER))
    script = importlib.import_module("permutations")
    options = script.parser().parse_args([])
    names = [x.system for part in script.PARTS.values() for wave in part.cells(options) for x in wave]
    assert not [name for name in names if "," in name]


def test_without_a_bridge_a_right_prediction_still_ends_in_the_right_order(monkeypatch: pytest.MonkeyPatch) -> None:
    collapse = module("_collapse", monkeypatch)
    head = PrefixPlackettLuce()
    network = ArrangerNetwork(VectorEncoder(8, 8), (1,), head, width=8, depth=0, heads=2, dropout=0.0)
    chain = Chain(riffles(6, head), network, Line())
    anew = collapse._Anew(chain.process, chain.network, chain.shape)
    x0, rng = torch.rand(8, 6).argsort(1), torch.Generator().manual_seed(0)
    for look in anew.looks(all_steps=True):
        x = anew.back(x0, torch.rand(8, 6).argsort(1), look, rng)
    assert torch.equal(x, x0)
