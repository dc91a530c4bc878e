"""Gradient norms, Jacobians and spectra, each against an independent way to the same number."""

import numpy as np
import pytest
from cases import CELLS, case, cell_of, halves

from rnn_teach import RNN
from rnn_teach.diagnostics import (
    jacobian_norms,
    largest_singular_value,
    saturation,
    spectral_radius,
    state_gradient_norms,
    step_jacobians,
)
from rnn_teach.functional import ACTIVATIONS

each_cell = pytest.mark.parametrize("kind", CELLS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


def joint(state) -> np.ndarray:
    """h, or h and c side by side: (N, S)."""
    return np.concatenate(halves(state), axis=1)


def forward_from(cell, x, state, lengths):
    """The final joint state as a function of a joint state: (1, S) to (1, S)."""
    state = np.split(state, 2, axis=1) if state.shape[1] == 2 * cell.H else state
    return joint(cell.forward(x, state, lengths).final)


@each_cell
@full_or_ragged
def test_step_jacobians_are_those_of_a_complex_step(kind, ragged):
    c = case(kind, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    n, s = 1, 1e-30
    jacobians = step_jacobians(c.cell, trace, n)
    before = joint(c.state)[n : n + 1]
    for t, J in enumerate(jacobians):
        if ragged and t >= c.lengths[n]:
            np.testing.assert_array_equal(J, np.eye(len(J)))
            continue
        x = c.x[t : t + 1, n : n + 1]
        columns = [
            forward_from(c.cell, x, before + 1j * s * unit, None)[0].imag / s
            for unit in np.eye(before.shape[1])
        ]
        np.testing.assert_allclose(J, np.array(columns).T, atol=1e-14)
        before = forward_from(c.cell, x, before, None)


@each_cell
@full_or_ragged
def test_jacobian_norms_are_those_of_the_product_of_step_jacobians(kind, ragged):
    c = case(kind, T=9, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    for n in range(4):
        jacobians = step_jacobians(c.cell, trace, n)
        product, expected = np.eye(len(jacobians[0])), []
        for J in jacobians[::-1]:
            expected.append(np.linalg.norm(product, ord=2))
            product = product @ J
        norms = jacobian_norms(c.cell, trace, n)
        np.testing.assert_allclose(norms, expected[::-1], rtol=1e-12)
        assert norms[-1] == 1


@pytest.mark.parametrize("kind", ["RNN-tanh", "LSTM", "GRU-after", "GRU-before"])
def test_jacobian_norms_are_those_of_finite_differences(kind):
    c = case(kind)
    trace = c.cell.forward(c.x, c.state)
    n, eps = 2, 1e-6
    norms = jacobian_norms(c.cell, trace, n)
    for t in range(len(c.x) - 1):
        parts = (trace.h[t, n : n + 1],) + ((trace.c[t, n : n + 1],) if kind == "LSTM" else ())
        state, x = joint(parts), c.x[t + 1 :, n : n + 1]
        J = [
            forward_from(c.cell, x, state + eps * unit, None)
            - forward_from(c.cell, x, state - eps * unit, None)
            for unit in np.eye(state.shape[1])
        ]
        expected = np.linalg.norm(np.concatenate(J) / (2 * eps), ord=2)
        assert norms[t] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_jacobian_of_an_rnn_is_larger_than_theory_allows(name, gain):
    cell = cell_of(f"RNN-{name}", 3, 8, np.random.default_rng(0))
    cell.W_h = gain * cell.W_h
    trace = cell.forward(np.random.default_rng(1).normal(size=(20, 1, 3)))
    bound = ACTIVATIONS[name].bound * largest_singular_value(cell.W_h)
    k = np.arange(20)[::-1]  # T - t
    assert (jacobian_norms(cell, trace) <= bound**k * (1 + 1e-12)).all()


def test_a_linear_network_reaches_the_bound_when_its_matrix_is_orthogonal():
    cell = RNN(1, 6, rng=np.random.default_rng(0), nonlinearity="identity")
    cell.W_h[:] = 0.5 * np.linalg.qr(cell.W_h)[0]
    norms = jacobian_norms(cell, cell.forward(np.zeros((30, 1, 1))))
    np.testing.assert_allclose(norms, 0.5 ** np.arange(30)[::-1], rtol=1e-12)


@each_cell
@full_or_ragged
def test_state_gradient_norms_are_those_of_a_pass_restarted_at_each_step(kind, ragged):
    c = case(kind, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    norms = state_gradient_norms(c.cell.backward(trace, c.dh, c.dstate))
    assert norms.shape == (6, 4)
    for n in range(4):
        T = 6 if c.lengths is None else c.lengths[n]
        one = slice(n, n + 1)
        for t in range(1, T):
            state = tuple(s[t - 1, one] for s in (trace.h, *((trace.c,) if kind[0] == "L" else ())))
            rest = c.cell.forward(
                c.x[t:, one],
                state if len(state) == 2 else state[0],
                None if c.lengths is None else c.lengths[one] - t,
            )
            dstate = tuple(d[one] for d in halves(c.dstate))
            grads = c.cell.backward(rest, c.dh[t:, one], dstate if len(dstate) == 2 else dstate[0])
            parts = [c.dh[t - 1, one] + grads["h0"]]
            parts += [grads["c0"]] if "c0" in grads else []
            expected = np.linalg.norm(joint(tuple(parts)))
            assert norms[t - 1, n] == pytest.approx(expected, rel=1e-12)


def test_gradient_of_the_last_state_alone_is_bounded_by_the_jacobian():
    c = case("LSTM", T=12, N=1)
    trace = c.cell.forward(c.x, c.state)
    grads = c.cell.backward(trace, np.zeros_like(c.dh), c.dstate)
    last = np.linalg.norm(joint(c.dstate))
    limit = jacobian_norms(c.cell, trace) * last * (1 + 1e-12)
    assert (state_gradient_norms(grads)[:, 0] <= limit).all()


def test_spectra():
    rotation = 0.5 * np.array([[0.0, -1.0], [1.0, 0.0]])
    assert spectral_radius(rotation) == pytest.approx(0.5)
    assert largest_singular_value(rotation) == pytest.approx(0.5)
    shear = np.array([[0.5, 100.0], [0.0, 0.5]])
    assert spectral_radius(shear) == 0.5
    assert largest_singular_value(shear) > 100
    W = np.random.default_rng(0).normal(size=(7, 7))
    growth = np.linalg.norm(np.linalg.matrix_power(W, 400), ord=2) ** (1 / 400)
    assert spectral_radius(W) == pytest.approx(growth, rel=0.02)
    assert largest_singular_value(W) == pytest.approx(np.sqrt(spectral_radius(W.T @ W)))
    assert largest_singular_value(W[:, :3]) <= largest_singular_value(W)


def test_saturation_is_the_share_of_units_beyond_the_threshold():
    h = np.array([[[0.96, -0.96], [0.0, 0.94]], [[0.0, 0.0], [0.0, 0.95]]])
    assert saturation(h).tolist() == [0.5, 0]
    assert saturation(h, threshold=0.9).tolist() == [0.75, 0.25]


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"W: expected a square matrix, got shape \(2, 3\)"):
        spectral_radius(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="W: expected finite numbers, got nan"):
        largest_singular_value([[np.nan]])
    with pytest.raises(ValueError, match=r"W: expected shape \(H, K\), got \(3,\)"):
        largest_singular_value(np.zeros(3))
    with pytest.raises(ValueError, match=r"h: expected shape \(T, N, H\), got \(2, 3\)"):
        saturation(np.zeros((2, 3)))
    c = case("LSTM")
    with pytest.raises(IndexError):
        jacobian_norms(c.cell, c.cell.forward(c.x), n=4)
    with pytest.raises(KeyError, match="'h'"):
        state_gradient_norms({})
