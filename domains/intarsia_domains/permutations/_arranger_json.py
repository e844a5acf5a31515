"""Arrangers as JSON and as a card."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from intarsia.processes import GeneralizedPlackettLuce, Move, PlackettLuce, PrefixPlackettLuce
from intarsia.training import Settings
from intarsia_domains.permutations._arranger_shapes import Line, Tour
from intarsia_domains.permutations._encoders import ImageEncoder, PointEncoder, VectorEncoder

if TYPE_CHECKING:
    from intarsia_domains.permutations._arranger import Arranger

KNOWN: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        VectorEncoder,
        ImageEncoder,
        PointEncoder,
        Line,
        Tour,
        PlackettLuce,
        GeneralizedPlackettLuce,
        PrefixPlackettLuce,
        Move,
        Settings,
    )
}


def object_to_json(value: Any) -> dict[str, Any]:
    """A frozen object of a known type by its name and fields.

    Raises:
        TypeError: the type is not one of ours.
    """
    if KNOWN.get(type(value).__name__) is not type(value):
        raise TypeError(f"a saved arranger cannot name the type of {value!r}; it knows {', '.join(KNOWN)}")
    entries = {field.name: getattr(value, field.name) for field in fields(value)}
    plain = (int, float, str, tuple, type(None))
    return {
        "type": type(value).__name__,
        **{k: v if isinstance(v, plain) else object_to_json(v) for k, v in entries.items()},
    }


def object_from_json(saved: dict[str, Any]) -> Any:
    """Read what `object_to_json` wrote; raises KeyError or TypeError for what it did not."""
    entries = {k: object_from_json(v) if isinstance(v, dict) else v for k, v in saved.items() if k != "type"}
    return KNOWN[saved["type"]](**entries)


def card(arranger: "Arranger") -> str:
    """What a saved arranger is, in Markdown."""
    training = arranger.training_
    measured = training["held_out_all_steps" if arranger.all_steps_ else "held_out_one_step"]
    quality = "right held-out sets" if measured >= 0 else "minus mean held-out tour length"
    return (
        f"# Arranger of sets of {arranger.n_items_} items\n\n"
        f"- items: {arranger.encoder}, shape of one: {arranger.item_shape_}\n"
        f"- order: {arranger.shape}, head: {arranger.head}\n"
        f"- training: {training['steps']:,} steps, held-out {training['held_out_nats']:.3f} nats per set\n"
        f"- greedy, {'all steps' if arranger.all_steps_ else 'one step'}: {quality} {measured:.4f}\n"
    )
