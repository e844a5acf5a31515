"""Noises, networks and strands as JSON: names from allow-lists and plain values."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from intarsia.training import Settings
from intarsia_domains.dna._networks import AbstractNetwork, DilatedCNN, SequenceTransformer
from intarsia_domains.dna._noises import Absorbing, AbstractNoise, AnalogBits, Marginal, Multinomial, Simplex
from intarsia_domains.dna._strands import AbstractStrands, AveragedStrands, OneStrand, SharedStrands

_KINDS: dict[type, dict[str, type[Any]]] = {
    AbstractNoise: {kind.name: kind for kind in (Absorbing, AnalogBits, Marginal, Multinomial, Simplex)},
    AbstractNetwork: {kind.name: kind for kind in (DilatedCNN, SequenceTransformer)},
    AbstractStrands: {kind.name: kind for kind in (AveragedStrands, OneStrand, SharedStrands)},
}


def to_json(value: Any) -> Any:
    """Plain JSON of a noise, network, strands object or settings; None stays None.

    Raises:
        TypeError: it is not one of ours, so a model with it is not saved.
    """
    if value is None:
        return None
    if isinstance(value, Settings):
        return asdict(value)
    for base, kinds in _KINDS.items():
        if isinstance(value, base):
            if type(value) not in kinds.values():
                raise TypeError(f"a model with {value!r} cannot be saved; there are {', '.join(kinds)}")
            own = {f.name: getattr(value, f.name) for f in fields(value)}
            return {"name": value.name, **{k: to_json(v) if _nested(v) else v for k, v in own.items()}}
    raise TypeError(f"expected a noise, a network or strands, got {value!r}")


def from_json(base: type, data: Mapping[str, Any] | None) -> Any:
    """Rebuild; raises KeyError for a name that is not ours, TypeError for unknown arguments."""
    if data is None:
        return None
    values = dict(data)
    kind = _KINDS[base][values.pop("name")]
    if "strands" in values:
        values["strands"] = from_json(AbstractStrands, values["strands"])
    return kind(**values)


def _nested(value: Any) -> bool:
    return isinstance(value, tuple(_KINDS))
