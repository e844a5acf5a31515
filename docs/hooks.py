"""The site has pages that lie elsewhere in the repository: the results of benchmarks, the recipes, the changelog.

Pages are known by their path in the repository, so a link that is right in a checkout is right on the site. In the
navigation of `mkdocs.yml`, a pattern stands for all files that it matches.
"""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "benchmarks/results/*.md",
    "tests/examples/*.py",
)


def on_config(config: Any) -> Any:
    """Put the files that match in the place of patterns."""
    config.nav = _expanded(config.nav)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Know pages by their path in the repository, and add those from outside of the folder of documents."""
    pages = Files([])
    for file in files:
        inside = file.src_dir is not None and Path(file.src_dir) == Path(config.docs_dir)
        pages.append(_file(f"docs/{file.src_uri}", file.dest_uri, file.inclusion, config) if inside else file)
    for path in (path for pattern in ELSEWHERE for path in _matches(pattern)):
        pages.append(_file(path, None, InclusionLevel.INCLUDED, config))
    return pages


def _file(path: str, to: str | None, inclusion: InclusionLevel, config: Any) -> File:
    return File(path, str(ROOT), config.site_dir, config.use_directory_urls, dest_uri=to, inclusion=inclusion)


def _expanded(nav: Any) -> Any:
    if isinstance(nav, dict):
        return {title: _expanded(item) for title, item in nav.items()}
    if isinstance(nav, list):
        return [found for item in nav for found in (_matches(item) if isinstance(item, str) else [_expanded(item)])]
    return nav


def _matches(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))
