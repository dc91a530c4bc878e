"""Singular values of long products: against values known down to 1e-200 and beyond, and against a
plain SVD wherever the product still fits into numbers."""

import numpy as np
import pytest
from cases import CELLS, case

from rnn_teach import LSTM, RNN
from rnn_teach.diagnostics import (
    jacobian_norms,
    log_singular_values,
    lyapunov_spectrum,
    step_jacobians,
)
from rnn_teach.diagnostics.spectrum import _spectra


def linear(W) -> RNN:
    cell = RNN(1, len(W), rng=np.random.default_rng(0), nonlinearity="identity")
    cell.W_h = np.array(W)
    return cell


def silence(T: int) -> np.ndarray:
    return np.zeros((T, 1, 1))


def test_known_values_of_a_diagonal_network_down_to_1e_200_and_far_below():
    decay = np.array([1e-4, 1.0, 1e-8, 0.5, 1e-1])
    cell = linear(np.diag(decay))
    T = 51
    logs = log_singular_values(cell, cell.forward(silence(T)))
    steps = np.arange(T)[::-1, None]
    np.testing.assert_allclose(logs, steps * np.log(np.sort(decay)[::-1]), rtol=1e-13, atol=1e-13)
    assert logs[0, -2] == pytest.approx(-200 * np.log(10))
    assert logs[0, -1] == pytest.approx(-400 * np.log(10))  # no float is as small as that
    # the plain product has lost them
    plain = np.linalg.svd(np.linalg.matrix_power(cell.W_h, T - 1))[1]
    assert plain[-1] == 0


def test_known_values_stay_right_when_no_axis_is_special():
    """A dense symmetric matrix: the powers of its eigenvalues, 1e-200 and all."""
    V = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    decay = 10.0 ** -np.arange(6)
    cell = linear(V * decay @ V.T)
    logs = log_singular_values(cell, cell.forward(silence(41)))
    np.testing.assert_allclose(logs[0], 40 * np.log(decay), rtol=1e-9, atol=1e-9)
    plain = np.linalg.svd(np.linalg.matrix_power(cell.W_h, 40))[1]
    with np.errstate(divide="ignore"):
        assert (
            np.abs(np.log(plain[2:]) - logs[0, 2:]).min() > 10
        )  # wrong by 4 powers of ten or more


@pytest.mark.parametrize("ratio", [1.0, 1.01, 1.5, 3.0, 10.0, 300.0])
def test_close_and_distant_values_alike(ratio):
    """Two orthogonal matrices around a known diagonal, in a product of three steps."""
    rng = np.random.default_rng(0)
    S = 24
    sigma = ratio ** -np.arange(S)
    turn, left, right = (np.linalg.qr(rng.normal(size=(S, S)))[0] for _ in range(3))
    jacobians = np.array([right, np.diag(sigma), turn @ np.diag(sigma), left @ turn.T])
    logs = _spectra(jacobians, range(5))
    np.testing.assert_allclose(logs[0], 2 * np.log(sigma), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(logs[2], np.log(sigma), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(logs[3:], 0, atol=1e-12)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
def test_where_the_product_can_be_written_down_its_svd_says_the_same(kind, ragged):
    c = case(kind, T=8, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    for n in range(4):
        logs = log_singular_values(c.cell, trace, n)
        product = np.eye(logs.shape[1])
        for t, J in reversed(list(enumerate(step_jacobians(c.cell, trace, n)))):
            sigma = np.linalg.svd(product)[1]
            seen = sigma > 1e-12 * sigma[0]  # below, the plain SVD knows nothing
            np.testing.assert_allclose(np.exp(logs[t])[seen], sigma[seen], rtol=1e-3)
            sure = sigma > 1e-7 * sigma[0]
            np.testing.assert_allclose(np.exp(logs[t])[sure], sigma[sure], rtol=1e-8)
            product = product @ J
        np.testing.assert_allclose(np.exp(logs[:, 0]), jacobian_norms(c.cell, trace, n), rtol=1e-11)


def test_what_multiplies_all_volumes_is_the_determinant():
    """The sum of all logarithms is the sum of log |det J|, which no product can spoil."""
    rng = np.random.default_rng(0)
    for cell in (RNN(3, 16, rng=rng), LSTM(3, 8, rng=rng, forget_bias=1.0)):
        trace = cell.forward(rng.normal(size=(200, 1, 3)))
        dets = np.linalg.slogdet(step_jacobians(cell, trace))[1]
        expected = np.concatenate([np.cumsum(dets[:0:-1])[::-1], [0]])
        np.testing.assert_allclose(
            log_singular_values(cell, trace).sum(axis=1), expected, rtol=1e-9, atol=1e-9
        )
        spectrum = lyapunov_spectrum(cell, trace)
        assert spectrum.sum() == pytest.approx(dets.sum() / 200, rel=1e-9)
        assert (np.diff(spectrum) <= 0).all()


def test_a_direction_that_is_lost_is_minus_infinity():
    cell = linear([[0.5, 0.0], [0.0, 0.0]])
    logs = log_singular_values(cell, cell.forward(silence(4)))
    np.testing.assert_allclose(logs[:, 0], np.log(0.5) * np.arange(4)[::-1])
    assert logs[-1, 1] == 0 and (logs[:-1, 1] == -np.inf).all()
    dead = RNN(1, 3, rng=np.random.default_rng(0), nonlinearity="relu")
    dead.b[:] = -1e3
    assert (log_singular_values(dead, dead.forward(silence(3)))[0] == -np.inf).all()


def test_lyapunov_exponents_of_a_linear_network_are_those_of_its_matrix():
    W = np.random.default_rng(1).normal(size=(5, 5))
    cell = linear(W)
    found = lyapunov_spectrum(cell, cell.forward(silence(4000)))
    exact = np.sort(np.log(np.abs(np.linalg.eigvals(W))))[::-1]
    np.testing.assert_allclose(found, exact, atol=2e-3)


def test_steps_after_the_end_do_not_count():
    c = case("GRU-after", T=6, ragged=True)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    n = 1
    T = c.lengths[n]
    alone = c.cell.forward(c.x[:T, n : n + 1], c.state[n : n + 1])
    np.testing.assert_allclose(
        lyapunov_spectrum(c.cell, trace, n), lyapunov_spectrum(c.cell, alone)
    )
