"""A small autoregressive network: the baseline that reads from left to right."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from intarsia.training import Budget, Settings, Trained, own_generator, threads, train
from intarsia_domains.dna._alphabet import BASES, PAD, Alphabet
from intarsia_domains.dna._conditions import Conditions
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences

_SHARD = 2048
_START, _END = BASES + 1, BASES


class GRUNetwork(nn.Module):
    """Logits of the next letter, or of the end, from the letters before it, the site and the conditions.

    Args:
        length: letters at most.
        channels: of the conditions.
        width: of the state.
        layers: how many.
    """

    def __init__(self, length: int, channels: int, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.letters = nn.Embedding(BASES + 2, width)
        self.places = nn.Parameter(0.02 * torch.randn(length + 1, width))
        self.told = nn.Linear(channels, width) if channels else None
        self.steps = nn.GRU(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, BASES + 1)

    def forward(self, before: Tensor, told: Tensor, first: int = 0, state: Tensor | None = None) -> tuple[Any, Any]:
        """Logits (batch, sites, 5) at sites from `first` on, and the state behind them.

        Args:
            before: codes in front of each site, 5 at the first, (batch, sites).
            told: conditions, (batch, sites, channels).
            first: number of the first site.
            state: behind the sites before it.
        """
        h = self.letters(before) + self.places[first : first + before.shape[1]]
        h = h if self.told is None else h + self.told(told)
        out, state = self.steps(h, state)
        return self.head(out), state


@dataclass(frozen=True, eq=False)
class AutoregressiveModel:
    """p(letters and the end) = Π p(next | those before); its likelihood is exact.

    `fit_autoregressive` makes it. A length that was never seen can be drawn; at the longest one a sequence ends.

    Args:
        network: the trained network.
        length: letters at most.
        fixed: whether all sequences have that length, so that the end is known.
        conditions: what it is told.
        alphabet: of samples.
        training: how it went.
    """

    network: GRUNetwork
    length: int
    fixed: bool
    conditions: Conditions
    alphabet: Alphabet
    training: Trained

    def score_samples(self, sequences: Sequences, labels: dict[str, Any] | None = None) -> NDArray[np.float64]:
        """Log-likelihood, nats a sequence, (rows,).

        Raises:
            SequenceError: letters that are not known, or sequences that are too long.
        """
        wrong = sequences.lengths != self.length if self.fixed else sequences.lengths > self.length
        refused = np.flatnonzero(~sequences.is_known() | wrong)
        if refused.size:
            raise SequenceError(
                f"{sequences.names[int(refused[0])]!r} has letters other than A, C, G, T, or not the model's "
                f"{self.length} letters"
            )
        codes, told = _prepared(sequences, self.conditions, labels or {}, self.length)
        parts = list[Tensor]()
        with torch.no_grad():
            for start in range(0, len(codes), _SHARD):
                part = slice(start, start + _SHARD)
                parts.append(-_nats(self.network, codes[part], told[part], self.fixed))
        return torch.cat(parts).double().numpy()

    def sample(self, n: int, *, given: dict[str, Any] | None = None, seed: int = 0) -> Sequences:
        """Draw sequences, under conditions by name."""
        told = torch.from_numpy(self.conditions.encode(given or {}, n, self.length))
        parts = list[Tensor]()
        for number, start in enumerate(range(0, n, _SHARD)):
            rng = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
            parts.append(self._drawn(told[start : start + _SHARD], rng))
        codes = torch.cat(parts).numpy().astype(np.uint8) if parts else np.zeros((0, self.length), np.uint8)
        lengths = (codes != PAD).sum(1)
        return Sequences(tuple(f"autoregressive {k + 1}" for k in range(n)), codes, lengths, self.alphabet)

    def _drawn(self, told: Tensor, rng: torch.Generator) -> Tensor:
        rows = len(told)
        codes = torch.full((rows, self.length), PAD)
        before, state, over = torch.full((rows, 1), _START), None, torch.zeros(rows, dtype=torch.bool)
        with torch.no_grad():
            for site in range(self.length):
                logits, state = self.network(before, told[:, site : site + 1], site, state)
                law = logits[:, 0].double()
                if self.fixed or site == 0:
                    law[:, _END] = -torch.inf
                drawn = torch.multinomial(law.softmax(-1), 1, generator=rng)[:, 0]
                over |= drawn == _END
                codes[:, site] = torch.where(over, PAD, drawn)
                before = drawn[:, None]
        return codes


def fit_autoregressive(
    sequences: Sequences,
    labels: dict[str, Any] | None = None,
    *,
    budget: Budget,
    width: int = 128,
    layers: int = 2,
    drop: float = 0.1,
    settings: Settings = Settings(batch_size=128, learning_rate=2e-3),
    torch_threads: int | None = None,
    seed: int = 0,
) -> AutoregressiveModel:
    """Train a small GRU; a tenth of the rows see when to stop.

    Args:
        sequences: rows with other letters than A, C, G, T are left out.
        labels: conditions by name, for each row.
        budget: of training.
        width: of the state.
        layers: how many.
        drop: share of rows that train without their conditions.
        settings: of the loop.
        torch_threads: None leaves torch's own number.
        seed: of everything.
    """
    keep = np.flatnonzero(sequences.is_known())
    known, chosen = sequences[keep], {name: np.asarray(values)[keep] for name, values in (labels or {}).items()}
    conditions = Conditions.fit(chosen, len(known))
    length = int(known.lengths.max())
    fixed = bool((known.lengths == length).all())
    codes, told = _prepared(known, conditions, chosen, length)
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed))
    out = order[: min(len(codes) // 10, 2000)]
    rest = order[len(out) :]
    out = out if len(out) else rest
    with own_generator():
        torch.manual_seed(seed)
        network = GRUNetwork(length, conditions.channels, width, layers)

    def loss(model: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        own = told[rest[rows]]
        kept = torch.rand((len(rows), 1, 1), generator=rng) >= drop
        return _nats(model, codes[rest[rows]], own * kept, fixed)

    def held_out(model: nn.Module) -> float:
        return float(_nats(model, codes[out], told[out], fixed).mean())

    with threads(torch_threads):
        training = train(network, loss, len(rest), held_out, budget, settings, seed=seed)
    return AutoregressiveModel(network, length, fixed, conditions, known.alphabet, training)


def _prepared(sequences: Sequences, conditions: Conditions, labels: dict[str, Any], length: int) -> tuple[Any, Any]:
    """Codes (rows, length) padded with 4, and conditions (rows, length, channels)."""
    codes = np.full((len(sequences), length), PAD, dtype=np.int64)
    codes[:, : sequences.codes.shape[1]] = sequences.codes[:, :length]
    return torch.from_numpy(codes), torch.from_numpy(conditions.encode(labels, len(sequences), length))


def _nats(network: Any, codes: Tensor, told: Tensor, fixed: bool) -> Tensor:
    """-log p of rows, (rows,); the end is one more letter where lengths differ."""
    before = torch.cat([torch.full((len(codes), 1), _START), codes[:, :-1]], 1)
    logits = network(before, told)[0].float()
    inside = codes != PAD
    if fixed:
        logits = logits[..., :BASES]
        return nn.functional.cross_entropy(logits.transpose(1, 2), codes, reduction="none").sum(1)
    first = torch.zeros_like(logits)
    first[:, 0, _END] = -torch.inf
    logp = (logits + first).log_softmax(-1)
    own = logp.gather(-1, codes[..., None])[..., 0]
    end = (~inside).long().cumsum(1) == 1
    return -torch.where(inside | end, own, 0.0).sum(1)
