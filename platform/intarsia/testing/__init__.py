"""Acceptance tests for processes, samplers, codecs and domains, ours and those of third parties alike.

Every check raises AssertionError with a sentence that names the law that failed, where, and what was expected.
"""

from intarsia.testing._bayes import BayesDenoiser as BayesDenoiser
from intarsia.testing._codec import check_codec as check_codec
from intarsia.testing._denoiser import check_denoiser as check_denoiser
from intarsia.testing._domain import check_domain as check_domain
from intarsia.testing._enumerate import enumerated_law as enumerated_law
from intarsia.testing._finite import all_states as all_states
from intarsia.testing._process import check_process as check_process
from intarsia.testing._refusal import check_refusal as check_refusal
from intarsia.testing._sampler import check_sampler as check_sampler
from intarsia.testing._statistics import chi_square as chi_square
from intarsia.testing._statistics import total_variation as total_variation
