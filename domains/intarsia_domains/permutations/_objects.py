"""Noises, heads, encoders and settings as JSON: names from allow-lists and plain values."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from intarsia.processes import (
    Discrete,
    Enumerated,
    GeneralizedPlackettLuce,
    Insertion,
    InverseInsertion,
    InverseRiffle,
    InverseTransposition,
    Move,
    PlackettLuce,
    PrefixPlackettLuce,
    Riffle,
    Transposition,
)
from intarsia.training import Settings
from intarsia_domains.permutations._arranger_shapes import Line, Tour
from intarsia_domains.permutations._encoders import ImageEncoder, PointEncoder, VectorEncoder
from intarsia_domains.permutations._ranking_lehmer import LehmerDigits
from intarsia_domains.permutations._ranking_noise import Shuffles, Size
from intarsia_domains.permutations._ranking_pointer import Pointer

OBJECTS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Enumerated,
        GeneralizedPlackettLuce,
        ImageEncoder,
        InverseInsertion,
        InverseRiffle,
        InverseTransposition,
        LehmerDigits,
        Line,
        Move,
        PlackettLuce,
        PointEncoder,
        Pointer,
        PrefixPlackettLuce,
        Settings,
        Shuffles,
        Size,
        Tour,
        VectorEncoder,
    )
}
NAMED: dict[str, Any] = {
    "Riffle": Riffle,
    "Transposition": Transposition,
    "Insertion": Insertion,
    "absorbing": Discrete.absorbing,
    "uniform": Discrete.uniform,
}


def to_json(value: Any) -> Any:
    """Plain JSON of an object; raises TypeError for one that is not ours, whose model cannot be saved."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    for name, known in NAMED.items():
        if value == known:
            return {"name": name}
    if OBJECTS.get(type(value).__name__) is not type(value):
        raise TypeError(
            f"a model with {value!r} cannot be saved: a file cannot name the type of that; "
            f"it can of {', '.join([*OBJECTS, *NAMED])}"
        )
    return {"type": type(value).__name__, **{f.name: to_json(getattr(value, f.name)) for f in fields(value)}}


def from_json(data: Any) -> Any:
    """What `to_json` wrote; raises KeyError or TypeError for anything else."""
    if isinstance(data, list):
        return tuple(from_json(part) for part in data)
    if not isinstance(data, Mapping):
        return data
    values = dict(data)
    if "name" in values:
        return NAMED[values["name"]]
    kind = OBJECTS[values.pop("type")]
    return kind(**{name: from_json(value) for name, value in values.items()})
