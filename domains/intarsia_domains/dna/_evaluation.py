"""How good are generated sequences? Every answer beside what real ones, shuffled ones and other models score."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from intarsia._version import __version__
from intarsia.report import Metric, Report, Table
from intarsia_domains.dna._evaluation_parts import HOLDOUT, MADE, PAIRS, SINGLES, Parts, floored
from intarsia_domains.dna._figures import activity_figure, k_mer_figure, motif_figure
from intarsia_domains.dna._k_mers import js_distance, js_floor, k_mer_counts, spectrum_correlation, strand_asymmetry
from intarsia_domains.dna._metrics import discriminator_auc, frechet_distance, ks_distance, place_error
from intarsia_domains.dna._motif_hits import Hits, find_motifs
from intarsia_domains.dna._motifs import Motif
from intarsia_domains.dna._nearest import nearest_edit, pairwise_edit
from intarsia_domains.dna._oracle import Oracle
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._shuffle import pair_shuffled, shuffled

if TYPE_CHECKING:
    from intarsia_domains.dna._network_oracle import NetworkOracle

_WORDS, _NEAR, _LISTED = (3, 4, 5, 6), 0.1, 20


def evaluate_sequences(
    train: Sequences,
    holdout: Sequences,
    generated: Sequences,
    *,
    baselines: Mapping[str, Sequences] | None = None,
    motifs: Sequence[Motif] = (),
    oracle: "Oracle | NetworkOracle | None" = None,
    seed: int = 0,
) -> Report:
    """Score generated sequences, and on the same tests real ones, shuffled ones and the samples of other models.

    The reference of every distance is one random half of the holdout and the first floor is the other half, so that
    *real holdout* is real data against real data at the same n; all other sets are cut to that n too, as k-mer
    distances fall with n. Near-copies are counted against the training sequences.

    Args:
        train: what the generator was trained on.
        holdout: sequences of the same law that it never saw, at least 20.
        generated: its sequences.
        baselines: samples of other models by name, an autoregressive and a Markov model for instance.
        motifs: to scan for by FIMO; without any that part is left out.
        oracle: trained on sequences that the generator never saw; without one that part is left out.
        seed: of halves, subsamples and shuffles.

    Raises:
        SequenceError: too few sequences, or a baseline called as one of ours.
        MissingExtraError: rapidfuzz, scikit-learn or, for motifs, memelite is not installed.
    """
    parts = _parts(train.known(), holdout.known(), generated.known(), baselines or {}, seed)
    metrics = [
        *_spectra(parts),
        *_looks(parts, seed),
        *_novelty(parts, train.known(), seed),
    ]
    tables, figures = [_systems_table(parts)], [k_mer_figure(parts.reference, parts.systems[MADE])]
    if motifs:
        hits = {name: find_motifs(part, motifs) for name, part in parts.every().items()}
        metrics += _motif_metrics(hits)
        tables.append(_motifs_table(hits))
        figures.append(motif_figure(hits["reference"], hits[MADE]))
    if oracle is not None:
        metrics += _oracle_metrics(parts, oracle)
        figures.append(activity_figure({name: oracle(part) for name, part in parts.every().items()}))
    return Report(
        title="Sequence report",
        metrics=metrics,
        tables=tables,
        figures=figures,
        notes=_notes(parts, oracle),
        provenance={
            "Training sequences": f"{len(train):,}",
            "Holdout sequences": f"{len(holdout):,}",
            "Generated sequences": f"{len(generated):,}",
            "Sequences in each comparison": f"{parts.n:,}",
            "Reference": "one half of the holdout",
            "Seed": str(seed),
            "intarsia": __version__,
        },
    )


def _parts(
    train: Sequences, holdout: Sequences, made: Sequences, baselines: Mapping[str, Sequences], seed: int
) -> Parts:
    n = min(len(holdout) // 2, len(made), *(len(part.known()) for part in baselines.values()))
    if n < 10:
        raise SequenceError(
            f"a comparison needs at least 20 holdout and 10 generated sequences, got {len(holdout)} and {len(made)}"
        )
    own = {MADE, HOLDOUT, PAIRS, SINGLES, "reference"} & set(baselines)
    if own:
        raise SequenceError(f"a baseline cannot be called {own.pop()!r}, which the report uses itself")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(holdout))
    some = train[rng.permutation(len(train))[:n]]

    def cut(part: Sequences) -> Sequences:
        return part[np.sort(rng.permutation(len(part))[:n])]

    systems = {MADE: cut(made), HOLDOUT: holdout[order[n : 2 * n]]}
    systems |= {name: cut(part.known()) for name, part in baselines.items()}
    systems |= {PAIRS: pair_shuffled(some, seed), SINGLES: shuffled(some, seed)}
    return Parts(n, holdout[order[:n]], systems)


def _spectra(parts: Parts) -> list[Metric]:
    metrics = list[Metric]()
    for k in _WORDS:
        real = k_mer_counts(parts.reference, k)
        counts = {name: k_mer_counts(part, k) for name, part in parts.systems.items()}
        sizes = float(real.sum()), float(counts[HOLDOUT].sum())
        floor = js_floor(k, *sizes) if min(sizes) > 0 else float("nan")
        metrics.append(
            floored(
                f"{k}-mer distance",
                {name: js_distance(real, own) for name, own in counts.items()},
                "Jensen-Shannon distance (root, base 2) of the spectra. From sampling alone about "
                f"{floor:.3f} is expected at this n.",
                headline=k in (3, 6),
            )
        )
        if k in (3, 6):
            values = {name: spectrum_correlation(real, own) for name, own in counts.items()}
            metrics.append(floored(f"{k}-mer correlation", values, "Pearson correlation of the spectra.", higher=True))
    return metrics


def _looks(parts: Parts, seed: int) -> list[Metric]:
    def against(distance: Callable[[Sequences, Sequences], float]) -> dict[str, float]:
        return {name: distance(parts.reference, part) for name, part in parts.systems.items()}

    spectrum = k_mer_counts(parts.reference, 3)
    skew = {name: strand_asymmetry(k_mer_counts(part, 3)) for name, part in parts.systems.items()}
    real = strand_asymmetry(spectrum)
    auc = against(lambda a, b: discriminator_auc(a, b, seed))
    return [
        floored("GC distance", against(lambda a, b: ks_distance(a.gc(), b.gc())), "Kolmogorov-Smirnov, of GC shares."),
        floored(
            "Place error",
            against(place_error),
            "Mean over places of the total variation between the bases there; for sequences that are aligned.",
        ),
        floored(
            "Discriminator AUC",
            {name: max(0.5, value) for name, value in auc.items()},
            "Logistic regression on 4-mers and places tells the set from the reference, held-out folds; ½ is chance.",
            tolerance=2 * float(np.sqrt((2 * parts.n + 1) / 12) / parts.n),
            headline=True,
        ),
        Metric(
            name="Strand asymmetry",
            value=skew[MADE],
            floors={name: value for name, value in skew.items() if name != MADE},
            better="target",
            target=real,
            tolerance=max(0.15 * real, abs(skew[HOLDOUT] - real)),
            note="Jensen-Shannon distance of the 3-mer spectrum to that of the other strands; the target is what the "
            "reference has.",
        ),
    ]


def _novelty(parts: Parts, train: Sequences, seed: int) -> list[Metric]:
    shares = dict[str, float]()
    for name, part in parts.systems.items():
        shares[name] = float((nearest_edit(part, train) <= _NEAR * part.lengths).mean())
    distinct = {name: len(set(part.texts())) / len(part) for name, part in parts.systems.items()}
    spread = {name: pairwise_edit(part, seed=seed) for name, part in parts.systems.items()}
    error = 2 * float(np.sqrt(max(shares[HOLDOUT] * (1 - shares[HOLDOUT]), 1 / parts.n) * 2 / parts.n))
    return [
        floored(
            "Near-copies",
            {name: 100 * value for name, value in shares.items()},
            f"Share of sequences within {100 * _NEAR:.0f} % of their length, in edits, of one of {len(train):,} "
            "training sequences. What the holdout has is no copying.",
            unit="%",
            tolerance=100 * error,
            headline=True,
        ),
        floored(
            "Distinct",
            {name: 100 * value for name, value in distinct.items()},
            "Share of different sequences.",
            higher=True,
            unit="%",
            tolerance=200 / float(np.sqrt(parts.n)),
        ),
        floored(
            "Diversity",
            spread,
            "Mean edit distance of random pairs by their length.",
            higher=True,
            tolerance=0.05 * spread[HOLDOUT],
        ),
    ]


def _motif_metrics(hits: Mapping[str, Hits]) -> list[Metric]:
    real = hits["reference"]
    systems = {name: own for name, own in hits.items() if name != "reference"}
    upper = np.triu_indices(len(real.motifs), 1)

    def alike(values: Callable[[Hits], np.ndarray]) -> dict[str, float]:
        return {name: _correlation(values(real), values(own)) for name, own in systems.items()}

    metrics = [
        floored(
            "Motif correlation",
            alike(lambda own: own.counts().sum(0)),
            f"Pearson correlation over {len(real.motifs):,} motifs of their hits (FIMO, p < 1e-4).",
            higher=True,
            tolerance=0.02,
            headline=True,
        )
    ]
    if len(upper[0]) > 1:
        note = "Pearson correlation over pairs of motifs of the share of sequences that have both."
        pairs = alike(lambda own: own.together()[upper])
        metrics.append(floored("Motif co-occurrence", pairs, note, higher=True, tolerance=0.02))
    return metrics


def _oracle_metrics(parts: Parts, oracle: "Oracle | NetworkOracle") -> list[Metric]:
    real, seen = oracle(parts.reference), oracle.features(parts.reference)
    held = oracle.calibration
    note = f"Held-out score of the oracle {held.score:.3f} on {held.n:,} rows, slope {held.slope:.2f}."
    return [
        floored(
            "Activity distance",
            {name: ks_distance(real, oracle(part)) for name, part in parts.systems.items()},
            f"Kolmogorov-Smirnov distance of predicted activities. {note}",
            tolerance=1 / float(np.sqrt(parts.n)),
        ),
        floored(
            "Fréchet distance",
            {name: frechet_distance(seen, oracle.features(part)) for name, part in parts.systems.items()},
            f"Squared, on {seen.shape[1]} features of what the oracle sees, against the reference half.",
        ),
    ]


def _systems_table(parts: Parts) -> Table:
    rows = [
        [
            name,
            len(part),
            int(part.lengths.min()),
            int(part.lengths.max()),
            100 * float(np.nanmean(part.gc())),
            100 * len(set(part.texts())) / len(part),
        ]
        for name, part in parts.every().items()
    ]
    return Table(
        title="What was compared",
        columns=["Set", "Sequences", "Shortest", "Longest", "GC, %", "Distinct, %"],
        rows=rows,
    )


def _motifs_table(hits: Mapping[str, Hits]) -> Table:
    real, made = hits["reference"], hits[MADE]
    gap = np.abs(made.shares() - real.shares())
    order = np.argsort(-gap, kind="stable")[:_LISTED]
    return Table(
        title="Motifs that differ most",
        columns=["Motif", "Name", "Generated, %", "Reference, %", f"{HOLDOUT}, %"],
        rows=[
            [
                real.motifs[k].name,
                real.motifs[k].title,
                *(100 * float(h.shares()[k]) for h in (made, real, hits[HOLDOUT])),
            ]
            for k in order
        ],
        note="Share of sequences with at least one hit.",
    )


def _notes(parts: Parts, oracle: "Oracle | NetworkOracle | None") -> list[str]:
    notes = [
        f"All distances are to {parts.n:,} holdout sequences, from {parts.n:,} of each set; {HOLDOUT} is the other "
        f"half of the holdout, so it is the noise floor. {PAIRS.capitalize()} and {SINGLES} are training sequences."
    ]
    if oracle is not None:
        notes.append("The oracle must have been trained on sequences that the generator never saw, nor was steered by.")
    return notes


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    x, y = (np.asarray(v, dtype=np.float64) - np.mean(v) for v in (a, b))
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else float("nan")
