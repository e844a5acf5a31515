"""`intarsia tour`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from intarsia.training import Settings
from intarsia_domains.permutations._arranger import Arranger
from intarsia_domains.permutations._arranger_command import tour
from intarsia_domains.permutations._arranger_shapes import Tour
from intarsia_domains.permutations._encoders import PointEncoder, VectorEncoder
from intarsia_domains.permutations._tsplib import read_tour, read_tsplib

SETTINGS = Settings(batch_size=16, evaluations=1)
APP = typer.Typer()
APP.command()(tour)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    rng = np.random.default_rng(0)
    points, tours = rng.random((40, 6, 2)), rng.permuted(np.tile(np.arange(6), (40, 1)), axis=1)
    fitted = Arranger(
        PointEncoder(waves=4), shape=Tour(), steps=3, depth=1, width=16, settings=SETTINGS, progress=False
    ).fit(points, tours)
    path = tmp_path_factory.mktemp("models") / "tours"
    fitted.save(path)
    return str(path)


def instance(path: Path, points: list[tuple[float, float]]) -> str:
    lines = [f"{k} {x} {y}" for k, (x, y) in enumerate(points, start=1)]
    head = ["NAME : tiny", "TYPE : TSP", f"DIMENSION : {len(points)}", "EDGE_WEIGHT_TYPE : EUC_2D"]
    path.write_text("\n".join([*head, "NODE_COORD_SECTION", *lines, "EOF"]) + "\n")
    return str(path)


SQUARE = [(1e6, 0.0), (1e6 + 100, 0.0), (1e6 + 100, 100.0), (1e6, 100.0), (1e6 + 50, 0.0)]


def test_the_shortest_tour_of_a_few_cities(model: str, tmp_path: Path) -> None:
    source = instance(tmp_path / "tiny.tsp", SQUARE)
    result = CliRunner().invoke(APP, [model, source, "--out", str(tmp_path / "tiny.tour")])
    assert result.exit_code == 0, result.output
    found = read_tour(str(tmp_path / "tiny.tour"), 5)
    assert read_tsplib(source).length(found) == 400
    assert "tiny: 5 cities" in result.stderr
    assert "with local search 400" in result.stderr


def test_without_files_the_tour_is_printed(model: str, tmp_path: Path) -> None:
    page = tmp_path / "tour.html"
    options = ["--no-local", "--width", "1", "--picture", str(page)]
    result = CliRunner().invoke(APP, [model, instance(tmp_path / "tiny.tsp", SQUARE), *options])
    assert result.exit_code == 0, result.output
    assert sorted(map(int, result.stdout.split())) == [1, 2, 3, 4, 5]
    assert "Tour of tiny" in page.read_text()


def test_bad_files_and_models_are_refused(model: str, tmp_path: Path) -> None:
    twice = instance(tmp_path / "twice.tsp", [*SQUARE, SQUARE[2]])
    with pytest.raises(ValueError, match="cities 2 and 5 of row 0 are in one place"):
        CliRunner().invoke(APP, [model, twice], catch_exceptions=False)
    explicit = tmp_path / "explicit.tsp"
    head = ["NAME : e", "TYPE : TSP", "DIMENSION : 3", "EDGE_WEIGHT_TYPE : EXPLICIT"]
    body = ["EDGE_WEIGHT_FORMAT : FULL_MATRIX", "EDGE_WEIGHT_SECTION", "0 1 2", "1 0 3", "2 3 0", "EOF"]
    explicit.write_text("\n".join([*head, *body]) + "\n")
    with pytest.raises(ValueError, match="no coordinates"):
        CliRunner().invoke(APP, [model, str(explicit)], catch_exceptions=False)
    sorter = Arranger(VectorEncoder(), steps=1, depth=0, width=16, settings=SETTINGS, progress=False)
    sorter.fit(np.zeros((4, 3, 2)), [[0, 1, 2]] * 4).save(tmp_path / "sorter")
    with pytest.raises(TypeError, match="shape=Tour"):
        CliRunner().invoke(APP, [str(tmp_path / "sorter"), twice], catch_exceptions=False)


def test_bad_cities_are_named_before_torch_is_imported(tmp_path: Path) -> None:
    source = instance(tmp_path / "nowhere.tsp", [*SQUARE[:3], (float("nan"), 0.0)])
    code = f"""
import sys
from intarsia_domains.permutations._arranger_command import tour
try:
    tour("no model", {source!r})
except ValueError as error:
    print("torch" in sys.modules, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False ")
    assert "line 9: city 4: " in done.stdout
