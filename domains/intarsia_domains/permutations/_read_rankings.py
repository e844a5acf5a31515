"""Rankings in files: PrefLib by its suffixes, everything else as a table with a column a rank."""

import io
from pathlib import Path

from intarsia_domains.permutations._preflib import PREFLIB, read_preflib, write_preflib
from intarsia_domains.permutations._rankings import Rankings, Unranked
from intarsia_domains.permutations._ties import AbstractTies, RefuseTies
from intarsia_domains.tabular._bytes import Source, load_bytes, source_name

_MOST_BYTES = 1 << 30


def read_rankings(
    source: Source,
    ties: AbstractTies = RefuseTies(),
    unranked: Unranked = Unranked.BELOW,
    items: tuple[str, ...] | None = None,
) -> Rankings:
    """Read rankings from PrefLib (.soc, .soi, .toc, .toi), CSV or Parquet.

    A table has a row a ballot and a column a rank, best first, with the names of the items in its cells; empty cells at
    the end are not ranked, and a column `count` says how many ballots a row stands for. All cells are text.

    Args:
        source: a path, an open file, or `-` for standard input.
        ties: for PrefLib, what to do with ties.
        unranked: what it means to be left out.
        items: all names, where some are on no ballot; for tables.

    Raises:
        ValueError: what cannot be read or is no ranking, with file and line or row.
    """
    name = source_name(source)
    if Path(name).suffix.lower() in PREFLIB:
        return read_preflib(source, ties, unranked)
    from intarsia_domains.tabular._read import read_table

    data = _Named(load_bytes(source, _MOST_BYTES), name)
    names = read_table(data, max_rows=1).columns  # so that no cell is read as a number or a date
    data.seek(0)
    frame = read_table(data, text=[column for column in names if column != "count"])
    try:
        return Rankings.of(frame, items, unranked)
    except ValueError as error:
        raise ValueError(f"{name}, {error}") from None


class _Named(io.BytesIO):
    """Bytes that messages call by the name of their source."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def write_rankings(rankings: Rankings, path: str | Path) -> None:
    """Write what `read_rankings` reads: PrefLib by its suffixes, else a table (.csv, .csv.gz, .tsv, .parquet, `-`)."""
    if Path(path).suffix.lower() in PREFLIB:
        write_preflib(rankings, path)
        return
    from intarsia_domains.tabular._write import write_table

    write_table(rankings.frame(), path)
