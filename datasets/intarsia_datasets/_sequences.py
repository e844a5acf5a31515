"""Sequences that come with logomaker; the package itself is not imported."""

from pathlib import Path
from typing import TYPE_CHECKING

from intarsia_datasets._card import Card
from intarsia_datasets._packaged import packaged_file

if TYPE_CHECKING:
    import pandas as pd

CRP_SITES = Card(
    name="crp_sites",
    rows=358,
    columns=3,
    task="density",
    target="sequence",
    origin="Binding sites of CRP in E. coli, RegulonDB v8.0 (Salgado et al. 2013); read from logomaker",
    licence="MIT, as logomaker",
    note="26 letters of DNA each, aligned on the palindrome TGTGA…TCACA; 308 sequences are different. `position` is "
    "relative to the transcription start of `promoter`.",
)
HUMAN_5SS = Card(
    name="human_5ss",
    rows=10_227,
    columns=2,
    task="density",
    target="sequence",
    origin="5' splice sites NNNGYNNNN of the human genome by number of occurrences, hg38 with GENCODE annotation "
    "(Frankish et al. 2019); read from logomaker",
    licence="MIT, as logomaker",
    note="9 letters of RNA each, all different and sorted by `count`, from 3,729 down to 1 of 298,479 in all. 32,768 "
    "sequences have that pattern, so a model can be compared with the counts exactly; their law has 6.7592 nats.",
)


def crp_sites() -> "pd.DataFrame":
    """358 binding sites of CRP: sequence, promoter and position. See the card."""
    import pandas as pd

    lines = _path("crp_sites.fa", "crp_sites").read_text(encoding="utf-8").splitlines()
    headers = [line[1:].split("\t") for line in lines if line.startswith(">")]
    return pd.DataFrame(
        {
            "sequence": [line.strip() for line in lines if line.strip() and line[0] not in ">#"],
            "promoter": [header[1] for header in headers],
            "position": [float(header[2]) for header in headers],
        }
    )


def human_5ss() -> "pd.DataFrame":
    """10,227 human 5' splice sites: sequence and count. See the card."""
    import pandas as pd

    return pd.read_csv(_path("ss_sequences.txt", "human_5ss"), sep=r"\s+", comment="#")


def _path(file: str, dataset: str) -> Path:
    return packaged_file("logomaker", f"examples/datafiles/{file}", dataset=dataset, install="intarsia[dna]")
