"""Values of any origin as plain JSON: lists, dicts, strings, finite numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

_TEMPLATES = ("hovertemplate", "texttemplate")


def plain(value: object) -> Any:
    """Turn mappings, sequences and arrays into dicts and lists; NaN and infinities into None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in cast("Sequence[object]", value)]
    if hasattr(value, "tolist"):  # arrays and scalars of numpy and its kin
        return plain(cast(Any, value).tolist())
    return str(value)


def dump(value: object, indent: int | None = None) -> str:
    """Strict JSON of `plain(value)`, in its own letters."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def dump_for_script(value: object) -> str:
    """JSON that may stand inside an HTML script element: nothing in it can close the element."""
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    text = dump(value)
    for letter, code in escapes.items():
        text = text.replace(letter, code)
    return text


def inert(figure: Any, key: str = "") -> Any:
    """A plotly figure whose labels cannot be markup: plotly reads some tags in them, and entities."""
    if isinstance(figure, dict):
        items = cast("dict[str, Any]", figure).items()
        return {escape(name): inert(value, name) for name, value in items}
    if isinstance(figure, list):
        return [inert(value, key) for value in cast("list[Any]", figure)]
    return escape(figure) if isinstance(figure, str) and key not in _TEMPLATES else figure
