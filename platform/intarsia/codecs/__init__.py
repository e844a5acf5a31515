"""Codecs: raw values to states of sites, and back."""

from intarsia.codecs._analog_bits import AnalogBits as AnalogBits
from intarsia.codecs._base import AbstractCodec as AbstractCodec
from intarsia.codecs._base import AbstractCoding as AbstractCoding
from intarsia.codecs._base import AbstractCountCodec as AbstractCountCodec
from intarsia.codecs._base import AbstractRealCodec as AbstractRealCodec
from intarsia.codecs._base import Codes as Codes
from intarsia.codecs._base import Reals as Reals
from intarsia.codecs._binary_code import BinaryCode as BinaryCode
from intarsia.codecs._bits import AbstractBitCodec as AbstractBitCodec
from intarsia.codecs._counts import Counts as Counts
from intarsia.codecs._datetime import Datetime as Datetime
from intarsia.codecs._digits import Digits as Digits
from intarsia.codecs._fixed_point import FixedPoint as FixedPoint
from intarsia.codecs._frequency_tree import FrequencyTree as FrequencyTree
from intarsia.codecs._gray import Gray as Gray
from intarsia.codecs._k_mer import KMer as KMer
from intarsia.codecs._label_bits import AbstractLabelBits as AbstractLabelBits
from intarsia.codecs._labels import Labels as Labels
from intarsia.codecs._quantile_digits import Numbers as Numbers
from intarsia.codecs._quantile_digits import QuantileDigits as QuantileDigits
from intarsia.codecs._quantile_normal import QuantileNormal as QuantileNormal
from intarsia.codecs._res_bit import ResBit as ResBit
