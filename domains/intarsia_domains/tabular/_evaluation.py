"""How good are synthetic rows? Every answer beside what real rows and a trivial model score."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from intarsia._version import __version__
from intarsia.report import Report, Table
from intarsia_domains.tabular._evaluation_fidelity import HOLDOUT, MARGINALS, SYNTHETIC, Fidelity, fidelity
from intarsia_domains.tabular._evaluation_privacy import privacy
from intarsia_domains.tabular._evaluation_tables import Floats, Tables, encode_tables, independent_columns
from intarsia_domains.tabular._evaluation_utility import utility
from intarsia_domains.tabular._figures import associations_figure, importances_figure, marginals_figure

_LISTED = 15


def evaluate_tables(
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    kinds: Mapping[str, Literal["category", "number", "datetime"]],
    target: str | None,
    seed: int = 0,
) -> Report:
    """Score a synthetic table, and beside it two floors on the same tests.

    The floors are real rows that the model never saw (*real holdout*: no model can be expected to do better)
    and each column of the training table resampled on its own (*product of marginals*: what a model without
    any dependence scores). What takes quadratic time runs on random subsamples; the notes of the metrics say
    of what size. Everything follows from `seed`.

    Args:
        train: the rows that the synthesizer was fitted on.
        holdout: rows of the same law that it never saw.
        synthetic: generated rows, best as many as `train` has.
        kinds: the kind of every column, in the order of the report.
        target: column to predict in train-on-synthetic, test-on-real, or None to leave that out. A category
            is classified, a number or datetime regressed.
        seed: of subsamples, folds and trees.

    Returns:
        A report with metrics, tables and figures; percentages throughout, but for scores in [0, 1] and R².

    Raises:
        ValueError: columns that are missing, extra or repeated, fewer than ten rows in a table, a target that
            is no column, or values that do not fit their column's kind.
        MissingExtraError: XGBoost or scikit-learn is not installed.
    """
    if target is not None and target not in kinds:
        raise ValueError(f"the target {target!r} is not a column. Choose one of {list(kinds)}, or None.")
    tables = encode_tables(train, holdout, synthetic, kinds)
    rng = np.random.default_rng(seed)
    rows = len(tables.synthetic)
    systems = {
        SYNTHETIC: tables.synthetic,
        HOLDOUT: tables.holdout[rng.permutation(len(tables.holdout))[:rows]],  # a floor for this row count
        MARGINALS: independent_columns(tables.train, rows, rng),
    }
    looks, secrets = fidelity(tables, systems, seed), privacy(tables, systems, seed)
    use = [] if target is None else [utility(tables, systems, str(target), seed)]
    test = looks.against_train
    return Report(
        title="Synthetic table report",
        metrics=[*looks.metrics[:3], *use, *secrets.metrics, *looks.metrics[3:]],
        tables=[
            _columns_table(tables, looks),
            *([_pairs_table(tables, looks)] if len(tables.names) > 1 else []),
            _importances_table(tables, looks),
            secrets.distances,
        ],
        figures=[
            marginals_figure(tables, looks.shapes[SYNTHETIC]),
            *([associations_figure(tables)] if len(tables.names) > 1 else []),
            importances_figure(tables, test.importances, test.auc),
        ],
        notes=[secrets.note, *_notes(tables)],
        provenance=_provenance(tables, target, seed),
    )


def _columns_table(tables: Tables, looks: Fidelity) -> Table:
    errors = looks.shapes[SYNTHETIC]
    order = np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable")[:_LISTED]
    return Table(
        title="Columns with the largest shape error",
        columns=["Column", "Kind", "Error, %", "Real holdout, %", "Product of marginals, %"],
        rows=[[tables.names[j], tables.kinds[j], *_errors(looks.shapes, j)] for j in order],
    )


def _pairs_table(tables: Tables, looks: Fidelity) -> Table:
    errors = looks.trends[SYNTHETIC]
    ranked = np.nan_to_num(errors, nan=-1.0)
    pairs = sorted(combinations(range(len(tables.names)), 2), key=lambda pair: -ranked[pair])
    return Table(
        title="Pairs with the largest trend error",
        columns=["Column", "Column", "Error, %", "Real holdout, %", "Product of marginals, %"],
        rows=[[tables.names[p[0]], tables.names[p[1]], *_errors(looks.trends, p)] for p in pairs[:_LISTED]],
    )


def _importances_table(tables: Tables, looks: Fidelity) -> Table:
    shares = looks.against_train.importances
    order = np.argsort(-shares, kind="stable")[:_LISTED]
    return Table(
        title="Columns by their part in the C2ST",
        columns=["Column", "Share of gain, %", "Shape error, %"],
        rows=[[tables.names[j], 100 * float(shares[j]), float(looks.shapes[SYNTHETIC][j])] for j in order],
        note="A column that matters here without a shape error of its own fails in how it depends on others.",
    )


def _errors(errors: Mapping[str, Floats], place: int | tuple[int, int]) -> list[float]:
    return [float(errors[name][place]) for name in (SYNTHETIC, HOLDOUT, MARGINALS)]


def _notes(tables: Tables) -> list[str]:
    notes = [
        "Floors: the real holdout is what real data scores against real data at this row count; the product "
        "of marginals draws every column on its own."
    ]
    if len(tables.holdout) < len(tables.synthetic):
        notes.append(
            f"The holdout has {len(tables.holdout):,} rows and the synthetic table {len(tables.synthetic):,}, "
            "so the holdout's errors are noisier than those of an equally large real sample would be."
        )
    for name, labels, column in zip(tables.names, tables.labels, tables.synthetic.T, strict=True):
        known = np.unique(np.concatenate([tables.train, tables.holdout])[:, tables.names.index(name)])
        unseen = np.setdiff1d(column[~np.isnan(column)], known) if labels else np.empty(0)
        if unseen.size:
            example = labels[int(unseen[0])]
            notes.append(f"Column {name} has {unseen.size} categories that no real row has, such as {example!r}.")
    return notes


def _provenance(tables: Tables, target: str | None, seed: int) -> dict[str, str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(tables.kinds).items())
    return {
        "Training rows": f"{len(tables.train):,}",
        "Holdout rows": f"{len(tables.holdout):,}",
        "Synthetic rows": f"{len(tables.synthetic):,}",
        "Columns": f"{len(tables.names)} ({kinds})",
        "Target": "none" if target is None else str(target),
        "Seed": str(seed),
        "intarsia": __version__,
    }
