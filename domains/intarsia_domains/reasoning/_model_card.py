"""The card of a saved reasoning model."""

import json
from typing import TYPE_CHECKING, Any

from intarsia._version import __version__

from ._denoiser import parameters_of

if TYPE_CHECKING:
    from ._model import ReasoningModel


def card(model: "ReasoningModel") -> str:
    """Markdown with the front matter that model hubs read."""
    training = dict(model.training_)
    scores, looks = training.pop("scores", None), training.pop("looks", None)
    title = "constraint problems" if model.problem_ is None else model.problem_.title
    about = training.pop("about", training)
    return f"""---
library_name: intarsia
tags: [reasoning, constraint-satisfaction, discrete-diffusion]
---
# Reasoning model: {title}

A factor-graph denoiser of {model.noise.name} noise with {parameters_of(model.network_):,} parameters, by intarsia
{__version__}.
It commutes with renaming values and with every symmetry of the constraints, so that it can be put to other sizes and
other problems of the same kinds of constraints. It proposes; what is reported as solved has passed the exact checker.
{_scores(scores, looks)}
## Training

```json
{json.dumps(about, indent=1)}
```
"""


def _scores(scores: Any, looks: Any) -> str:
    if not scores or not looks:
        return ""
    head = "".join(f" {look} iterations |" for look in looks)
    rows = "\n".join(f"| {name} |" + "".join(f" {share:.2%} |" for share in row) for name, row in scores.items())
    return f"""
## Held-out puzzles solved in one pass

| list |{head}
|---|{"---|" * len(looks)}
{rows}

Held out are all puzzles whose solution grid, up to symmetry, falls in the tenth of grids that a hash sets apart, and
every puzzle of lists that were not trained on.
"""
