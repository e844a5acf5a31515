"""A small table with traps, a model of it, and a way to run commands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

Run = Callable[..., Result]


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    frame = pd.DataFrame(
        {
            "age": age,
            "city": rng.choice(["Ulm", "Köln", "São Paulo"], rows),
            "income": np.round(100 * age + rng.normal(0, 500, rows), 2),
            "member": rng.random(rows) < age / 100,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D"),
            "code": rng.choice(["007", "12", "NA"], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    frame.loc[rng.random(rows) < 0.1, "city"] = None
    return frame


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    table(200).to_csv(folder / "train.csv", index=False)
    table(200).to_parquet(folder / "train.parquet")
    table(60, seed=1).to_csv(folder / "holdout.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def run() -> Run:
    from intarsia.cli._app import app

    runner = CliRunner()

    def invoke(*arguments: object, stdin: str | bytes | None = None, code: int = 0) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments], input=stdin, prog_name="intarsia")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture(scope="session")
def fails(run: Run) -> Callable[..., str]:
    """Run a command that must end with code 2 and one sentence, which is returned."""

    def invoke(*arguments: object, stdin: str | bytes | None = None) -> str:
        result = run(*arguments, stdin=stdin, code=2)
        lines = result.stderr.strip().splitlines()
        sentence = lines[-1]
        assert sentence.startswith("error: ")
        assert sum(line.startswith("error: ") for line in lines) == 1
        return sentence

    return invoke


@pytest.fixture(scope="session")
def model(data: Path, run: Run) -> Path:
    path = data / "model"
    run("fit", "tabular", data / "train.csv", "--out", path, "--steps", 20, "--target", "income", "-q")
    return path
