"""D3 in its own environment: fit, sample and score with the package's data module, loss, averages and sampler.

Called with the path of a job in JSON; needs the standard library, numpy and what `d3-dna` brings.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

WIDTH, STEPS, DRAWS = 64, 64, 16
"""Channels, as ours have; steps of the sampler, where its examples of this length take 20; draws of the bound."""


def config(job: dict[str, Any]) -> Any:
    """The published settings, but for the width, and a warm-up and a learning rate that fit a short run."""
    from omegaconf import OmegaConf

    return OmegaConf.create(
        {
            "ngpus": 1,
            "tokens": 4,
            "graph": {"type": "uniform"},
            "noise": {"type": "geometric", "sigma_min": 1e-4, "sigma_max": 20},
            "model": {"architecture": "convolutional", "conv_channels": WIDTH, "cond_dim": WIDTH},
            "dataset": {"num_classes": 4, "sequence_length": job["length"], "signal_dim": 1},
            "training": {
                "batch_size": job["batch"],
                "accum": 1,
                "ema": 0.9999,
                "num_workers": 0,
                "precision": "32-true",
            },
            "eval": {"batch_size": job["batch"]},
            "optim": {
                "optimizer": "AdamW",
                "lr": 1e-3,
                "beta1": 0.9,
                "beta2": 0.999,
                "eps": 1e-8,
                "weight_decay": 0.0,
                "warmup": 100,
                "grad_clip": 1.0,
            },
            "sampling": {"predictor": "euler", "steps": STEPS, "noise_removal": True},
        }
    )


def fit(job: dict[str, Any]) -> dict[str, Any]:
    """Train until the budget is over; the averaged weights go beside the job."""
    import pytorch_lightning as lightning
    from d3_dna import D3DataModule, D3LightningModule

    data = np.load(job["data"])
    labels = torch.from_numpy(data["labels"].astype(np.float32))[:, None]
    rows = torch.utils.data.TensorDataset(torch.from_numpy(data["codes"].astype(np.int64)), labels)
    settings, start = config(job), time.process_time()

    class Stop(lightning.Callback):
        def on_train_batch_end(self, trainer: Any, *rest: Any) -> None:
            trainer.should_stop |= time.process_time() - start >= job["budget_cpu_s"]

    module = D3LightningModule(settings)
    trainer = lightning.Trainer(
        max_epochs=-1,
        accelerator="cpu",
        devices=1,
        callbacks=[Stop()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, D3DataModule(settings, rows, rows))
    torch.save({"state_dict": module.state_dict()}, job["model"])
    count = sum(p.numel() for p in module.score_model.parameters())
    return {"steps": trainer.global_step, "cpu_s": time.process_time() - start, "parameters": count}


def loaded(job: dict[str, Any]) -> Any:
    """The package's sampler with the saved weights."""
    from d3_dna import D3Sampler
    from d3_dna.models import ConvolutionalModel

    settings = config(job)
    sampler = D3Sampler(settings)
    sampler.load(job["model"], ConvolutionalModel(settings), device="cpu")
    return sampler


def sample(job: dict[str, Any]) -> dict[str, Any]:
    """Draw a sequence for each label."""
    labels = torch.from_numpy(np.load(job["data"])["labels"].astype(np.float32))[:, None]
    codes = loaded(job).generate_batched(len(labels), labels=labels, batch_size=256, steps=STEPS)
    np.savez(job["out"], codes=codes.numpy().astype(np.uint8))
    return {"steps": STEPS}


def score(job: dict[str, Any]) -> dict[str, Any]:
    """Minus the package's own loss, a bound of the log-likelihood, at spread times.

    What is left at both ends, some thousandths of a nat, is left out in its favour.
    """
    from d3_dna.modules.trainer import get_loss_fn

    data = np.load(job["data"])
    codes = torch.from_numpy(data["codes"].astype(np.int64))
    labels = torch.from_numpy(data["labels"].astype(np.float32))[:, None]
    sampler, low = loaded(job), 1e-5
    loss = get_loss_fn(sampler._noise, sampler._graph, train=False, sampling_eps=low, dtype=torch.float32)
    total = torch.zeros(len(codes), dtype=torch.float64)
    with torch.no_grad():
        for draw in range(DRAWS):
            u = (torch.randperm(len(codes)) + torch.rand(len(codes))) / len(codes)
            t = low + (1 - low) * (draw + u) / DRAWS
            parts = zip(codes.split(256), labels.split(256), t.split(256), strict=True)
            total += torch.cat([loss(sampler._model, x, y, t=own) for x, y, own in parts]).double()
    np.savez(job["out"], log_prob=-(total / DRAWS).numpy())
    return {"draws": DRAWS}


def main() -> None:
    """Do the job, and write what came of it."""
    warnings.filterwarnings("ignore")
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(job["seed"])
    torch.set_num_threads(job["threads"])
    result = {"fit": fit, "sample": sample, "score": score}[job["do"]](job)
    Path(job["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
