"""Floor: real rows, namely the holdout, in the place of synthetic ones."""

import _job
import pandas as pd


def sample(job: _job.Job, path: str) -> pd.DataFrame:
    return pd.read_parquet(path)


if __name__ == "__main__":
    _job.run(lambda job: _job.Fitted(job.holdout_path), sample)
