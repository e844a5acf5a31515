"""MOSTLY AI's engine with its defaults (size M, value protection on), early stopping and learning rates its own.

The engine's `max_training_time` counts wall time, which means little on a machine with other work; its progress
callback may ask it to stop, and that is used to hold the budget in CPU seconds.
"""

from pathlib import Path

import _job
import pandas as pd

MAX_EPOCHS = 100  # the engine's default


class Watch:
    """Progress callback: remembers the epoch and asks for a stop when the CPU budget is spent."""

    def __init__(self, job: _job.Job):
        self.job, self.epoch, self.spent = job, 0.0, False

    def __call__(self, message=None, **ignored) -> dict | None:
        if isinstance(message, dict):
            self.epoch = float(message.get("epoch") or self.epoch)
        if self.job.left_cpu_s <= 0:
            self.spent = True
            return {"stopExecution": True}
        return None


def fit(job: _job.Job) -> _job.Fitted:
    import torch
    from mostlyai import engine

    torch.set_num_threads(job.threads)
    engine.set_random_state(job.seed)
    work = job.work / "workspace"
    categories = {c: "TABULAR_CATEGORICAL" for c, kind in job.kinds.items() if kind == "category"}
    engine.split(tgt_data=job.train, tgt_encoding_types=categories, model_type="TABULAR", workspace_dir=work)
    engine.analyze(workspace_dir=work)
    engine.encode(workspace_dir=work)
    watch = Watch(job)
    engine.train(workspace_dir=work, device="cpu", max_epochs=MAX_EPOCHS, update_progress=watch)
    end = "stopped by the budget" if watch.spent else "ended by its own early stopping"
    share = min(1.0, watch.epoch / MAX_EPOCHS) if watch.spent else 1.0
    return _job.Fitted(work, f"{watch.epoch:.1f} of at most {MAX_EPOCHS} epochs, {end}", share)


def sample(job: _job.Job, work: Path) -> pd.DataFrame:
    from mostlyai import engine

    engine.generate(sample_size=job.rows, device="cpu", workspace_dir=work)
    return pd.read_parquet(work / "SyntheticData")


if __name__ == "__main__":
    _job.run(fit, sample, ("mostlyai-engine", "torch"), ("torch", "mostlyai.engine"))
