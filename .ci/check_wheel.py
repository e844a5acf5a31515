"""Import an unpacked wheel on its own: `python -I -S .ci/check_wheel.py DIRECTORY LIBRARIES`."""

import importlib
import sys
from importlib.metadata import distribution
from pathlib import Path


def main(site: Path, libraries: str) -> None:
    """Raise AssertionError where the wheel lacks something or holds too much."""
    sys.path[:0] = [str(site), libraries]
    packages = ("intarsia", "intarsia_domains", "intarsia_datasets")
    found = {path.name for path in site.iterdir() if path.name != "bin" and not path.name.endswith(".dist-info")}
    assert found == set(packages), f"the wheel holds {sorted(found)}"
    for name in packages:
        module = importlib.import_module(name)
        assert Path(str(module.__file__)).is_relative_to(site), f"{name} was imported from {module.__file__}"
        assert (site / name / "py.typed").is_file(), f"{name} lacks py.typed"
    engine = importlib.import_module("intarsia")
    for name in dir(engine):
        getattr(engine, name)
    points = [point for point in distribution("intarsia").entry_points if point.group.startswith("intarsia.")]
    for point in points:
        point.load()
    print(f"the wheel of intarsia {engine.__version__} imports, with {len(points)} entry points")


main(Path(sys.argv[1]), sys.argv[2])
