"""What a saved arranger is, in Markdown."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intarsia_domains.permutations._arranger import Arranger


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
