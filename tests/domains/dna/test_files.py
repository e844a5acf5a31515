"""Reading and writing sequences and motifs; what is damaged is named by its line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from intarsia_domains.dna._alphabet import DNA
from intarsia_domains.dna._motif_hits import Hits
from intarsia_domains.dna._motifs import Motif, read_motifs
from intarsia_domains.dna._read import read_bed, read_labelled, read_sequences
from intarsia_domains.dna._sequence_error import SequenceError
from intarsia_domains.dna._sequences import Sequences
from intarsia_domains.dna._write import write_csv, write_fasta, write_genbank


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.fa", "a.fasta.gz"])
def test_fasta_is_read_over_lines_blanks_comments_and_returns(tmp_path: Path, name: str) -> None:
    text = "\ufeff>one first of all\r\nACGT\r\nac\r\n\r\n;comment\n>two\nNNRY"
    read = read_sequences(put(tmp_path, name, text))
    assert read.names == ("one", "two")
    assert read.texts() == ["ACGTAC", "NNRY"]


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(gzip.compress(b">a\nAC\n"))
    assert read_sequences(path).texts() == ["AC"]
    path.write_bytes(gzip.compress("".join(f">{k}\nAC\n" for k in range(500)).encode())[:-12])
    with pytest.raises(SequenceError, match="damaged gzip"):
        read_sequences(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.fa", ">a\nAC\n>a\nGG\n", "the name 'a' is repeated, in records 1 and 2"),
        ("a.fa", "ACGT\n", "line 1: FASTA begins with '>'"),
        ("a.fa", ">a\n>b\nAC\n", "line 1: 'a' is an empty sequence"),
        ("a.fa", ">a\nAC\n>b\n", "line 3: 'b' is an empty sequence"),
        ("a.fa", ">a\nAC\n> \nGG", "line 3: a record has no name"),
        ("a.fa", "", "holds no sequence"),
        ("a.fa", ">a\nACZ\n", "'a' has 'Z' at position 3"),
        ("a.fa", ">a\nACT\n>b\nACU\n", "mixed alphabets: 'a' has T and 'b' has U"),
        ("a.fq", "@a\nACGT\n+\nIII\n", "line 1: 'a' has 4 letters and 3 qualities"),
        ("a.fq", "@a\nACGT\n", "line 1: the third line of 'a' must begin with"),
        ("a.fq", "@a\nAC\n+\nII\n\n>b\nAC\n+\nII\n", "line 6: a FASTQ record begins with '@'"),
        ("a.fq", "@a\n\n+\n\n", "empty sequence"),
        ("a.csv", "", "is empty"),
        ("a.csv", "sequence\n", "no rows"),
        ("a.csv", "sequence,x\nACG,1\nAC\n", "line 3: 1 cells where the header has 2"),
        ("a.csv", "sequence,x\nACG,1\nA-C,2\n", "'row 2' has a gap '-' at position 2"),
        ("a.xyz", "ACG", "the suffix '.xyz' is none of"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        read_sequences(put(tmp_path, name, text))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SequenceError, match="does not exist"):
        read_sequences(tmp_path / "no.fa")
    (tmp_path / "d.fa").mkdir()
    with pytest.raises(SequenceError, match="is a directory"):
        read_sequences(tmp_path / "d.fa")


def test_fastq_masks_letters_of_low_quality(tmp_path: Path) -> None:
    from intarsia_domains.dna._fasta import iter_fastq

    path = put(tmp_path, "a.fq.gz", "@a b\nACGT\n+\nI!5I\n@c\nGG\n+c\nII\n")
    assert read_sequences(path).texts() == ["ACGT", "GG"]
    assert list(iter_fastq(path, least_quality=21)) == [("a", "ANNT"), ("c", "GG")]


def test_tables_carry_labels_and_say_which_are_missing(tmp_path: Path) -> None:
    read = read_labelled(put(tmp_path, "a.csv", 'y,sequence,class\n1.5,acgt,"x, y"\n,GG,\n'))
    assert read.sequences.texts() == ["ACGT", "GG"]
    assert read.labels["class"].tolist() == ["x, y", None]
    assert read.labels["y"][0] == 1.5
    assert np.isnan(read.labels["y"][1])
    for label in ("y", "class"):
        with pytest.raises(SequenceError, match=f"{label!r} is missing for 1 of 2 rows, first for 'row 2'"):
            read.complete(label)
    with pytest.raises(SequenceError, match="no label 'z'; there are y, class"):
        read.complete("z")
    other = put(tmp_path, "b.tsv", "id\tdna\n1\tACU\n")
    assert read_labelled(other, column="dna").sequences.texts() == ["ACU"]
    with pytest.raises(SequenceError, match="no column 'x'; it has id, dna"):
        read_labelled(other, column="x")


def test_regions_are_cut_out_of_a_genome(tmp_path: Path) -> None:
    genome = put(tmp_path, "g.fa.gz", ">chr1 x\nACGTAC\nGGTTN\n>chr2\nTTTTT\n")
    bed = put(tmp_path, "r.bed", "track x\n#c\nchr2\t0\t2\tb\t0\t+\nchr1\t4\t9\ta\t0\t-\nchr1\t0\t3\tc\n")
    read = read_bed(bed, genome)
    assert read.names == ("b", "a", "c")
    assert read.texts() == ["TT", "ACCGT", "ACG"]
    unnamed = read_bed(put(tmp_path, "u.bed", "chr1 0 3\nchr1 8 11 x 0 -\n"), genome)
    assert unnamed.names == ("chr1:0-3(+)", "chr1:8-11(-)")
    assert unnamed.texts() == ["ACG", "NAA"]
    for text, message in [
        ("chr1\t0\t12\n", "line 1: the region ends at 12, and chr1 has 11 bases"),
        ("chr3\t0\t2\n", "no chromosome 'chr3'"),
        ("\nchr1\t5\t5\n", "line 2: a region is chromosome, start and a larger end"),
        ("chr1\tx\t5\n", "line 1"),
        ("", "holds no region"),
    ]:
        with pytest.raises(SequenceError, match=message):
            read_bed(put(tmp_path, "bad.bed", text), genome)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    ours = Sequences.of(["ACGT" * 40, "ggn"], ["a", "b"])
    for name in ("x.fa", "x.fa.gz"):
        write_fasta(ours, tmp_path / name)
        again = read_sequences(tmp_path / name)
        assert (again.names, again.texts()) == (ours.names, ours.texts())
    write_csv(ours, tmp_path / "x.csv.gz", {"y": [1, 2], "word": ["p", "q,r"]})
    table = read_labelled(tmp_path / "x.csv.gz")
    assert table.sequences.texts() == ours.texts()
    assert table.labels["y"].tolist() == [1, 2]
    assert table.labels["word"].tolist() == ["p", "q,r"]
    assert table.labels["name"].tolist() == ["a", "b"]
    with pytest.raises(SequenceError, match="'y' must have 2 values"):
        write_csv(ours, tmp_path / "x.csv", {"y": [1]})


def test_genbank_has_the_hits_as_features(tmp_path: Path) -> None:
    ours = Sequences.of(["ACGTACGTAC" * 7, "GGAA"], ["my design", "b"])
    motif = Motif("M1", "TATA", np.full((4, 4), 0.25))
    hits = Hits(
        (motif,), 2, np.array([0, 0]), np.array([0, 1]), np.array([2, 0]), np.array([6, 4]), np.array([False, True]),
        np.array([1e-5, 2e-5]),
    )  # fmt: skip
    write_genbank(ours, tmp_path / "x.gb", hits)
    text = (tmp_path / "x.gb").read_text()
    first, second, rest = text.split("//\n")
    assert rest == ""
    assert first.startswith("LOCUS       my_design                 70 bp    DNA")
    assert "     protein_bind    3..6\n" in first
    assert '/bound_moiety="TATA"' in first
    assert '/note="M1, p = 1.0e-05"' in first
    assert (
        "        1 acgtacgtac acgtacgtac acgtacgtac acgtacgtac acgtacgtac acgtacgtac\n       61 acgtacgtac\n" in first
    )
    assert "     protein_bind    complement(1..4)\n" in second
    assert "source          1..4" in second


MEME = """MEME version 4

