"""The strict reader: the trap table of CSV files, types, errors with lines, and reports."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from intarsia_domains.tabular._dialect import Dialect, sniff_delimiter
from intarsia_domains.tabular._encoding import first_bad_utf8
from intarsia_domains.tabular._read import TableError, read_table


def read(text, **options):
    data = text.encode() if isinstance(text, str) else text
    return read_table(io.BytesIO(data), **options)


def column(*cells, **options):
    """Read a first column of these cells, beside one that keeps empty lines from being skipped."""
    return read("a,other\n" + "".join(f"{cell},x\n" for cell in cells), **options)["a"]


def notes(text, **options):
    lines = []
    read(text, report=lines.append, **options)
    return lines


# --- the traps of CSV files ---


@pytest.mark.parametrize(
    "codec, said",
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with a byte order mark"),
        ("utf-16", "UTF-16 with a byte order mark"),
        ("utf-32", "UTF-32 with a byte order mark"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("cp1252", "Windows-1252 (not valid UTF-8)"),
    ],
)
def test_encodings_are_recognized_and_reported(codec, said):
    text = "größe,name,remark\n1,José,plain letters\n2,Zoë,and some more of them\n"
    lines = []
    frame = read(text.encode(codec), report=lines.append)
    assert list(frame.columns) == ["größe", "name", "remark"]
    assert frame["name"].tolist() == ["José", "Zoë"]
    assert lines == [f"the open file: CSV, {said}, comma-separated; rows: 2, columns: 3"]


def test_latin_1_where_windows_1252_leaves_bytes_undefined():
    frame = read(b"a,b\nna\xefve,\x81\n")
    assert frame.iloc[0].tolist() == ["naïve", "\x81"]


def test_a_named_encoding_wins():
    assert read("a\nж\n".encode("koi8-r"), encoding="koi8-r")["a"].tolist() == ["ж"]
    with pytest.raises(TableError, match=r"line 3: not valid utf-8"):
        read(b"a\nx\n\xe9\n", encoding="utf-8")
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        read("a\n1\n", encoding="klingon")


def test_first_bad_byte_across_pieces():
    good = "é" * (1 << 23) + "x"
    assert first_bad_utf8(good.encode()) is None
    assert first_bad_utf8(b"x" + good.encode() + b"\xff") == len(good.encode()) + 1


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b\n1,2\n3,4,5\n6,7\n", r"line 3: 3 cells where the header has 2"),
        ("a,b,c\n1,2,3\n4,5\n", r"line 3: 2 cells where the header has 3"),
        ('a,b\n"one\ntwo",2\n\n3\n', r"line 5: 1 cell where the header has 2"),
        ("a;b\n1;2\n3;4;5\n", r"line 3: 3 cells where the header has 2"),
        ('a,b\n"x,1\n2,3\n', r"line 2: a quote is opened and never closed"),
        ('a\nx\n"y\nz\n', r"line 3: a quote is opened and never closed"),
        ('a,b\n1,"x"y\n', r"line 2: a cell goes on after its closing quote"),
        ('a\n"x\n"y"\n', r"line 2: a cell goes on after its closing quote"),
        ("a,b,a\n1,2,3\n", r"line 1: the column name 'a' is repeated, at columns \[1, 3\]"),
        ("\n,b\n1,2\n", r"line 2: column 1 of 2 has no name in the header.*saved row index"),
        ("a, \n1,2\n", r"column 2 of 2 has no name"),
        ("", r"is empty"),
        (" \n\n", r"is empty"),
        ("a,b\n", r"a header but no rows"),
        ("a,b\n\n\r\n", r"a header but no rows"),
        (b"\x00\x01\x02\xff\xfe\x80\x07" * 40, r"is not text"),
        (b"\x89PNG\r\n\x1a\n", r"PNG picture"),
        (b"PK\x03\x04rest", r"Excel workbook.*save the sheet as CSV"),
    ],
)
def test_broken_files_are_refused_with_the_line(text, message):
    with pytest.raises(TableError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_wrong_row_far_down_is_found():
    rows = "1,2\n" * 5000
    with pytest.raises(TableError, match="line 5002: 3 cells"):
        read("a,b\n" + rows + "1,2,3\n" + rows)


def test_nul_bytes_are_kept():
    assert read("a,b\nx\x00y,1\n")["a"].tolist() == ["x\x00y"]


def test_na_labels_are_labels():
    labels = ["NA", "null", "None", "NaN", "nan", "N/A", "-"]
    assert column(*labels, "").tolist() == [*labels, None]
    assert column("NA", "1", missing=("", "NA")).tolist() == [pd.NA, 1]


def test_leading_zeros_and_signs_are_text():
    assert column("00123", "98101").tolist() == ["00123", "98101"]
    assert column("+5", "5").tolist() == ["+5", "5"]
    assert column("007.5").tolist() == ["007.5"]


def test_long_integers():
    exact = [2**60, 2**63 - 1, -(2**63), 2**53 + 1]
    assert column(*exact).tolist() == exact
    assert column(*exact).dtype == np.int64
    nullable = column(*exact, "")
    assert nullable.dtype == pd.Int64Dtype()
    assert nullable.tolist() == [*exact, pd.NA]
    assert column("12345678901234567890123").tolist() == ["12345678901234567890123"]
    assert "beyond 64 bits" in notes("a,b\n12345678901234567890123,1\n")[1]


@pytest.mark.parametrize("mark, word", [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe")])
def test_delimiters_are_sniffed(mark, word):
    lines = []
    frame = read(f'a{mark}b{mark}c\n1{mark}"x,;|\t"{mark}\n2{mark}y{mark}z\n', report=lines.append)
    assert frame.shape == (2, 3)
    assert f"{word}-separated" in lines[0]


def test_sniffing_prefers_what_splits_every_record():
    assert sniff_delimiter(b"a,b|c,d\n1,2|3,4\n1,2,3|4\n", "f") == ","
    assert sniff_delimiter(b"a;b\n1,5;2,5\n", "f") == ";"
    assert sniff_delimiter(b'0\t",0"\n\t","\n', "f") == "\t"
    assert sniff_delimiter(b"text\none, two\nthree\n", "f") == ","
    assert sniff_delimiter(b"a,b\n1,2,3\n", "f") == ","
    assert read("a:b\n1:2\n", delimiter=":").shape == (1, 2)
    with pytest.raises(ValueError, match="one ASCII character"):
        read("a\n1\n", delimiter="::")


def test_type_change_late_in_the_file():
    cells = ["1"] * 200_000 + ["x"]
    series = read("a\n" + "\n".join(cells))["a"]
    assert series.dtype == object
    assert series.iloc[0] == "1"
    assert series.iloc[-1] == "x"


def test_quotes_newlines_and_line_ends():
    frame = read('a,b\r\n"x ""y""","1\r\n2"\r\n5" pipe,z\r\n')
    assert frame.to_numpy().tolist() == [['x "y"', "1\r\n2"], ['5" pipe', "z"]]
    assert read("a,b\r1,2\r3,4")["b"].tolist() == [2, 4]
    assert read('a\n""\nx\n\ny\n')["a"].tolist() == [None, "x", "y"]


