"""Denoisers: networks `(xt, t, cond) -> pred` that predict the posterior over x0."""

from intarsia._types import Denoiser as Denoiser
from intarsia.denoisers._embedding import SiteEmbedding as SiteEmbedding
from intarsia.denoisers._embedding import TimeEmbedding as TimeEmbedding
from intarsia.denoisers._leave_one_out import FromLeaveOneOut as FromLeaveOneOut
from intarsia.denoisers._mlp import RealMLP as RealMLP
from intarsia.denoisers._mlp import ResidualBlock as ResidualBlock
from intarsia.denoisers._mlp import ResidualMLP as ResidualMLP
from intarsia.denoisers._record import RecordMLP as RecordMLP
from intarsia.denoisers._record import mean_from_velocity as mean_from_velocity
from intarsia.denoisers._transformer import AttentionBlock as AttentionBlock
from intarsia.denoisers._transformer import Transformer as Transformer
