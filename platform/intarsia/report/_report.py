"""The report itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from intarsia._atomic import write_atomically
from intarsia.report._html import to_html
from intarsia.report._markdown import to_markdown
from intarsia.report._model import Figure, Metric, Table
from intarsia.report._plain import dump, plain
from intarsia.report._verdict import verdict

_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Metrics with their floors, and the tables and pictures that explain them.

    Attributes:
        title: what was evaluated.
        metrics: in the order of the page.
        tables: details.
        figures: plotly pictures; only the HTML page shows them.
        notes: sentences for the reader: what was capped, left out or found.
        provenance: data, row counts, seed, versions.

    >>> metric = Metric(name="Shape error", value=1.3, floors={"real holdout": 0.5}, better="lower", unit="%")
    >>> print(Report(title="Adult", metrics=[metric]).metric("Shape error").value)
    1.3
    """

    title: str
    metrics: Sequence[Metric] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())

    def metric(self, name: str) -> Metric:
        """The metric of that name.

        Raises:
            KeyError: there is none; the message lists those that there are.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"no metric {name!r} in this report, which has {[m.name for m in self.metrics]}")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists and dicts, numbers that are not finite as None."""
        content = plain(asdict(self))
        for entry, metric in zip(content["metrics"], self.metrics, strict=True):
            entry["sentence"] = verdict(metric)
        return {"format": "intarsia-report", "version": _VERSION, **content}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Report":
        """The report that `to_dict` wrote.

        Raises:
            ValueError: it is something else, or of a newer version.
        """
        if content.get("format") != "intarsia-report" or content.get("version") != _VERSION:
            raise ValueError(
                f"not a report of version {_VERSION}: format {content.get('format')!r}, version "
                f"{content.get('version')!r}. Read it with the version of intarsia that wrote it."
            )
        nan = float("nan")
        metrics = [{k: v for k, v in entry.items() if k != "sentence"} for entry in content["metrics"]]
        for entry in metrics:
            entry["value"] = nan if entry["value"] is None else entry["value"]
            entry["floors"] = {k: nan if v is None else v for k, v in entry["floors"].items()}
        return cls(
            title=content["title"],
            metrics=[Metric(**entry) for entry in metrics],
            tables=[Table(**entry) for entry in content["tables"]],
            figures=[Figure(**entry) for entry in content["figures"]],
            notes=content["notes"],
            provenance=content["provenance"],
        )

    def to_json(self) -> str:
        """`to_dict` as indented JSON."""
        return dump(self.to_dict(), indent=1) + "\n"

    def to_markdown(self) -> str:
        """The report without its pictures, as GitHub reads it."""
        return to_markdown(self.title, self.metrics, self.tables, self.notes, self.provenance)

    def to_html(self) -> str:
        """One page that needs nothing else: styles, pictures and the plotting library are inside.

        Raises:
            MissingExtraError: there are figures, and plotly is not installed.
        """
        return to_html(self.title, self.metrics, self.tables, self.figures, self.notes, self.provenance)

    def save(self, path: str | Path) -> Path:
        """Write the report in the format that the suffix names: .json, .md or .html.

        The file appears whole or not at all.

        Args:
            path: where to write; the directory must exist.

        Returns:
            The path.

        Raises:
            ValueError: another suffix.
            OSError: the directory is missing or not writable.
        """
        path = Path(path)
        writers = {".json": self.to_json, ".md": self.to_markdown, ".html": self.to_html, ".htm": self.to_html}
        if path.suffix.lower() not in writers:
            raise ValueError(f"a report is saved as .json, .md or .html, got {path.name!r}. Change the suffix.")
        write_atomically(path, writers[path.suffix.lower()]().encode())
        return path
