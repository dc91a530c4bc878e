"""Chapter 07's remedies and strides: where the networks begin, what is measured, what is drawn."""

from itertools import pairwise

import numpy as np
import pytest

from rnn_teach import plots, tasks, training
from rnn_teach.figures import remedies, strides


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def figure():
    return remedies.remedies()


@pytest.mark.parametrize("name", remedies.REMEDIES)
def test_a_network_starts_as_its_remedy_says(name):
    remedy = remedies.REMEDIES[name]
    cell = remedies.network(remedy, rng=rng()).cell
    start = {
        "uniform": cell.W_h,  # the package's own
        "orthogonal": np.linalg.qr(cell.W_h)[0] * np.sign(np.diag(np.linalg.qr(cell.W_h)[1])),
        "identity": np.eye(32),
    }[remedy.start]
    np.testing.assert_allclose(cell.W_h, start, atol=1e-12)
    if remedy.start == "uniform":
        assert np.abs(cell.W_h).max() <= 1 / np.sqrt(32) and np.abs(cell.W_h).max() > 0.15
    else:
        np.testing.assert_allclose(cell.W_h @ cell.W_h.T, np.eye(32), atol=1e-12)
    assert cell.nonlinearity == remedy.activation
    assert getattr(cell, "norm", None) == remedy.norm


def test_every_remedy_is_another_one():
    assert len(set(remedies.REMEDIES.values())) == len(remedies.REMEDIES)
    assert remedies.REMEDIES["plain tanh"] == remedies.Remedy()


@pytest.mark.parametrize("name", ["plain tanh", "leaky ReLU", "layer normalization"])
def test_the_gradient_at_every_lag_is_that_of_the_loss(name):
    model = remedies.network(remedies.REMEDIES[name], rng=rng(3))
    exam = remedies.TASK.batch(4, rng=rng(4))
    measured = remedies.gradient_at_lags(model, exam)
    h = model.cell.forward(exam.x).h
    norms = []
    for t in (24, 23, 14):  # move the state after step t, run the rest, see how each loss moves
        of_each = []
        for n in range(4):
            moved = h[t, n] + 1e-30j * np.eye(32)
            rest = np.repeat(exam.x[t + 1 :, n : n + 1], 32, axis=1)
            last = model.cell.forward(rest, moved).h[-1] if len(rest) else moved
            logits = last @ model.readout.W_y + model.readout.b_y
            loss = np.log(np.exp(logits).sum(axis=1)) - logits[:, exam.target[n]]
            of_each.append(np.linalg.norm(loss.imag / 1e-30))
        norms.append(np.array(of_each))
    for k, norm in zip((0, 1, 10), norms, strict=True):
        assert measured[k] == pytest.approx(np.median(norm / norms[0]), rel=1e-8)


def test_a_run_is_what_fit_does_seen_every_ten_updates():
    run = remedies.train(remedies.Remedy(start="orthogonal"), seed=1)
    assert run.left.shape == (21, 25) and run.right.shape == (21,) and run.grad_norm.shape == (200,)
    generator = rng(1)
    model = remedies.network(remedies.Remedy(start="orthogonal"), rng=generator)
    exam = remedies.TASK.batch(500, rng=rng(99))
    np.testing.assert_array_equal(run.left[0], remedies.gradient_at_lags(model, exam))
    lessons = tasks.batches(remedies.TASK, 32, rng=generator)
    training.fit(model, lessons, steps=50, optimizer=training.Adam(2e-3), **remedies.TASK.options)
    np.testing.assert_allclose(run.left[5], remedies.gradient_at_lags(model, exam), rtol=1e-9)
    answers = (model.cell.forward(exam.x).h[-1] @ model.readout.W_y).argmax(axis=1)
    assert run.right[5] == pytest.approx((answers == exam.target).mean(), abs=0.01)


def test_clipping_is_handed_to_fit():
    remedy = remedies.Remedy(start="identity", activation="relu", clip=1e-9)
    run = remedies.train(remedy, 0, training.SGD(0.1))
    assert np.ptp(run.left, axis=0).max() < 1e-6  # steps so short that nothing is learned


def test_a_rotation_learns_and_the_plain_network_does_not():
    plain, rotation = (remedies.trained(name) for name in ("plain tanh", "orthogonal start"))
    assert max(run.right.max() for run in plain) < 0.6
    assert min(run.right[-1] for run in rotation) > 0.95
    assert max(run.left[0, -1] for run in plain) < 1e-4 < min(run.left[0, -1] for run in rotation)