ALPHABET= ACGT

MOTIF MA1.1 ABC
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0
 0.5 0.5 0.0 0.0
 0.0 0.0 1.0 0.0
URL http://x

MOTIF lone
letter-probability matrix: alength=4 w=1
 0.1 0.2 0.3 0.4
"""
JASPAR = ">MA1.1\tABC\nA  [ 5 0 ]\nC  [ 5 0 ]\nG  [ 0 8 ]\nT  [ 0 0 ]\n"


def test_motifs_of_meme_and_jaspar_are_the_same(tmp_path: Path) -> None:
    motifs = read_motifs(put(tmp_path, "m.meme.gz", MEME))
    assert [(m.name, m.title, m.width) for m in motifs] == [("MA1.1", "ABC", 2), ("lone", "lone", 1)]
    assert motifs[0].consensus() == "MG"
    assert motifs[1].consensus(0.85) == "B"
    assert motifs[0].information().tolist() == pytest.approx([1.0, 2.0])
    assert motifs[0].reverse_complement().probs.tolist() == [[0, 1, 0, 0], [0, 0, 0.5, 0.5]]
    (other,) = read_motifs(put(tmp_path, "m.jaspar", JASPAR))
    assert (other.name, other.title) == ("MA1.1", "ABC")
    assert other.probs.tolist() == motifs[0].probs.tolist()
    assert DNA.letters == "ACGT"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "begins neither"),
        ("MEME version 4\n", "holds no motif"),
        (MEME.replace(" 0.0 0.0 1.0 0.0\n", ""), "line 8: expected numbers"),
        (MEME.replace(" 0.1 0.2 0.3 0.4\n", ""), "ends within the matrix of lone, which misses 1 rows"),
        (MEME.replace("0.5 0.5 0.0 0.0", "0.5 0.5 0.0"), "line 7: expected numbers"),
        (JASPAR.replace("G  [ 0 8 ]", "G  [ 0 ]"), "line 1: the four lines of MA1.1 differ"),
        (JASPAR.replace("G  [ 0 8 ]", "G  [ 0 0 ]"), "line 1: a place of MA1.1 has no counts"),
        (JASPAR.replace("T  [ 0 0 ]\n", ""), "line 1: a JASPAR motif is"),
    ],
)
def test_damaged_motifs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        read_motifs(put(tmp_path, "m.txt", text))
