"""Columns: codecs over a pandas Series, one class a kind."""

from typing import Any

from intarsia_domains.tabular.columns._base import AbstractColumn as AbstractColumn
from intarsia_domains.tabular.columns._category import CategoryColumn as CategoryColumn
from intarsia_domains.tabular.columns._detect import KINDS as KINDS
from intarsia_domains.tabular.columns._detect import Kind as Kind
from intarsia_domains.tabular.columns._detect import detect as detect
from intarsia_domains.tabular.columns._identifier import IdentifierColumn as IdentifierColumn
from intarsia_domains.tabular.columns._number import NumberColumn as NumberColumn


def column_from_json(data: dict[str, Any], name: Any) -> AbstractColumn:
    """Rebuild a fitted column; raises ValueError for an unknown kind."""
    kind = str(data.get("kind"))
    if kind in ("category", "ordered", "boolean"):
        return CategoryColumn.from_json(data, name)
    if kind in ("integer", "decimal", "datetime"):
        return NumberColumn.from_json(data, name)
    if kind == "identifier":
        return IdentifierColumn.from_json(data, name)
    raise ValueError(f"{kind!r} is no kind of column; kinds are {', '.join(KINDS)}")
