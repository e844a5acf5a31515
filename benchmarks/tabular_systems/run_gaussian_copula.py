"""SDV's Gaussian copula, defaults."""

import _job
import _sdv

if __name__ == "__main__":
    _job.run(lambda job: _sdv.fit(job, "GaussianCopulaSynthesizer", None), _sdv.sample, _sdv.PACKAGES, _sdv.MODULES)
