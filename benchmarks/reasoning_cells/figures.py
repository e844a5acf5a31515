"""Numbers of the page as text."""

from __future__ import annotations

from tabular_systems._results import number


def plain(x: float) -> str:
    """Whole numbers with separators, others with four digits."""
    return f"{x:,}" if isinstance(x, int) else f"{x:,.0f}" if abs(x) >= 1000 else number(x)
