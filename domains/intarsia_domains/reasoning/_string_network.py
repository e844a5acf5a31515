"""A transformer that reads a question and predicts the characters of its answer."""

from typing import Any

import torch
from torch import Tensor, nn

from intarsia.denoisers import Transformer
from intarsia.training import own_generator

from ._strings import SYMBOLS, AbstractStrings


class QuestionTransformer(nn.Module):
    """Class logits of every character of an answer, (batch, answer sites, classes).

    The question stands before the answer and is never masked, so that it is a condition and not a part of the state.
    It does not read the time, as the posterior under absorbing noise does not depend on it.
    """

    time_free = True

    def __init__(self, question_sites: int, answer_sites: int, *, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.question_sites = question_sites
        sites = question_sites + answer_sites
        self.inner = Transformer(len(SYMBOLS), sites=sites, width=width, depth=depth, heads=heads, time_free=True)

    def forward(self, xt: Tensor, t: Any, cond: Tensor) -> Tensor:
        """Logits for answers xt (batch, answer sites) to questions `cond` (batch or 1, question sites)."""
        whole = torch.cat([cond.expand(len(xt), -1), xt], 1)
        return self.inner(whole, t)[:, self.question_sites :]


def build_string_network(strings: AbstractStrings, shape: dict[str, Any], seed: int = 0) -> QuestionTransformer:
    """A network with random weights; torch's generator is left as it was."""
    with own_generator():
        torch.manual_seed(seed)
        return QuestionTransformer(strings.question_sites, strings.answer_sites, **shape)
