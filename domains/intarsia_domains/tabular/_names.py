"""Column names that can tell columns apart."""

from collections.abc import Hashable, Iterable

from ._table_error import TableError


def check_unique(names: Iterable[Hashable], where: str) -> None:
    """Refuse repeated column names; `where` begins the message and says which table it is."""
    places: dict[Hashable, list[int]] = {}
    for place, name in enumerate(names, start=1):
        places.setdefault(name, []).append(place)
    for name, found in places.items():
        if len(found) > 1:
            raise TableError(
                f"{where}: the column name {name!r} is repeated, at columns {found}; give each column its own name"
            )