@pytest.mark.parametrize("updates", [0, 50, 200])
def test_the_figure_draws_the_runs_and_the_null(figure, updates):
    figure.remedy, figure.updates = "orthogonal start", updates
    top, bottom = figure._drawing.fig.axes
    runs, plain = (remedies.trained(name) for name in ("orthogonal start", "plain tanh"))
    left = np.array([run.left[updates // 10] for run in runs])
    usual = np.median([run.left[updates // 10] for run in plain], axis=0)
    kept, null, mine = top.get_lines()
    assert np.all(kept.get_ydata() == 1)
    np.testing.assert_array_equal(null.get_ydata(), usual)
    np.testing.assert_array_equal(mine.get_ydata(), np.median(left, axis=0))
    [band] = top.patches
    np.testing.assert_array_equal(band.get_xy()[:25, 1], left.min(axis=0))
    np.testing.assert_array_equal(band.get_xy()[25:50, 1], left.max(axis=0)[::-1])
    guess, null, curve, now = bottom.get_lines()
    assert np.all(np.array(guess.get_ydata()) == 0.5)
    np.testing.assert_array_equal(null.get_ydata(), np.median([r.right for r in plain], axis=0))
    right = np.median([run.right for run in runs], axis=0)
    np.testing.assert_array_equal(curve.get_ydata(), right)
    np.testing.assert_array_equal(now.get_xydata(), [(updates, right[updates // 10])])
    says = figure._picture["sentence"]
    assert says.startswith(f"Orthogonal start, after {updates} updates: 24 steps back")
    assert says.endswith(f"and {right[updates // 10]:.0%} of the answers are right.")
    assert f"(plain: at {plots.power_of_ten(usual[-1])} of its size)" in says


@pytest.mark.parametrize("stride", strides.STRIDES)
def test_a_stride_keeps_the_last_year_and_every_so_many_before_it(stride):
    kept = strides.every(stride, np.arange(40))
    assert kept[-1] == 39 and all(b - a == stride for a, b in pairwise(kept))
    assert kept[0] < stride


def test_the_held_out_years_are_those_after_1920_each_after_its_forty():
    years, numbers = tasks.sunspots()
    exam = strides.held_out()
    assert exam.x.shape == (40, 88, 1) and exam.target.shape == (88, 1)
    for n, year in enumerate(range(1921, 2009)):
        at = int(np.flatnonzero(years == year)[0])
        assert exam.target[n, 0] == numbers[at] / 100
        np.testing.assert_array_equal(exam.x[:, n, 0], numbers[at - 40 : at] / 100)
    assert strides.never_forecast() == pytest.approx(tasks.Sunspots(T=40, last=1920).baseline())


@pytest.mark.parametrize("stride", [4, 5])
def test_the_regression_is_fitted_before_and_judged_after(stride):
    years, numbers = tasks.sunspots()
    rows = [
        [*(numbers[at - 1 - stride * j] for j in range(40 // stride)), 100.0, numbers[at]]
        for at in range(40, len(years))
    ]
    table = np.array(rows) / 100
    before = years[40:] <= 1920
    x, y = table[:, :-1], table[:, -1]
    weights = np.linalg.solve(x[before].T @ x[before], x[before].T @ y[before])
    error = ((x[~before] @ weights - y[~before]) ** 2).mean()
    assert strides.forecast(stride).linear == pytest.approx(error, rel=1e-6)


def test_a_longer_stride_lets_the_gradient_through_and_loses_the_cycle(monkeypatch):
    near, far = strides.forecast(1), strides.forecast(5)
    assert np.median(far.left) > 1e4 * np.median(near.left)
    assert far.error.min() > 1.5 * near.error.max() and far.linear > 1.5 * near.linear
    monkeypatch.setattr(strides, "STRIDES", (1, 5))  # those that are trained already
    figure = strides.shorter_steps()
    figure.stride = 5
    series, error, left = figure._drawing.fig.axes
    years, numbers = tasks.sunspots()
    full, asked, read = series.get_lines()
    np.testing.assert_array_equal(full.get_xydata(), np.c_[years, numbers])
    np.testing.assert_array_equal(asked.get_xydata(), [(1957, numbers[years == 1957][0])])
    expected = [(year, numbers[year - 1700]) for year in range(1921, 1957, 5)]
    np.testing.assert_array_equal(read.get_xydata(), expected)
    null, linear, network, dot = error.get_lines()
    assert np.all(np.array(null.get_ydata()) == strides.never_forecast())
    np.testing.assert_array_equal(linear.get_ydata(), [near.linear, far.linear])
    np.testing.assert_array_equal(network.get_ydata(), np.median([near.error, far.error], axis=1))
    np.testing.assert_array_equal(dot.get_xydata(), [(5, np.median(far.error))])
    np.testing.assert_array_equal(left.get_lines()[-1].get_xydata(), [(5, np.median(far.left))])
    says = figure._picture["sentence"]
    assert says.startswith("Read every 5 years, forty years are 8 steps: 10⁻¹ of the gradient")
    assert f"the error is {np.median(far.error):.3f}" in says
