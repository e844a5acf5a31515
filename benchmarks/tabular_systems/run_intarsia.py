"""Our synthesizer with its default recipe, or another: nothing else is set but budget, seed and threads."""

import _job
import pandas as pd


def fit(job: _job.Job) -> _job.Fitted:
    from intarsia_domains.tabular import TabularSynthesizer
    from intarsia_domains.tabular.recipes import Mixed

    recipe = getattr(Mixed, job.recipe)() if job.recipe else None
    minutes = job.budget_cpu_s / 60
    synth = TabularSynthesizer(cpu_minutes=minutes, seed=job.seed, threads=job.threads, recipe=recipe)
    synth.fit(job.train, target=job.target)
    steps = (getattr(synth, "training_", None) or {}).get("steps", "?")
    return _job.Fitted(synth, f"{job.recipe or 'default'} recipe, {steps} steps in {job.budget_cpu_s:g} CPU s", 1.0)


def sample(job: _job.Job, synth) -> pd.DataFrame:
    return synth.sample(job.rows, seed=job.seed)


if __name__ == "__main__":
    _job.run(fit, sample, ("intarsia", "torch", "scikit-learn"), ("torch", "intarsia_domains.tabular"))
