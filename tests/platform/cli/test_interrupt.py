"""Ctrl-C, in a real process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

TELLING = """
import sys
import intarsia_domains.tabular._synthesizer as synthesizer
from intarsia.cli import main
inner = synthesizer.fit_model
def fit_model(*arguments):
    *most, watch = arguments
    def telling(progress):
        print("step", progress.step, file=sys.stderr, flush=True)
        watch(progress)
    return inner(*most, telling)
synthesizer.fit_model = fit_model
main(sys.argv[1:])
"""


def interrupt(arguments: list[str], sign: str, code: str = TELLING) -> tuple[int, str]:
    """Start a command, press Ctrl-C once it says `sign`, and return its exit code and all it said after that."""
    # a job in the background of a shell starts with SIGINT ignored, and so would what it starts
    code = f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{code}"
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(sign):
                break
        process.send_signal(signal.SIGINT)
        return process.wait(60), process.stderr.read()


def test_fit_keeps_the_best_weights(run, data: Path, tmp_path: Path) -> None:
    arguments = ["fit", "tabular", str(data / "train.csv"), "--out", str(tmp_path / "m"), "--minutes", "10"]
    code, said = interrupt(arguments, "step 3")
    assert code == 130
    assert f"the best weights so far are saved in {tmp_path / 'm'}" in said
    assert "Traceback" not in said
    assert "interrupted" in run("info", tmp_path / "m").stdout
    assert len(run("sample", tmp_path / "m", "-n", 3, "--out", "-").stdout.splitlines()) == 4


def test_sample_leaves_nothing_behind(model: Path, tmp_path: Path) -> None:
    code, said = interrupt(["sample", str(model), "-n", "170000", "--out", str(tmp_path / "s.csv")], "draw")
    assert code == 130
    assert "interrupted: nothing was written" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
