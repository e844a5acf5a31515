"""CTGAN through SDV, defaults, as many of its 300 epochs as the budget allows."""

import _job
import _sdv

if __name__ == "__main__":
    _job.run(
        lambda job: _sdv.fit(job, "CTGANSynthesizer", "ctgan.synthesizers.ctgan"),
        _sdv.sample,
        _sdv.PACKAGES,
        _sdv.MODULES,
    )