def test_fast_quote_check_agrees_with_the_grammar():
    dialect = Dialect(",")
    for text in [b'a,"b"\n"c","d""e"\n', b'"a"', b"a,b", b'"","""",x']:
        assert dialect.quotes_are_regular(text)
    for text in [b'a"b,c"', b'"a"b,c', b'"a', b'x,"a"\n"b" ,c']:
        assert not dialect.quotes_are_regular(text)


def test_quoted_and_unquoted_empty_cells_are_both_missing():
    assert read('a,b\n"",1\n,2\nx,3\n')["a"].tolist() == [None, None, "x"]
    assert read('a,b\n"",1\nNA,2\n', missing=("NA",))["a"].tolist() == ["", None]


# --- types ---


def test_decimals():
    series = column("1.5", "-0.25", ".5", "5.", "1e-05", "1.5E8", "2", "1E+2")
    assert series.tolist() == [1.5, -0.25, 0.5, 5.0, 1e-05, 1.5e8, 2.0, 100.0]
    assert np.isnan(column("1.5", "")[1])
    assert column("0.1", "0.30000000000000004").tolist() == [0.1, 0.30000000000000004]
    assert column("1.5", "inf", "-inf").tolist() == [1.5, np.inf, -np.inf]
    assert column("1E5", "2E7").tolist() == ["1E5", "2E7"]
    assert column("1.5", "1e+999").tolist() == ["1.5", "1e+999"]
    assert column("-0", "5").tolist() == [0, 5]


def test_booleans_only_in_the_spelling_that_is_written_back():
    assert column("True", "False").dtype == bool
    assert column("True", "").tolist() == [True, pd.NA]
    for pair in (("true", "false"), ("TRUE", "FALSE"), ("yes", "no"), ("True", "true")):
        assert column(*pair).tolist() == list(pair)


def test_times():
    assert column("2024-02-29", "1999-12-31").dtype == "datetime64[ns]"
    mixed = column("2024-02-29 10:20", "2024-02-29T10:20:30.123456789", "", "2024-02-29")
    assert mixed.tolist()[1] == pd.Timestamp("2024-02-29T10:20:30.123456789")
    assert mixed.isna().tolist() == [False, False, True, False]
    assert column("20141013T000000").tolist() == [pd.Timestamp("2014-10-13")]
    assert column("2024-01-01T00:00:00Z").dtype == "datetime64[ns, UTC]"
    assert str(column("2024-01-01 00:00:00+05:30").iloc[0].utcoffset()) == "5:30:00"


@pytest.mark.parametrize(
    "cells, word",
    [
        (("2023-02-30", "2023-01-01"), "'2023-02-30' is no time that exists"),
        (("2023-01-01", "2023-01-01 24:00:00"), "'2023-01-01 24:00:00' is no time"),
        (("1500-01-01",), "'1500-01-01' is outside the years"),
        (("9999-12-31",), "outside the years"),
        (("2023-01-01 10:00", "2023-01-01 10:00Z"), "some times have a time zone"),
    ],
)
def test_times_that_cannot_be_stay_text_and_are_reported(cells, word):
    lines = []
    assert column(*cells, report=lines.append).tolist() == list(cells)
    assert word in lines[1]


