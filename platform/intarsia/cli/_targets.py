"""Where results go, looked at before the work starts."""

import os
from pathlib import Path

from intarsia.cli._errors import Refusal


def check_model_target(out: str, force: bool) -> None:
    """Refuse a place where a model could not be saved, or would replace something unasked."""
    path = Path(out)
    if out == "-":
        raise Refusal("a model is a directory and cannot go to standard output; give --out a name")
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / "config.json").is_file()):
        raise Refusal(f"{out} exists and is not a saved model; choose another name")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise Refusal(f"{out} exists; choose another name, or replace it with --force")
    _check_parent(path)


def check_report_target(out: str) -> None:
    """Refuse a place or a format that a report cannot be written to."""
    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm", ".md", ".json"):
        raise Refusal(f"a report is written as .html, .md or .json, got {out!r}; change the ending")
    if path.is_dir():
        raise Refusal(f"{out} is a directory; name a file in it")
    if not path.absolute().parent.is_dir():
        raise Refusal(f"{out} cannot be written: there is no directory {path.absolute().parent}")
    _check_parent(path)


def _check_parent(path: Path) -> None:
    """The nearest directory that exists must be writable."""
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise Refusal(f"{path} cannot be written: {parent} is not a directory")
    if not os.access(parent, os.W_OK):
        raise Refusal(f"{path} cannot be written: no permission to write in {parent}")
