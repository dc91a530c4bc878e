"""The numbers behind a picture: read off its artists, or given; packed once each; thinned when too many."""

import gzip
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_teach.live import numbers


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    ax.set(title="What is left", xlabel="step", ylabel="norm")
    yield ax
    plt.close(fig)


def only(ax):
    (table,) = numbers.read(ax.figure)
    return table


def test_lines_over_the_same_steps_make_one_table(ax):
    ax.plot([1, 2], [0.5, 0.25], label="measured")
    ax.plot([1, 2], [1, np.nan], label="bound")
    ax.plot([1, 2], [7, 7])  # without a label it is decoration
    ax.plot([1, 2], [8, 8], label="hidden", visible=False)
    assert only(ax) == {
        "caption": "What is left",
        "columns": ["step", "measured", "bound"],
        "rows": [[1, 0.5, 1], [2, 0.25, None]],
    }


def test_lines_over_other_steps_make_their_own(ax):
    ax.plot([1, 2], [0.5, 0.25], label="measured")
    ax.plot([0, 9], [1, 1], label="bound")
    assert [table["rows"] for table in numbers.read(ax.figure)] == [
        [[1, 0.5], [2, 0.25]],
        [[0, 1], [9, 1]],
    ]


def test_bars_points_and_images(ax):
    ax.bar([0, 1], [3, 4], label="count")
    ax.barh([0, 1], [5, 6], label="lying")
    ax.scatter([7, 8], [9, 10], label="dots")
    ax.imshow([[1.0, 2.0], [3.0, 4.0]], label="map")
    bars, lying, dots, image = numbers.read(ax.figure)
    assert (bars["columns"], bars["rows"]) == (["step", "count"], [[0, 3], [1, 4]])
    assert (lying["columns"], lying["rows"]) == (["norm", "lying"], [[0, 5], [1, 6]])
    assert (dots["columns"], dots["rows"]) == (["step", "dots"], [[7, 9], [8, 10]])
    assert image["caption"] == "map"
    assert image["columns"] == ["norm", "step 0", "step 1"]
    assert image["rows"] == [[0, 1, 2], [1, 3, 4]]


def test_a_given_table_may_hold_words_and_has_four_digits():
    given = {"cell": ["RNN", "GRU"], "left": np.array([1.23456e-9, 123456.0])}
    assert numbers.table(given)["rows"] == [["RNN", 1.235e-09], ["GRU", 123500]]


def unpacked(packed):
    return json.loads(gzip.decompress(packed))


def test_each_table_is_packed_once():
    one, other = ({"caption": "", "columns": ["a"], "rows": [[k]]} for k in (1, 2))
    data = unpacked(numbers.encode([[one, other], [one], []]))
    assert data == {"tables": [one, other], "at": [[0, 1], [0], []]}
    assert numbers.encode([[], []]) == b""


def test_too_many_rows_are_thinned_and_the_caption_says_so(monkeypatch):
    rng = np.random.default_rng(0)
    table = numbers.table({"x": rng.normal(size=1000)})
    whole = len(numbers.encode([[table]]))
    monkeypatch.setattr(numbers, "MAX_BYTES", whole // 3)
    packed = numbers.encode([[{**table, "caption": "noise"}]])
    assert len(packed) <= whole // 3
    (thin,) = unpacked(packed)["tables"]
    assert thin["caption"] == "noise (one row in 4)"
    assert thin["rows"] == table["rows"][::4]
