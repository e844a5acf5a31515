"""What the three SDV runners share: SDV 2.0's dictionaries of tables, metadata, and a budget for the epochs."""

from __future__ import annotations

import importlib
from typing import Any

import _job
import pandas as pd

TABLE = "table"
PACKAGES = ("sdv", "ctgan", "copulas", "rdt", "torch")
MODULES = ("torch", "sdv.single_table", "sdv.metadata")


def metadata(job: _job.Job) -> Any:
    """Metadata with every column's type as this benchmark knows it.

    SDV's own detection goes by the names of columns too (`latitude` and `longitude` would be made up, not learned).
    """
    from sdv.metadata import Metadata

    found = Metadata.detect_from_dataframes({TABLE: job.train}, infer_sdtypes=False, infer_keys=None)
    for column, kind in job.kinds.items():
        found.update_column(column, TABLE, sdtype="categorical" if kind == "category" else "numerical")
    return found


class Epochs:
    """Stands for the progress bar around the loop over epochs, which it ends once the CPU budget is spent.

    Neither CTGAN nor TVAE has a learning rate schedule, so a loop that ends early is a fit with fewer epochs. An epoch
    is begun only where the slowest one so far would still end in time.
    """

    def __init__(self, job: _job.Job):
        """Keep what is needed to know how much is left."""
        self.job, self.done, self.slowest, self.planned = job, 0, 0.0, 0

    def __call__(self, epochs, **ignored):
        """Be called as `tqdm(range(epochs), disable=...)`."""
        self.planned = len(epochs)
        return self._loop(epochs)

    def _loop(self, epochs):
        for epoch in epochs:
            begin = _job.cpu_seconds()
            yield epoch
            self.done += 1
            self.slowest = max(self.slowest, _job.cpu_seconds() - begin)
            if self.job.left_cpu_s < self.slowest:
                return


def fit(job: _job.Job, name: str, module: str | None) -> _job.Fitted:
    """Fit SDV's synthesizer `name`; `module` is where its loop over epochs takes `tqdm` from, if it has one."""
    import numpy as np
    import torch
    from sdv import single_table

    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    np.random.seed(job.seed)  # noqa: NPY002 (SDV draws from the global generator)
    settings = {} if module is None else {"enable_gpu": False}
    synth = getattr(single_table, name)(metadata(job), **settings)
    if module is None:
        synth.fit({TABLE: job.train})
        return _job.Fitted(synth, "defaults, whole fit", 1.0)
    epochs = Epochs(job)
    importlib.import_module(module).tqdm = epochs
    synth.fit({TABLE: job.train})
    if not epochs.done:
        raise RuntimeError(f"{module} no longer loops over tqdm(range(epochs)); its budget cannot be held")
    return _job.Fitted(synth, f"{epochs.done} of {epochs.planned} default epochs", epochs.done / epochs.planned)


def sample(job: _job.Job, synth: Any) -> pd.DataFrame:
    """Draw rows; SDV gives a dictionary of tables."""
    return synth.sample(job.rows)[TABLE]