def test_several_offsets_become_utc_and_are_reported():
    lines = []
    series = column("2024-01-01 10:00+01:00", "2024-07-01 10:00+02:00", report=lines.append)
    assert str(series.dtype) == "datetime64[ns, UTC]"
    assert series.dt.hour.tolist() == [9, 8]
    assert "became UTC" in lines[1]


def test_decimal_commas():
    lines = []
    frame = read("a;b;c;d\n3,14;1.234;1.234,5;x,y\n2,5;12.345;0,5;z\n", report=lines.append)
    assert frame["a"].tolist() == [3.14, 2.5]
    assert frame["b"].tolist() == [1234, 12345]
    assert frame["c"].tolist() == [1234.5, 0.5]
    assert frame["d"].tolist() == ["x,y", "z"]
    assert any("decimal comma" in line for line in lines)
    assert read("a;b\n1,234;1\n2,345;2\n")["a"].tolist() == ["1,234", "2,345"]
    assert read('a,b\n"3,14",1\n')["a"].tolist() == ["3,14"]
    assert "a comma may be" in notes('a,b\n"3,14",1\n')[1]


def test_spaces_around_numbers_are_dropped_but_kept_in_text():
    lines = []
    frame = read("a, b\n 1, x\n 2, y \n", report=lines.append)
    assert frame["a"].tolist() == [1, 2]
    assert frame[" b"].tolist() == [" x", " y "]
    assert "spaces around" in lines[1]


def test_labels_that_keep_numbers_from_being_numbers_are_named():
    assert "because of 'NA' (cells: 1)" in notes("n\n1\n2\n3\nNA\n")[1]
    assert len(notes("n\n1\n2\n3\n007\n")) == 1


def test_a_column_without_values():
    assert column("", "").tolist() == [None, None]
    assert "no cell has a value" in notes("a,b\n,1\n")[1]


# --- where tables come from ---


def test_files_gzip_standard_input_and_text(tmp_path, monkeypatch):
    plain = tmp_path / "t.csv"
    plain.write_text("a,b\n1,x\n")
    zipped = tmp_path / "t.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    expected = pd.DataFrame({"a": [1], "b": pd.Series(["x"], dtype=object)})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain.read_bytes())))
    for source in (plain, str(plain), zipped, "-", io.StringIO("a,b\n1,x\n")):
        pd.testing.assert_frame_equal(read_table(source), expected)


def test_sources_that_cannot_be_read(tmp_path):
    with pytest.raises(TableError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(TableError, match="is a directory"):
        read_table(tmp_path)
    with pytest.raises(TypeError, match="a path, an open file"):
        read_table(42)  # type: ignore[arg-type]
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-20])
    with pytest.raises(TableError, match="damaged gzip"):
        read_table(cut)
    with pytest.raises(TableError, match="more than 100 bytes"):
        read(gzip.compress(b"a\n" * 1000), max_bytes=100)


def test_max_rows_stops_before_what_follows():
    frame = read('a,b\n1,"x\ny"\n2,z\n3\n', max_rows=2)
    assert frame["a"].tolist() == [1, 2]
    assert len(read("a\n1\n", max_rows=10)) == 1
    with pytest.raises(ValueError, match="at least 1"):
        read("a\n1\n", max_rows=0)


def test_missing_is_not_one_string():
    with pytest.raises(TypeError, match=r"write \('NA',\)"):
        read("a\n1\n", missing="NA")


def test_parquet_keeps_its_types(tmp_path):
    table = pa.table(
        {
            "big": pa.array([2**60 + 1, None], pa.int64()),
            "small": pa.array([1, 2], pa.int16()),
            "flag": pa.array([True, None]),
            "text": pa.array(["NA", None]),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "day": pa.array([0, 1], pa.timestamp("s")),
        }
    )
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    lines = []
    frame = read_table(path, report=lines.append)
    assert frame["big"].tolist() == [2**60 + 1, pd.NA]
    assert frame["flag"].tolist() == [True, pd.NA]
    assert frame["small"].dtype == np.int16
    assert frame["text"].dtype == object
    assert frame["text"].tolist() == ["NA", None]
    assert isinstance(frame["kind"].dtype, pd.CategoricalDtype)
    assert lines == [f"{path}: Parquet; rows: 2, columns: 6"]
    assert len(read_table(path, max_rows=1)) == 1


def test_parquet_that_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1], "deep": [[1, 2]]}), path)
    with pytest.raises(TableError, match=r"column 'deep' is nested \(list"):
        read_table(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TableError, match="no Parquet file, or is cut off"):
        read_table(path)
    path.write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    with pytest.raises(TableError, match="damaged Parquet"):
        read_table(path)
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(TableError, match="0 rows"):
        read_table(path)


def test_a_named_index_in_parquet_becomes_a_column(tmp_path):
    path = Path(tmp_path / "t.parquet")
    pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")).to_parquet(path)
    assert list(read_table(path).columns) == ["key", "a"]
