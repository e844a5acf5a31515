"""`SequenceDesigner`: a generative model of DNA or RNA sequences, and designs from it."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia.command import AbstractCommand
from intarsia.domain import AbstractDomain
from intarsia.progress import shown
from intarsia.report import Report
from intarsia.training import Budget, Settings, threads
from intarsia_domains.dna._alphabet import PAD, Bools, Codes
from intarsia_domains.dna._conditions import Conditions
from intarsia_domains.dna._constraints import AbstractConstraint
from intarsia_domains.dna._edit import Edits
from intarsia_domains.dna._editor import Editor
from intarsia_domains.dna._fitting import Augmentation, built, fit_denoiser, letter_law
from intarsia_domains.dna._generation import Reward, Wish, generate
from intarsia_domains.dna._guidance import TorchOracle
from intarsia_domains.dna._lengths import Lengths
from intarsia_domains.dna._likelihood import enumerated_log_prob
from intarsia_domains.dna._networks import AbstractNetwork, DilatedCNN
from intarsia_domains.dna._noises import Absorbing, AbstractNoise
from intarsia_domains.dna._raw import Rows, chosen_labels, rows_of
from intarsia_domains.dna._saving import load_designer, save_designer
from intarsia_domains.dna._scoring import both_strands, row_log_prob
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._slots import LENGTH, Slots, known_slots, new_slots

SETTINGS = Settings(batch_size=128, learning_rate=2e-3, max_epochs=1000)
"""Training, where nothing else is asked for."""
Floats = NDArray[np.float64]


class SequenceDesigner(AbstractDomain):
    """Learns the law of sequences of one or of several lengths: samples, designs, fills in, scores and edits them.

    Letters are noised (`noise`) and a network of beliefs (`network`) learns to undo that; lengths have a law of their
    own. Known letters, IUPAC codes and lengths are evidence in one form, so any of them can be given and the rest is
    drawn from the conditional law.

    Args:
        minutes: wall-clock budget of `fit`; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        noise: `Absorbing()`, `Multinomial()`, `Marginal()`, `Simplex()` or `AnalogBits()`.
        network: `DilatedCNN()` or `SequenceTransformer()`, with their `strands`.
        drop: share of training rows that are not told their conditions, for classifier-free guidance.
        sets: share of training rows that are told sets of letters at some sites, as IUPAC codes are.
        settings: of the training loop.
        threads: torch threads; None leaves torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of fitting.

    >>> designer = SequenceDesigner(steps=20, progress=False)
    >>> designer.fit(["ACGTA", "ACGTC", "ACGAA"] * 10).complete(["ACNNR"], seed=0).texts()[0][:2]
    'AC'
    """

    def __init__(
        self,
        *,
        minutes: float = 5.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        noise: AbstractNoise | None = None,
        network: AbstractNetwork | None = None,
        drop: float = 0.1,
        sets: float = 0.1,
        settings: Settings | None = None,
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.noise = noise
        self.network = network
        self.drop = drop
        self.sets = sets
        self.settings = settings
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(self, raw: Any, labels: Any = None, target: str | None = None) -> Self:
        """Learn sequences.

        Args:
            raw: texts, `Sequences`, or a file's sequences with labels (`read_labelled`).
            labels: conditions by name, a value each (a row of values for a signal along the sites); None or NaN where
                it is missing. Texts, bools and two numbers are classes, other numbers are scalars.
            target: take this label only.

        Raises:
            SequenceError: nothing to learn from, a label that does not fit, or letters that cannot be read.
        """
        for name in ("drop", "sets"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"`{name}` is a share between 0 and 1, got {getattr(self, name)}")
        budget = Budget.of(self.minutes, self.cpu_minutes, self.steps)
        rows = chosen_labels(rows_of(raw, labels), target, named=labels is not None)
        known = np.flatnonzero(rows.sequences.is_known())
        if len(known) < len(rows):
            warnings.warn(f"{len(rows) - len(known)} sequences have letters that are not known; left out", stacklevel=2)
        rows = rows.take(known) if len(known) else Rows(rows.sequences.known(), rows.labels)
        sequences = rows.sequences
        conditions = Conditions.fit(rows.labels, len(rows))
        if LENGTH in conditions.parts:
            raise SequenceError(f"a label cannot be called {LENGTH!r}, which the model has anyway; rename it")
        noise, network = self.noise or Absorbing(), self.network or DilatedCNN()
        law, length = letter_law(sequences), int(sequences.lengths.max())
        denoiser = built(noise, network, law, length, conditions.channels, self.seed).to(self.device)
        settings = self.settings or SETTINGS
        augmentation = Augmentation(drop=self.drop, sets=self.sets)
        with shown(self.progress, "fit") as watch, threads(self.threads):
            trained = fit_denoiser(
                denoiser, sequences, conditions, rows.labels, augmentation, budget, settings, self.seed, watch
            )
        self.alphabet_ = sequences.alphabet
        self.lengths_ = Lengths.fit(sequences.lengths)
        self.conditions_ = conditions
        self.noise_, self.network_, self.law_ = noise, network, law
        self.denoiser_ = denoiser
        self.n_sequences_ = len(sequences)
        self.training_: dict[str, Any] = {
            "steps": trained.steps,
            "best_step": trained.best_step,
            "held_out_nats": trained.history[-1][1] if trained.history else None,
            "interrupted": trained.interrupted,
            "seconds": trained.seconds,
        }
        trained.warn_if_interrupted()
        return self

    def sample(
        self, n: int, *, given: Mapping[str, Any] | None = None, guidance: float = 1.0, seed: int = 0
    ) -> Sequences:
        """Draw sequences.

        Args:
            n: how many.
            given: conditions by name, one value for all or `n` of them; those left out are not told. "length" fixes
                the number of letters.
            guidance: scale of the conditions (classifier-free); 1 takes them as they are, more exaggerates them.
            seed: the same seed and model give the same sequences.

        Raises:
            SequenceError: an unknown condition or value.
        """
        slots = new_slots(self._fitted("lengths_"), self.conditions_, n, given or {}, seed)
        return self._named(self._generate(slots, Wish(guidance=guidance), seed), "sample")

    def design(
        self,
        n: int,
        *,
        target: Mapping[str, Any] | None = None,
        constraints: Sequence[AbstractConstraint] = (),
        reward: Reward | None = None,
        oracle: TorchOracle | None = None,
        guidance: float = 1.0,
        strength: float = 1.0,
        particles: int = 8,
        steps: int = 32,
        seed: int = 0,
    ) -> Sequences:
        """Draw sequences that have what is asked for.

        Args:
            n: how many.
            target: conditions by name, as in `sample`.
            constraints: such as `Require("TATAAA")`, `Avoid("GAATTC")`, `GCWindow(0.4, 0.6)`; every sequence keeps all
                of them. Contradictions are said before anything is drawn.
            reward: any function of `Sequences` that gives log-weights in nats (or bools): the law is that of the
                model times exp(reward), approached by Feynman-Kac particles.
            oracle: a torch function of one-hot letters (rows, length, 4), differentiable, in nats; steps lean along
                its slope. Only for sequences of one length.
            guidance: scale of the conditions.
            strength: factor on the oracle.
            particles: a sequence each, of which one is drawn.
            steps: of the sampler under constraints or a reward.
            seed: of everything.

        Raises:
            SequenceError: contradictory constraints, an unknown condition, or a reward that is no number.
        """
        wish = Wish(
            guidance=guidance,
            oracle=oracle,
            strength=strength,
            constraints=tuple(constraints),
            reward=reward,
            particles=particles,
            steps=steps,
        )
        slots = new_slots(self._fitted("lengths_"), self.conditions_, n, target or {}, seed, wish.constraints)
        return self._named(self._generate(slots, wish, seed), "design")

    def complete(
        self, raw: Any, *, given: Mapping[str, Any] | None = None, guidance: float = 1.0, seed: int = 0
    ) -> Sequences:
        """Draw the letters that are not known, jointly given the others: any for N, one of its set for an IUPAC code.

        Args:
            raw: sequences; lengths stay.
            given: conditions by name; by default the labels of `raw` that the model knows.
            guidance: scale of the conditions.
            seed: of the draws.
        """
        lengths: Lengths = self._fitted("lengths_")
        rows = rows_of(raw, alphabet=self.alphabet_)
        slots = known_slots(lengths, self.conditions_, rows, given)
        codes = self._generate(slots, Wish(guidance=guidance), seed)[:, : rows.sequences.codes.shape[1]]
        return Sequences(rows.sequences.names, codes, rows.sequences.lengths, self.alphabet_)

    def score_samples(
        self,
        raw: Any,
        labels: Any = None,
        *,
        per_base: bool = False,
        strands: bool = False,
        orders: int = 4,
        seed: int = 0,
    ) -> Floats:
        """Log-likelihood in nats, a lower bound, (rows,); letters that are not known are summed over.

        Args:
            raw: sequences.
            labels: conditions by name, as in `fit`; by default those of `raw` that the model knows.
            per_base: divide by the number of letters.
            strands: of the mean of a sequence's probability and that of its reverse complement.
            orders: more give a steadier bound.
            seed: of the orders, or of times and noise.
        """
        lengths: Lengths = self._fitted("lengths_")
        rows = rows_of(raw, labels, self.alphabet_)
        slots = known_slots(lengths, self.conditions_, rows, None if labels is None else rows.labels)
        scores = lengths.log_prob(slots.lengths, rows.sequences.names)
        with threads(self.threads):
            letters = row_log_prob(self.denoiser_, slots, orders, seed)
            if strands:
                letters = both_strands(letters, row_log_prob(self.denoiser_, slots.turned(), orders, seed))
        scores = scores + letters
        return scores / rows.sequences.lengths if per_base else scores

    def enumerate(self, *, given: Mapping[str, Any] | None = None) -> Floats:
        """Exact log-probabilities of all sequences, nats, (4^length,), where they are short and noise is absorbing.

        They are those of sampling one letter a call. Sequences are in alphabetical order.

        Raises:
            SequenceError: sequences of several lengths or of more than 10 letters, or another noise.
        """
        lengths: Lengths = self._fitted("lengths_")
        if lengths.shortest != lengths.longest:
            raise SequenceError(f"all sequences of one length can be enumerated, and the model has {lengths.about()}")
        features = torch.from_numpy(self.conditions_.encode(given or {}, 1, lengths.longest)[0])
        with threads(self.threads):
            return enumerated_log_prob(self.denoiser_, lengths.longest, features).cpu().numpy()

    def edit(
        self,
        raw: Any,
        *,
        target: Mapping[str, Any] | None = None,
        score: Reward | None = None,
        goal: float | None = None,
        most: int = 5,
        keep: Bools | None = None,
        guidance: float = 1.0,
        rounds: int = 12,
        tries: int = 4,
        seed: int = 0,
    ) -> Sequences:
        """Change few letters of sequences toward a target.

        Sites that the target's law doubts are drawn again from the model; what raises the score is kept, and what was
        not needed is undone.

        Args:
            raw: sequences without unknown letters.
            target: conditions by name.
            score: what should rise; by default Σ log p(letter | the others, target) less the same without a target.
            goal: score at which a sequence is done; None for as high as it gets.
            most: letters that may differ, at most.
            keep: sites that may not change, (rows, length).
            guidance: scale of the target.
            rounds: of proposals.
            tries: proposals a sequence and round.
            seed: of everything.

        Raises:
            SequenceError: unknown letters, or neither a target nor a score.
        """
        self._fitted("denoiser_")
        if target is None and score is None:
            raise SequenceError("`edit` needs a target, or a score that should rise")
        rows = rows_of(raw, alphabet=self.alphabet_)
        edits = Edits(most=most, goal=goal, rounds=rounds, tries=tries)
        with threads(self.threads):
            codes = Editor(self, rows, target or {}, score, guidance).run(edits, keep, seed)
        width = rows.sequences.codes.shape[1]
        return Sequences(rows.sequences.names, codes[:, :width], rows.sequences.lengths, self.alphabet_)

    def evaluate(self, train: Any, holdout: Any, *, n: int | None = None, seed: int = 0, **options: Any) -> Report:
        """Compare fresh samples with held-out sequences, beside floors and baselines.

        Args:
            train: what the model was fitted on.
            holdout: sequences that it never saw.
            n: samples; as many as the holdout has by default.
            seed: of samples and subsamples.
            options: of `evaluate_sequences`: motifs, oracle, and baselines (a Markov model by default).
        """
        from intarsia_domains.dna._evaluation import evaluate_sequences
        from intarsia_domains.dna._markov import fit_markov

        self._fitted("denoiser_")
        real, held = (rows_of(raw, alphabet=self.alphabet_).sequences for raw in (train, holdout))
        count = len(held) if n is None else n
        if "baselines" not in options:
            options["baselines"] = {"Markov": fit_markov(real, seed=seed).sample(count, seed=seed)}
        return evaluate_sequences(real, held, self.sample(count, seed=seed), seed=seed, **options)

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`."""
        self._fitted("denoiser_")
        save_designer(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        return load_designer(cls, path)

    @classmethod
    def command(cls) -> AbstractCommand[Any]:
        from intarsia_domains.dna._command import SequenceCommand

        return SequenceCommand()

    def _generate(self, slots: Slots, wish: Wish, seed: int) -> Codes:
        if wish.oracle is not None and len(set(slots.lengths.tolist())) > 1:
            raise SequenceError("an oracle of letters needs sequences of one length; fix it by target={'length': …}")
        with threads(self.threads):
            return generate(self.denoiser_, slots, wish, self.alphabet_, seed)

    def _named(self, codes: Codes, name: str) -> Sequences:
        names = tuple(f"{name} {row + 1}" for row in range(len(codes)))
        return Sequences(names, codes, (codes != PAD).sum(1), self.alphabet_)
