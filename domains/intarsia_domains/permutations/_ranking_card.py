"""The card of a saved ranking model, and what `info` says of it."""

from typing import TYPE_CHECKING

from intarsia._version import __version__

if TYPE_CHECKING:
    from intarsia_domains.permutations._ranking_model import RankingModel


def training_line(model: "RankingModel") -> str:
    """How training went, in one line."""
    training = model.training_
    if not training["steps"]:
        return f"choice model, penalty {training['penalty']:g}"
    held, before = training["held_out_nats"], training["held_out_choice_model"]
    what = "nats a ballot" if training["in_nats"] else "of the training loss"
    line = f"{training['steps']:,} steps, seed {model.seed}, held-out {held:.3f} {what}"
    if training["penalty"] is None:
        return line
    kept = "kept" if training["network_kept"] else "not kept, as held-out ballots did not gain"
    return f"{line} (choice model alone {before:.3f}; the network was {kept})"


def card(model: "RankingModel") -> str:
    """Markdown with the front matter that model hubs read."""
    names = ", ".join(name.replace("\n", " ").replace("<", "&lt;") for name in model.items_[:50])
    return f"""---
library_name: intarsia
tags: [rankings, permutations, discrete-diffusion]
---
# Ranking model

{model.law_.about}, over {len(model.items_)} items, by intarsia {__version__}.

- Ballots: {model.n_ballots_}
- Training: {training_line(model)}
- Items: {names}{", …" if len(model.items_) > 50 else ""}

The model gives no formal privacy guarantee: treat it as derived from its ballots when sharing.
"""
