"""What a column becomes under a recipe: a code of its values, and the noise on that code."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from intarsia._time import per_site
from intarsia.codecs import (
    AbstractBitCodec,
    AbstractCoding,
    AbstractLabelBits,
    AnalogBits,
    BinaryCode,
    Counts,
    FixedPoint,
    Labels,
    QuantileDigits,
    QuantileNormal,
)
from intarsia.denoisers import mean_from_velocity
from intarsia.processes import AbstractProcess, Death, Discrete, Gaussian, LearnedExploding, Structured, Xor
from intarsia.schedules import LearnedPolynomial

Values = NDArray[Any]
"""Class numbers int64, or numbers int64 or float64, (rows,)."""


class AbstractNoise(ABC):
    """Noise for columns; those that share one (equal) noise object are one field of the record."""

    name: ClassVar[str]
    """Stands for the noise in saved models."""

    @abstractmethod
    def fit(self, values: Values, count: int | None) -> AbstractCoding[Any]:
        """A fitted code of class numbers below `count`, or of numbers where it is None."""

    @abstractmethod
    def process(self, codecs: Sequence[Any]) -> AbstractProcess[Tensor]:
        """The noise on the codes of several columns side by side."""

    def predict(self, process: Any, output: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """The prediction that `process` wants, from what the network says."""
        return output

    def loss(self, process: Any, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """What training minimizes, per site: the nelbo integrand unless another weight is known to be better."""
        return process.loss(pred, x0, xt, t)


class AbstractClassNoise(AbstractNoise):
    """Noise on classes; a number is two digits of its rank (`QuantileDigits`)."""

    def fit(self, values: Values, count: int | None) -> AbstractCoding[Any]:
        return QuantileDigits().fit(values) if count is None else Labels().fit(values)


@dataclass(frozen=True)
class Masked(AbstractClassNoise):
    """Absorbing noise."""

    name: ClassVar[str] = "masked"

    def process(self, codecs: Sequence[Any]) -> Discrete:
        return Discrete.absorbing(counts_of(codecs))


@dataclass(frozen=True)
class LearnedMasks(AbstractClassNoise):
    """Absorbing noise whose schedule is learned site by site, by the gradient through the weights of the loss.

    What that leaves out, how the schedule changes what is masked, `LearnedNoise` has; TabDiff leaves it out too.
    """

    name: ClassVar[str] = "learned-masks"

    def process(self, codecs: Sequence[Any]) -> Discrete:
        counts = counts_of(codecs)
        return Discrete.absorbing(counts, LearnedPolynomial(len(counts)))


@dataclass(frozen=True)
class Uniform(AbstractClassNoise):
    """Multinomial noise that redraws a class uniformly (TabDDPM, Kotelnikov et al. 2023)."""

    name: ClassVar[str] = "uniform"

    def process(self, codecs: Sequence[Any]) -> Discrete:
        return Discrete.uniform(counts_of(codecs))


@dataclass(frozen=True)
class Ordered(AbstractNoise):
    """Numbers as levels of equal mass, which noise moves to nearby levels (D3PM's discretized Gaussian).

    Args:
        levels: at most; the same for every column.
        width: of a jump, in levels.
    """

    name: ClassVar[str] = "ordered"

    levels: int = 64
    width: float = 4.0

    def fit(self, values: Values, count: int | None) -> QuantileDigits:
        if count is not None:
            raise TypeError("`Ordered` takes numbers; a column of classes needs another noise, such as `Masked()`")
        return QuantileDigits(self.levels, 1).fit(values)

    def process(self, codecs: Sequence[Any]) -> Structured:
        return Structured.gaussian(self.levels, self.width)

    def predict(self, process: Any, output: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return output.view(*xt.shape, self.levels)


@dataclass(frozen=True)
class Counted(AbstractNoise):
    """Numbers on a grid (integers, decimals, times) as counts of steps above the smallest, which die one by one."""

    name: ClassVar[str] = "counted"

    def fit(self, values: Values, count: int | None) -> Counts:
        if count is not None:
            raise TypeError("`Counted` takes numbers; a column of classes needs another noise, such as `Masked()`")
        return Counts().fit(values)

    def process(self, codecs: Sequence[Any]) -> Death:
        return Death()

    def predict(self, process: Any, output: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return process.mean(output.clamp(max=40.0), xt)

    def loss(self, process: Any, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        # nats grow with the counts; on one scale no column drowns the others
        return process.loss(pred, x0, xt, t) / (1.0 + x0.double().mean(0))


class AbstractBitNoise(AbstractNoise):
    """Noise on bits: a class is a word of `classes`, a number a fixed-point number.

    Args:
        classes: how class numbers are written.
    """

    classes: type[AbstractLabelBits]

    def bits(self, count: int | None) -> AbstractBitCodec:
        """The code of bits, not fitted."""
        return FixedPoint() if count is None else self.classes()


@dataclass(frozen=True)
class FlippedBits(AbstractBitNoise):
    """Bit flips, trained by the cross-entropy of x0 (Binary Diffusion, arXiv 2409.13882), which learns far sooner."""

    name: ClassVar[str] = "flipped-bits"

    classes: type[AbstractLabelBits] = BinaryCode

    def fit(self, values: Values, count: int | None) -> AbstractBitCodec:
        return self.bits(count).fit(values)

    def process(self, codecs: Sequence[Any]) -> Xor:
        return Xor(len(counts_of(codecs)))

    def loss(self, process: Any, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(pred, x0.to(pred.dtype), reduction="none")


class AbstractRealNoise(AbstractNoise):
    """Gaussian noise, trained with the min-SNR weight (Hang et al. 2023, γ = 5): the nelbo's own favors detail."""

    def process(self, codecs: Sequence[Any]) -> AbstractProcess[Tensor]:
        return Gaussian()

    def predict(self, process: Any, output: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        return mean_from_velocity(process, output, xt, t)

    def loss(self, process: Any, pred: Tensor, x0: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        weight = process.level.log_snr(per_site(t, x0)).exp().clamp(max=5.0)
        return (weight * (pred - x0).square()).to(pred.dtype)


@dataclass(frozen=True)
class Real(AbstractRealNoise):
    """A number as a standard normal score (TabDDPM)."""

    name: ClassVar[str] = "real"

    def fit(self, values: Values, count: int | None) -> QuantileNormal:
        if count is not None:
            raise TypeError("`Real` takes numbers; a column of classes needs another noise, such as `Masked()`")
        return QuantileNormal().fit(values)


@dataclass(frozen=True)
class LearnedReal(Real):
    """A number as a standard normal score under exploding noise, whose levels over time are learned by column."""

    name: ClassVar[str] = "learned-real"

    def process(self, codecs: Sequence[Any]) -> Gaussian:
        return Gaussian(LearnedExploding(len(codecs)))


@dataclass(frozen=True)
class RealBits(AbstractRealNoise, AbstractBitNoise):
    """Bits as the reals -1 and 1 (analog bits, Chen et al. 2023, arXiv 2208.04202)."""

    name: ClassVar[str] = "real-bits"

    classes: type[AbstractLabelBits] = BinaryCode

    def fit(self, values: Values, count: int | None) -> AnalogBits:
        return AnalogBits(self.bits(count)).fit(values)


def counts_of(codecs: Sequence[Any]) -> tuple[int, ...]:
    """Classes of every site of several codes."""
    return tuple(k for codec in codecs for k in codec.num_classes)
