"""The writer: what is read comes back, files appear whole or not at all, pieces need the memory of one."""

import os
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intarsia_domains.tabular import _write
from intarsia_domains.tabular._read import TableError, read_table
from intarsia_domains.tabular._write import TableWriter, write_table

FORMATS = ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.parquet"]
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = """NA 00123 +5 1e5 1E5 3,14 1,234 a;b a|b q" " ' =1+1 👩‍🔬é日本 -0 -0.0 True true inf PAR1
    2024-01-01 2023-02-30 99999999999999999999999"""
tricky = st.sampled_from([*WORDS.split(), "x\ny", "\r\n", " x ", "\ufeffx", "\x00", "\t", ""])
cell = st.one_of(text, tricky)
number = st.one_of(st.integers(-(2**63), 2**63 - 1), st.just(None))
real = st.one_of(st.floats(allow_nan=False), st.just(None))


@st.composite
def raw_tables(draw):
    """A CSV table of quoted cells, as any program may have written it."""
    rows = draw(st.integers(1, 6))
    kinds = st.sampled_from([cell, number, real, st.datetimes().map(str)])
    columns = [draw(st.lists(draw(kinds), min_size=rows, max_size=rows)) for _ in range(draw(st.integers(1, 4)))]
    names = draw(st.lists(cell.filter(str.strip), min_size=len(columns), max_size=len(columns), unique=True))
    table = [names, *zip(*columns, strict=True)]
    quoted = [['"' + ("" if c is None else str(c)).replace('"', '""') + '"' for c in row] for row in table]
    return "".join(",".join(row) + "\n" for row in quoted).encode()


@pytest.mark.parametrize("name", FORMATS)
@quick
@given(data=raw_tables())
def test_what_is_read_comes_back_equal(tmp_path, name, data):
    source, target = tmp_path / "source.csv", tmp_path / name
    source.write_bytes(data)
    frame = read_table(source)
    before = frame.copy(deep=True)
    write_table(frame, target)
    pd.testing.assert_frame_equal(read_table(target), frame)
    pd.testing.assert_frame_equal(frame, before)


@quick
@given(values=st.lists(cell, min_size=1, max_size=6), name=cell.filter(str.strip))
def test_texts_come_back_as_they_were(tmp_path, values, name):
    values = [*values, "no number"]
    write_table(pd.DataFrame({name: pd.Series(values, dtype=object)}), tmp_path / "t.csv")
    back = read_table(tmp_path / "t.csv")
    assert list(back.columns) == [name]
    assert back[name].tolist() == [value or None for value in values]


@quick
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_come_back_to_the_last_bit(tmp_path, values):
    write_table(pd.DataFrame({"x": np.array(values)}), tmp_path / "t.csv")
    back = read_table(tmp_path / "t.csv")["x"]
    assert back.to_numpy().tobytes() == np.array(values).tobytes()


@quick
@given(values=st.lists(number, min_size=1))
def test_integers_come_back_exactly(tmp_path, values):
    write_table(pd.DataFrame({"x": pd.array(values, dtype="Int64"), "y": "z"}), tmp_path / "t.csv")
    back = read_table(tmp_path / "t.csv")["x"]
    assert [None if value is pd.NA else value for value in back] == values


def test_cells_of_many_types(tmp_path):
    zone = pd.to_datetime(["2020-01-01 10:00", None, "2020-07-01"], format="ISO8601").tz_localize("Europe/Berlin")
    frame = pd.DataFrame(
        {
            "float": [1.0, np.nan, 1e20],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "day": pd.to_datetime(["2020-01-01", None, "1970-01-02"]),
            "when": pd.to_datetime(["2020-01-01 10:00:00.5", None, "2020-01-01"], format="ISO8601"),
            "zone": zone,
            "kind": pd.Categorical(["a,b", None, "c"]),
            "level": pd.Categorical([3, None, 1]),
            "mixed": [1, "x", Decimal("1.50")],
            "text": pd.array(["", None, "=1"], dtype="string"),
            "single": np.array([0.1, 2, 3], dtype=np.float32),
            "half": np.array([0.5, 2, 3], dtype=np.float16),
        }
    )
    write_table(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1:] == [
        '1.0,True,2020-01-01,2020-01-01 10:00:00.5,2020-01-01 10:00:00+01:00,"a,b",3,1,"",0.1,0.5',
        ",,,,,,,x,,2.0,2.0",
        "1e+20,False,1970-01-02,2020-01-01 00:00:00,2020-07-01 00:00:00+02:00,c,1,1.50,=1,3.0,3.0",
    ]


