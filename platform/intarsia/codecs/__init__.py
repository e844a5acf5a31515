"""Codecs: raw values to classes of sites, and back."""

from intarsia.codecs._base import AbstractCodec as AbstractCodec
from intarsia.codecs._base import Codes as Codes
from intarsia.codecs._quantile_digits import Numbers as Numbers
from intarsia.codecs._quantile_digits import QuantileDigits as QuantileDigits
