"""Half precision where the processor gains from it."""

from contextlib import AbstractContextManager
from typing import Any

import torch


def gains_from_bfloat16(device: torch.device | str) -> bool:
    """Whether bfloat16 products are native on a device: so on GPUs, and on CPUs with the instructions for it."""
    if torch.device(device).type != "cpu":
        return True
    capabilities = getattr(torch.cpu, "get_capabilities", dict[str, bool])()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def half(device: torch.device | str, enabled: bool | None = None) -> AbstractContextManager[Any]:
    """Compute networks in bfloat16 inside; None decides by `gains_from_bfloat16`."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=gains_from_bfloat16(device) if enabled is None else enabled)
