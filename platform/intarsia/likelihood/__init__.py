"""Likelihoods: chains of unmaskings, tighter bounds, exact sums, scores of sites, comparisons under shared noise."""

from intarsia.likelihood._chain import any_order_log_prob as any_order_log_prob
from intarsia.likelihood._chain import chain_log_prob as chain_log_prob
from intarsia.likelihood._chain import group_log_prob as group_log_prob
from intarsia.likelihood._chain import importance_bound as importance_bound
from intarsia.likelihood._compare import Score as Score
from intarsia.likelihood._compare import classify as classify
from intarsia.likelihood._compare import log_ratio as log_ratio
from intarsia.likelihood._exact import exact_log_prob as exact_log_prob
from intarsia.likelihood._sites import chain_site_scores as chain_site_scores
from intarsia.likelihood._sites import site_nelbo as site_nelbo
