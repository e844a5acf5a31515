"""The card of a saved table model: what it is, what it was trained on, what to mind."""

from typing import TYPE_CHECKING

from intarsia._version import __version__

if TYPE_CHECKING:
    from intarsia_domains.tabular._synthesizer import TabularSynthesizer


def card(model: "TabularSynthesizer") -> str:
    """Markdown with the front matter that model hubs read."""
    columns = "\n".join(
        f"| {_cell(c.name)} | {c.kind} | {' + '.join(map(str, c.num_classes)) or '-'} |" for c in model.codec_.columns
    )
    training = model.training_
    return f"""---
library_name: intarsia
tags: [tabular, synthetic-data, discrete-diffusion]
---
# Synthetic table model

{model.recipe_.about} over {len(model.codec_.num_classes)} sites, by intarsia {__version__}.

- Training rows: {model.n_rows_}; target: {_cell(model.target_)}
- Steps: {training["steps"]} (best at {training["best_step"]}), seed {model.seed}
- Held-out {model.recipe_.loss_is}: {training["held_out_nats"]} nats per row

| column | kind | classes |
|---|---|---|
{columns}

`codec.json` holds category labels, counts and quantiles of the training rows. Labels seen fewer than {model.rare}
times in a column of more than 50 labels are left out. Treat it as derived from that data when sharing. The model gives
no formal privacy guarantee; look at the report's closest-record share and duplicates.
"""


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
