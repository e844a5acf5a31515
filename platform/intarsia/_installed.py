"""What installed distributions offer, by entry points; nothing is imported."""

from importlib.metadata import EntryPoint, entry_points


def installed(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group, by name and in its order."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}
