"""The group of all commands: verbs of installed distributions, and errors in one sentence with an exit code."""

import os
import sys
from typing import Any

import typer
import typer.core
import typer.main

from intarsia._installed import installed, summary
from intarsia.cli._errors import explain, interrupted
from intarsia.cli._load import load_point
from intarsia.cli._say import warnings_as_notes


class Commands(typer.core.TyperGroup):
    """The commands of this package and the verbs that installed distributions add.

    Listing reads the first line of a verb's docstring; only running it, or asking for its help, imports it.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Own commands first, then verbs."""
        own = list(super().list_commands(ctx))
        return own + [name for name in installed("intarsia.commands") if name not in own]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command for the list, which need not run."""
        own = super().get_command(ctx, cmd_name)
        verbs = installed("intarsia.commands") if own is None else {}
        if cmd_name not in verbs:
            return own
        return typer.core.TyperCommand(cmd_name, help=summary(verbs[cmd_name]))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run."""
        name, command, rest = super().resolve_command(ctx, args)
        point = None if name in self.commands else installed("intarsia.commands").get(str(name))
        return name, command if point is None else _verb(str(name), load_point(point)), rest

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what only happens while one runs is told here."""
        try:
            with warnings_as_notes():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            interrupted("nothing was written")
        except BrokenPipeError:  # the reader of our output has had enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from None

    def main(self, *args: Any, **options: Any) -> Any:
        """Run and exit, whatever happens."""
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except Exception as error:
            code = explain(error)
        sys.exit(code if isinstance(code, int) else 0)


def _verb(name: str, loaded: Any) -> Any:
    """A function or a Typer as a command."""
    if isinstance(loaded, typer.Typer):
        command = typer.main.get_command(loaded)
    else:
        verb = typer.Typer(add_completion=False)
        verb.command(name)(loaded)
        command = typer.main.get_command(verb)
    command.name = name
    return command
