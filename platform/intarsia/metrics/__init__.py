"""How like the real thing generated records are, and whether they copy it; arrays in, numbers out.

Tables are float arrays, [rows, columns], with a mask that says which columns hold category codes
(whole numbers from 0, coded alike in all tables of a call). NaN is a missing value. Functions that compare
single columns or pairs also take labels of any kind.
"""

from intarsia.metrics._closest import ClosestRecord as ClosestRecord
from intarsia.metrics._closest import closest_record as closest_record
from intarsia.metrics._duplicates import duplicate_rate as duplicate_rate
from intarsia.metrics._nmi import nmi_error as nmi_error
from intarsia.metrics._nmi import nmi_matrix as nmi_matrix
from intarsia.metrics._nmi import normalized_mutual_information as normalized_mutual_information
from intarsia.metrics._nmi import quantile_codes as quantile_codes
from intarsia.metrics._pairs import contingency_similarity as contingency_similarity
from intarsia.metrics._pairs import correlation_similarity as correlation_similarity
from intarsia.metrics._precision_recall import PrecisionRecall as PrecisionRecall
from intarsia.metrics._precision_recall import alpha_precision_beta_recall as alpha_precision_beta_recall
from intarsia.metrics._trend import trend_scores as trend_scores
from intarsia.metrics._two_sample import TwoSample as TwoSample
from intarsia.metrics._two_sample import classifier_two_sample as classifier_two_sample
from intarsia.metrics._univariate import ks_complement as ks_complement
from intarsia.metrics._univariate import shape_scores as shape_scores
from intarsia.metrics._univariate import tv_complement as tv_complement
from intarsia.metrics._utility import train_on_synthetic as train_on_synthetic