def test_missing_values_in_one_column_and_by_another_token(tmp_path):
    frame = pd.DataFrame({"a": pd.Series(["x", None, ""], dtype=object)})
    write_table(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == 'a\nx\n""\n""\n'
    write_table(frame, tmp_path / "t.csv", missing="NA")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv", missing=("NA",)), frame)
    with pytest.raises(TableError, match="column 'a' holds the text 'x', which is to mean missing"):
        write_table(frame, tmp_path / "t.csv", missing="x")


def test_formulas_are_escaped_on_request_and_only_in_text(tmp_path):
    frame = pd.DataFrame({"t": ["=1+1", "+a", "-b", "@c", "\td", "\re", "f=1"], "n": [-1] * 7})
    write_table(frame, tmp_path / "t.csv", escape_formulas=True)
    back = read_table(tmp_path / "t.csv")
    assert back["t"].tolist() == ["'=1+1", "'+a", "'-b", "'@c", "'\td", "'\re", "f=1"]
    assert back["n"].tolist() == [-1] * 7
    write_table(frame, tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv")["t"].tolist() == frame["t"].tolist()


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_frames_that_cannot_be_written(tmp_path, name):
    target = tmp_path / name
    for frame, message in [
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' is repeated"),
        (pd.DataFrame({"": [1]}), "empty name"),
        (pd.DataFrame({"s": ["\ud800"]}, dtype=object), "surrogate"),
        (pd.DataFrame([[1]], columns=pd.Index(["\udfff"], dtype=object)), "surrogate"),
    ]:
        with pytest.raises(TableError, match=message):
            write_table(frame, target)
    with pytest.raises(TypeError, match="got list"):
        write_table([1], target)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_nested_cells_are_refused_by_name(tmp_path):
    with pytest.raises(TableError, match="column 'deep' holds list values"):
        write_table(pd.DataFrame({"deep": [[1], [2]]}), tmp_path / "t.csv")
    with pytest.raises(TableError, match=r"does not fit its Parquet type.*column mixed"):
        write_table(pd.DataFrame({"mixed": [1, "x"]}), tmp_path / "t.parquet")


def test_the_name_says_the_format(tmp_path):
    with pytest.raises(TableError, match=r"end it in one of \.csv"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.xlsx")
    with pytest.raises(ValueError, match="no format 'xml'"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t", format="xml")  # type: ignore[arg-type]
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "t", format="tsv")
    assert (tmp_path / "t").read_text() == "a\n1\n"


def test_standard_output(capfdbinary):
    code = (
        "import pandas as pd; from intarsia_domains.tabular._write import write_table\n"
        "write_table(pd.DataFrame({'é': [1, 2]}), '-')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=_environment())
    assert done.stdout == "é\n1\n2\n".encode()


# --- whole or not at all ---


@pytest.mark.parametrize("name", FORMATS)
def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, name):
    target = tmp_path / name
    write_table(pd.DataFrame({"a": [1]}), target)
    old = target.read_bytes()
    with pytest.raises(RuntimeError, match="in the middle"), TableWriter(target) as writer:
        writer.append(pd.DataFrame({"a": range(1000)}))
        raise RuntimeError("in the middle")
    assert target.read_bytes() == old
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "t.csv"
    target.write_text("old\n")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_write.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_table(pd.DataFrame({"a": [1]}), target)
    assert target.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_links_and_devices(tmp_path):
    target, link = tmp_path / "t.csv", tmp_path / "link.csv"
    target.write_text("old\n")
    target.chmod(0o640)
    link.symlink_to(target)
    write_table(pd.DataFrame({"a": [1]}), link)
    assert link.is_symlink()
    assert target.read_text() == "a\n1\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    write_table(pd.DataFrame({"a": [1]}), os.devnull, format="csv")
    assert not Path(os.devnull).is_file()
    with pytest.raises(TableError, match="cannot be written"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "none" / "t.csv")
    with pytest.raises(TableError, match="is a directory"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path, format="csv")


# --- in pieces ---


@pytest.mark.parametrize("name", FORMATS)
def test_pieces_make_the_whole(tmp_path, name):
    frame = pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64"), "b": ["x", None, "y,", "z"]})
    frame["b"] = frame["b"].astype(object).where(frame["b"].notna(), None)
    with TableWriter(tmp_path / name) as writer:
        for start in range(4):
            writer.append(frame.iloc[start : start + 1])
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_pieces_have_one_set_of_columns(tmp_path):
    with (
        pytest.raises(TableError, match=r"columns \['b'\], the first had \['a'\]"),
        TableWriter(tmp_path / "t.csv") as writer,
    ):
        writer.append(pd.DataFrame({"a": [1]}))
        writer.append(pd.DataFrame({"b": [1]}))
    with pytest.raises(TableError, match="nothing to write"), TableWriter(tmp_path / "t.csv"):
        pass
    with pytest.raises(TableError, match="does not fit"), TableWriter(tmp_path / "t.parquet") as writer:
        writer.append(pd.DataFrame({"a": [1]}))
        writer.append(pd.DataFrame({"a": ["x"]}))
    assert list(tmp_path.iterdir()) == []


def test_gzip_is_reproducible(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "ascii"}
