"""Chapter 11's connectivity figure: what a prediction leans on, against moved inputs."""

import numpy as np
import pytest

from rnn_teach.figures import connectivity, contest
from rnn_teach.sampling import next_symbol, read

TEXT = connectivity.PASSAGE


@pytest.fixture(scope="module")
def readers():
    return {cell: connectivity.train(cell, H=12, steps=30, seed=4) for cell in contest.CELLS}


def test_the_passage_is_held_out_and_fits_its_two_rows(readers):
    data = readers["RNN"].data
    assert TEXT in data.held_out and TEXT not in data.train
    assert len(TEXT) == connectivity.LONGEST == 60
    assert TEXT[connectivity.FIRST_ROW - 1] == " ", "a row ends with a word"


def test_all_cells_read_the_same_text_and_learn_from_it(readers):
    assert len({reader.data.train for reader in readers.values()}) == 1
    for cell, reader in readers.items():
        before, after = connectivity.losses(reader)
        assert after < before - 0.3
        assert type(reader.trained.cell) is contest.CELLS[cell]
        again = connectivity.train(cell, H=12, steps=30, seed=4)
        for name, p in reader.trained.parameters.items():
            assert (p == again.trained.parameters[name]).all()
            assert name == "readout.b_y" or (p != reader.untrained.parameters[name]).any()


@pytest.mark.parametrize("cell", contest.CELLS)
def test_the_lean_is_the_slope_of_the_expected_symbols_score(readers, cell):
    network, vocabulary = readers[cell].trained, readers[cell].data.vocabulary
    shares = connectivity.lean(network, vocabulary, TEXT)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert not np.triu(shares, 1).any(), "what comes later cannot matter"
    t, step = 20, 1e-30
    x = vocabulary.one_hot(vocabulary.encode(TEXT[: t + 1]))
    expected = read(network, vocabulary, TEXT[: t + 1])[0].argmax()
    slopes = []
    for s in range(t + 1):
        moved = np.repeat(x[:, None], vocabulary.size, axis=1).astype(complex)
        moved[s] += 1j * step * np.eye(vocabulary.size)
        y = network.readout.forward(network.cell.forward(moved).h[-1])
        slopes.append(np.linalg.norm((y[:, expected] - y.mean(axis=1)).imag) / step)
    np.testing.assert_allclose(shares[t, : t + 1], np.array(slopes) / sum(slopes), rtol=1e-9)


@pytest.mark.parametrize("cell", contest.CELLS)
def test_the_mean_is_over_pieces_of_the_held_out_text(readers, cell, monkeypatch):
    monkeypatch.setattr(connectivity, "WINDOWS", 3)
    network, data = readers[cell].trained, readers[cell].data
    last = len(data.held_out) - 60
    pieces = [data.held_out[start : start + 60] for start in (0, last // 2, last)]
    rows = [connectivity.lean(network, data.vocabulary, piece)[-1, ::-1] for piece in pieces]
    np.testing.assert_allclose(
        connectivity.lean_at_distances(network, data), np.mean(rows, axis=0), rtol=1e-9
    )


def test_characters_for_counts_from_the_last():
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    assert [connectivity.characters_for(shares, part) for part in (0.1, 0.4, 0.7, 0.71, 1)] == [
        1, 1, 2, 3, 4,
    ]  # fmt: skip


def test_leaning_draws_the_shares_and_says_them(readers):
    figure = connectivity.leaning(readers)
    figure.at = 40
    vocabulary = readers["RNN"].data.vocabulary
    fig = figure._drawing.fig
    wide = {line.get_color(): line for line in fig.axes[0].get_lines() if line.get_linewidth() == 7}
    dashes = [line for line in fig.axes[0].get_lines() if line.get_marker() == "_"]
    sentence = figure._picture["sentence"]
    assert sentence.startswith(f"After “{TEXT[:41]}”")
    for (cell, reader), dash in zip(readers.items(), dashes, strict=True):
        shares = connectivity.lean(reader.trained, vocabulary, TEXT)[40, :41]
        x, y = wide[connectivity.plots.CELL_COLORS[cell]].get_xydata().T
        np.testing.assert_allclose(x[::3], [*range(33), *range(8)])
        np.testing.assert_allclose(y[1::3] - y[::3], 0.85 * shares / shares.max(), atol=1e-12)
        null = connectivity.lean(reader.untrained, vocabulary, TEXT)[40, :41]
        tall, there = 0.85 * null / null.max(), null > 0.02 * null.max()
        np.testing.assert_allclose(dash.get_xdata(), x[::3][there])
        np.testing.assert_allclose(dash.get_ydata(), (y[::3] + tall)[there])
        p = next_symbol(read(reader.trained, vocabulary, TEXT[:41])[0])
        many = connectivity.characters_for(shares[::-1], 0.9)
        symbol = connectivity.SHOWN.get(
            vocabulary.symbols[p.argmax()], vocabulary.symbols[p.argmax()]
        )
        assert (
            f"{cell} expects “{symbol}” ({p.max():.0%}), with 90 % of its lean on {many} char"
            in sentence
        )
    lit = [k for k, column in enumerate(fig.axes[0].patches) if column.get_alpha()]
    assert lit == [40]


def test_a_character_is_pointed_at_where_it_stands(readers):
    figure = connectivity.leaning(readers)
    [control] = figure._controls
    texts = [text for text in figure._drawing.fig.axes[0].texts if text.get_size() == 11]
    shown = "".join(text.get_text() for text in texts)
    assert shown == TEXT
    for column, text in zip(control.artists, texts, strict=True):
        x, y = text.get_position()
        assert column.get_x() < x < column.get_x() + column.get_width()
        assert column.get_y() < y < column.get_y() + column.get_height()
