"""Chapter 05's truncation figure against windows opened by hand, and the task that needs long ones."""

from itertools import product

import numpy as np
import pytest
from test_blame import losses

from rnn_teach import bptt, plots
from rnn_teach.figures import blame, truncation
from rnn_teach.figures.truncation import SIDE_BY_SIDE, T


@pytest.mark.parametrize("gain", [0.6, 1.4])
def test_a_piece_is_what_one_step_s_weights_do_to_one_loss(gain):
    model = blame.network(gain)
    x, target = blame.sequences(T, truncation.N)
    pieces = truncation.asked_and_paid(gain)
    v = np.random.default_rng(1).normal(size=(blame.H, blame.H))
    for s in (1, 7, 15):
        own = np.repeat(model.cell.W_h[None].astype(complex), T, axis=0)
        own[s] += 1e-30j * v
        each = [losses(model, x[:, n], target[:, n], own=own) for n in range(truncation.N)]
        slopes = np.mean(each, axis=0).imag / 1e-30
        np.testing.assert_allclose((pieces[:, s] * v).sum(axis=(1, 2)), slopes, atol=1e-12)


@pytest.mark.parametrize("gain", [0.6, 1.0, 1.4])
def test_the_pieces_are_the_gradient_and_nobody_is_blamed_for_what_came_before(gain):
    pieces = truncation.asked_and_paid(gain)
    x, target = blame.sequences(T, truncation.N)
    options = {"loss": "squared_error", "over_time": "sum"}
    whole = bptt(blame.network(gain), x, target, **options).grads["cell.W_h"]
    np.testing.assert_allclose(pieces.sum(axis=(0, 1)), whole, atol=1e-13)
    assert not pieces[np.triu_indices(T, 1)].any()


@pytest.mark.parametrize("k1, k2", [(1, 1), (1, 5), (4, 4), (3, 7), (5, 5), (5, 16), (16, 16)])
def test_a_window_lets_through_what_the_truncated_gradient_is_made_of(k1, k2):
    seen = np.zeros((T, T), bool)
    for first in range(0, T, k1):  # each window by itself, as the chapter tells it
        end = min(first + k1, T)
        for e, s in product(range(first, end), range(max(0, end - k2), end)):
            seen[e, s] = s <= e
    np.testing.assert_array_equal(truncation.reached(k1, k2), seen)
    kept = truncation.asked_and_paid(1.0)[seen].sum(axis=0)
    np.testing.assert_allclose(truncation.truncated_gradient(1.0, k1, k2), kept, atol=1e-13)


def test_angles():
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4))
    cosine = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
    assert truncation.angle(a, b) == pytest.approx(np.degrees(np.arccos(cosine)))
    assert truncation.angle(a, 3 * a) == 0 and truncation.angle(a, -a) == 180


@pytest.mark.parametrize("gain", [0.6, 1.0, 1.4])
def test_how_far_from_the_truth(gain):
    pieces = truncation.asked_and_paid(gain)
    whole = pieces.sum(axis=(0, 1))
    for k1 in (SIDE_BY_SIDE, 1):
        away, length = truncation.from_the_truth(gain, k1)
        for k2 in (1, 4, 11):
            kept = pieces[truncation.reached(k1 or k2, k2)].sum(axis=0)
            assert away[k2 - 1] == pytest.approx(truncation.angle(kept, whole), abs=1e-6)
            ratio = np.linalg.norm(kept) / np.linalg.norm(whole)
            assert length[k2 - 1] == pytest.approx(ratio)
        assert away[-1] == 0 and length[-1] == pytest.approx(1)


def test_a_random_direction_stands_at_a_right_angle():
    angles = truncation.random_angles()
    assert angles.mean() == pytest.approx(90, abs=0.5)
    assert np.degrees(1 / blame.H) == pytest.approx(angles.std(), rel=0.1)  # 1/√(H·H)


@pytest.mark.parametrize("k2, k1, gain", [(4, SIDE_BY_SIDE, 1.0), (1, 1, 0.6), (16, 1, 1.4)])
def test_the_picture_shows_what_is_let_through_and_the_angle(k2, k1, gain):
    figure = truncation.truncation_window()
    figure.k2, figure.k1, figure.gain = k2, k1, gain
    left, right = figure._drawing.fig.axes
    kept, lost = (
        np.array([path.vertices[:4] for path in shapes.get_paths()]).reshape(-1, 4, 2)
        for shapes in left.collections
    )
    seen = truncation.reached(k1 or k2, k2)
    sizes = np.linalg.norm(truncation.asked_and_paid(gain), axis=(2, 3))
    for squares, cells in ((kept, seen), (lost, np.tril(~seen))):
        e, s = np.nonzero(cells)
        np.testing.assert_allclose(squares.mean(axis=1), np.c_[s, e] + 1, atol=1e-9)
        areas = np.ptp(squares[:, :, 0], axis=1) * np.ptp(squares[:, :, 1], axis=1)
        np.testing.assert_allclose(areas, 0.9 * sizes[e, s] / sizes.max(), atol=1e-9)
    away, length = truncation.from_the_truth(gain, k1)
    curve, dot = right.get_lines()
    np.testing.assert_array_equal(curve.get_xydata(), np.c_[range(1, T + 1), away])
    np.testing.assert_array_equal(dot.get_xydata(), [(k2, away[k2 - 1])])
    assert figure._picture["sentence"] == (
        f"Gain {gain:.1f}, windows of {k2} {'overlapping' if k1 else 'side by side'}: "
        f"{len(lost)} of 136 pieces of blame are cut off. What is left points "
        f"{away[k2 - 1]:.0f}° away from the true gradient and has {length[k2 - 1]:.2f} times its "
        "length."
    )


def test_the_band_is_where_random_directions_lie():
    [band] = truncation.truncation_window()._drawing.fig.axes[1].patches
    low, high = np.quantile(truncation.random_angles(), [0.05, 0.95])
    assert band.get_y() == pytest.approx(low) and band.get_height() == pytest.approx(high - low)
    assert band.get_facecolor()[:3] == pytest.approx(plots.mpl.colors.to_rgb(plots.GRID))


def test_windows_are_chosen_from_a_list():
    figure = truncation.truncation_window()
    [control] = [control for control in figure._controls if control.name == "k1"]
    assert control.kind == "select" and control.texts == tuple(truncation.WINDOWS)


def test_echo_asks_for_the_symbol_of_lag_steps_before():
    batch = truncation.echo(9, 4, 50, rng=np.random.default_rng(0))
    assert batch.x.shape == (9, 50, 2) and batch.target.shape == (9, 50)
    symbols = batch.x.argmax(axis=2)
    np.testing.assert_array_equal(batch.x.sum(axis=2), 1)
    for t in range(9):
        expected = symbols[t - 4] if t >= 4 else 0 * symbols[t]
        np.testing.assert_array_equal(batch.target[t], expected)
    assert 0.4 < symbols.mean() < 0.6
