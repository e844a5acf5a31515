"""Floor: the product of marginals, every column drawn with replacement on its own."""

import _job
import numpy as np
import pandas as pd


def sample(job: _job.Job, train: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(job.seed)
    return pd.DataFrame({c: train[c].to_numpy()[rng.integers(0, len(train), job.rows)] for c in train.columns})


if __name__ == "__main__":
    _job.run(lambda job: _job.Fitted(job.train), sample)
