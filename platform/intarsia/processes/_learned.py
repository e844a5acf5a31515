"""What a process learns: the schedules and noise levels in it that are modules."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, cast

from torch import nn

from intarsia.processes._base import AbstractProcess


def learned_modules(process: AbstractProcess[Any]) -> nn.ModuleList:
    """The modules that a process holds, each once, in the order of its arguments; empty where nothing is learned.

    A process is frozen and no module, so whoever trains it registers this list: then optimizers find the parameters,
    `state_dict` keeps them, and a deep copy of the whole copies process and list alike.
    """
    return nn.ModuleList(dict.fromkeys(_modules(process)))


def _modules(value: object) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield value
    elif isinstance(value, Mapping):
        for part in cast(Mapping[str, object], value).values():
            yield from _modules(part)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _modules(getattr(value, field.name))
