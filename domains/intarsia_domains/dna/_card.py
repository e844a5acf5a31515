"""The card of a saved sequence model: what it is, what it was trained on, what to mind."""

from typing import TYPE_CHECKING

from intarsia._version import __version__

if TYPE_CHECKING:
    from intarsia_domains.dna._designer import SequenceDesigner


def training_line(model: "SequenceDesigner") -> str:
    """How a model was trained, in one line."""
    training = model.training_
    loss = f"{training['held_out_nats']:.3f} nats a sequence" if training["held_out_nats"] is not None else "unknown"
    return f"{training['steps']:,} steps (best at {training['best_step']:,}), seed {model.seed}, held-out loss {loss}"


def card(model: "SequenceDesigner") -> str:
    """Markdown with the front matter that model hubs read."""
    conditions = "\n".join(f"- {_cell(name)}: {_cell(part.about())}" for name, part in model.conditions_.parts.items())
    return f"""---
library_name: intarsia
tags: [biology, dna, discrete-diffusion]
---
# Sequence model

{model.noise_.name.capitalize()} diffusion of {model.alphabet_.name} sequences, by intarsia {__version__}.

- Training sequences: {model.n_sequences_}, {model.lengths_.about()}
- Network: {model.network_}
- Training: {training_line(model)}

Conditions:

{conditions or "- none"}

Samples are proposals: nothing here says what a sequence does in a cell. A model can repeat training sequences; the
report counts near-copies.
"""


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
