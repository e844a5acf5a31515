"""What a network makes of the other strand: nothing, the same by shared weights, or the mean of both readings.

Features of a site are channels (batch, channels, length). The reverse complement turns the sites around and, for
letters, the channels too: A, C, G, T to T, G, C, A. Layers whose weights are their own image under both commute with
it (Shrikumar et al. 2017; Mallet & Vert 2021, regular representation; Zhou et al. 2022): half the weights, and
p(x) = p(reverse complement of x) exactly.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional


class AbstractStrands(ABC):
    """Makes the layers of a network, and wraps the whole of it."""

    name: ClassVar[str]
    """Stands for it in saved models."""

    @abstractmethod
    def convolution(self, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Module:
        """A convolution of channels (batch, inputs, length), padded to the same length; an odd kernel."""

    @abstractmethod
    def lift(self, inputs: int, outputs: int) -> nn.Module:
        """Channels of what is the same on both strands, such as conditions, to features."""

    @abstractmethod
    def norm(self, width: int) -> nn.Module:
        """Features to unit size at each site."""

    @abstractmethod
    def places(self, length: int, width: int) -> "Places":
        """Features of a site's distance from both ends."""

    def whole(self, network: nn.Module) -> nn.Module:
        """The network `(belief, inside, told) -> logits` as it is used."""
        return network


@dataclass(frozen=True, slots=True)
class OneStrand(AbstractStrands):
    """Sequences have a direction: promoters, splice sites, coding sequences."""

    name: ClassVar[str] = "one"

    def convolution(self, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Module:
        return _Convolution(inputs, outputs, kernel, dilation=dilation)

    def lift(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Conv1d(inputs, outputs, 1)

    def norm(self, width: int) -> nn.Module:
        return _Norm(nn.Parameter(torch.ones(width)), tied=False)

    def places(self, length: int, width: int) -> "Places":
        return Places(length, width, tied=False)


@dataclass(frozen=True, slots=True)
class SharedStrands(AbstractStrands):
    """Both strands are one law, by weights that are their own image: for regions without a direction, as peaks are."""

    name: ClassVar[str] = "shared"

    def convolution(self, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Module:
        return _TiedConvolution(inputs, outputs, kernel, dilation, turned_inputs=True)

    def lift(self, inputs: int, outputs: int) -> nn.Module:
        return _TiedConvolution(inputs, outputs, 1, 1, turned_inputs=False)

    def norm(self, width: int) -> nn.Module:
        return _Norm(nn.Parameter(torch.ones(_half(width))), tied=True)

    def places(self, length: int, width: int) -> "Places":
        return Places(length, width, tied=True)


@dataclass(frozen=True, slots=True)
class AveragedStrands(OneStrand):
    """Both strands are one law, as the mean of the logits of a sequence and of its reverse complement: twice a call."""

    name: ClassVar[str] = "averaged"

    def whole(self, network: nn.Module) -> nn.Module:
        return _Averaged(network)


class Places(nn.Module):
    """Features of the distances from the first and from the last site, (batch, width, length).

    Args:
        length: sites at most.
        width: channels.
        tied: whether the two swap under the reverse complement.
    """

    def __init__(self, length: int, width: int, *, tied: bool) -> None:
        super().__init__()
        self.first = nn.Parameter(0.02 * torch.randn(length, width))
        self.last = None if tied else nn.Parameter(0.02 * torch.randn(length, width))

    def forward(self, inside: Tensor) -> Tensor:
        """For bools (batch, length), true at the sites of each sequence, which come first."""
        length = inside.shape[1]
        last = self.first.flip(1) if self.last is None else self.last
        place = torch.arange(length, device=inside.device)
        behind = (inside.sum(1, keepdim=True) - 1 - place).clamp(min=0)
        # all of one length, as nearly always, need one row
        behind = behind[:1] if bool((behind[:1] == behind).all()) else behind
        return (self.first[:length] + last[behind]).transpose(1, 2)


def convolved(h: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    """A convolution of channels (batch, channels, length) to the same length, by an odd kernel.

    Channels of a site lie side by side in memory here: then a kernel of one site is a plain product, and processors
    are a seventh faster at wider ones, too. Inputs that lie otherwise give the same numbers.
    """
    kernel = weight.shape[-1]
    if kernel == 1:
        return functional.linear(h.transpose(1, 2), weight[..., 0], bias).transpose(1, 2)
    around, apart = (0, dilation * (kernel // 2)), (1, dilation)
    return functional.conv2d(h[:, :, None], weight[:, :, None], bias, padding=around, dilation=apart)[:, :, 0]


class _Convolution(nn.Conv1d):
    def forward(self, input: Tensor) -> Tensor:
        return convolved(input, self.weight, self.bias, self.dilation[0])


class _Norm(nn.Module):
    def __init__(self, scale: nn.Parameter, *, tied: bool) -> None:
        super().__init__()
        self.scale, self.tied = scale, tied

    def forward(self, h: Tensor) -> Tensor:
        scale = torch.cat([self.scale, self.scale.flip(0)]) if self.tied else self.scale
        return h * torch.rsqrt(h.square().mean(1, keepdim=True) + 1e-6) * scale[:, None]


class _TiedConvolution(nn.Module):
    """Half of a convolution's weights; the other half is what the first is on the other strand."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, *, turned_inputs: bool) -> None:
        super().__init__()
        self.dilation = dilation
        self.turned = (0, 1, 2) if turned_inputs else (0, 2)
        bound = 1.0 / math.sqrt(inputs * kernel)
        self.weight = nn.Parameter(torch.empty(_half(outputs), inputs, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(_half(outputs)).uniform_(-bound, bound))

    def forward(self, h: Tensor) -> Tensor:
        weight = torch.cat([self.weight, self.weight.flip(self.turned)])
        bias = torch.cat([self.bias, self.bias.flip(0)])
        return convolved(h, weight, bias, self.dilation)


class _Averaged(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, belief: Tensor, inside: Tensor, told: Tensor) -> Tensor:
        there = self.network(belief, inside, told)
        # each sequence is turned around in its own sites
        place = torch.arange(inside.shape[1], device=inside.device)
        source = inside.sum(1, keepdim=True) - 1 - place
        source = torch.where(source >= 0, source, place)[..., None]

        def turned(x: Tensor) -> Tensor:
            return x.gather(1, source.expand(-1, -1, x.shape[-1]))

        back = self.network(turned(belief).flip(-1), inside, turned(told))
        return 0.5 * (there + turned(back).flip(-1))


def _half(width: int) -> int:
    if width % 2:
        raise ValueError(f"features of two strands come in pairs, so their number must be even, got {width}")
    return width // 2
