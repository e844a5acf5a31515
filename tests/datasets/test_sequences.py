"""Sequences that come with logomaker are what their cards say."""

import numpy as np
import pytest

from intarsia_datasets import card, crp_sites, human_5ss, load

pytest.importorskip("logomaker")


def test_crp_sites_are_aligned_dna() -> None:
    frame = crp_sites()
    assert frame.shape == (card("crp_sites").rows, card("crp_sites").columns)
    assert frame["sequence"].str.fullmatch("[ACGT]{26}").all()
    assert frame["sequence"].nunique() == 308
    assert frame.iloc[0].tolist() == ["ATAAGCAGGATTTAGCTCACACTTAT", "caiFp", -41.5]


def test_splice_sites_have_the_entropy_of_the_card() -> None:
    frame = load("human_5ss")
    assert frame.equals(human_5ss())
    assert frame.shape == (card("human_5ss").rows, card("human_5ss").columns)
    assert frame["sequence"].str.fullmatch("[ACGU]{3}G[CU][ACGU]{4}").all()
    assert frame["sequence"].is_unique
    assert (frame["count"].max(), frame["count"].min(), frame["count"].sum()) == (3_729, 1, 298_479)
    shares = frame["count"].to_numpy() / 298_479
    assert -(shares * np.log(shares)).sum() == pytest.approx(6.7592, abs=5e-5)
