"""Gates, connectivity, half-lives, and gradients by layer and by depth."""

import numpy as np
import pytest
from cases import CELLS, case, halves

from rnn_teach import GRU, LSTM, RNN, Network, Readout, bptt
from rnn_teach.cells.normalized import NormalizedLSTM
from rnn_teach.deep import Chain, Dense
from rnn_teach.diagnostics import (
    connectivity,
    gate_shares,
    half_life,
    jacobian_norms,
    norms_by_depth,
    norms_by_layer,
    state_gradient_norms,
    step_jacobians,
)
from rnn_teach.tree import Recursive


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
def test_connectivity_is_what_one_backward_pass_for_each_output_says(kind, ragged):
    c = case(kind, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    direction = np.random.default_rng(3).normal(size=5)
    for n in range(4):
        found = connectivity(c.cell, trace, direction, n)
        assert found.shape == (6, 6)
        assert not np.triu(found, 1).any()
        for t in range(6):
            dh = np.zeros_like(c.dh)
            dh[t, n] = direction
            expected = np.linalg.norm(c.cell.backward(trace, dh)["x"][:, n], axis=1)
            np.testing.assert_allclose(found[t], expected, atol=1e-14)


def test_connectivity_by_changing_the_input_a_little():
    c = case("LSTM-peephole", N=2)
    direction, eps = np.arange(5.0), 1e-6
    found = connectivity(c.cell, c.cell.forward(c.x, c.state), direction, n=1)
    for s in range(6):
        slopes = []
        for k in range(3):
            moved = np.array(c.x), np.array(c.x)
            moved[0][s, 1, k] += eps
            moved[1][s, 1, k] -= eps
            ahead, behind = (c.cell.forward(x, c.state).h[:, 1] @ direction for x in moved)
            slopes.append((ahead - behind) / (2 * eps))
        np.testing.assert_allclose(found[:, s], np.linalg.norm(slopes, axis=0), atol=1e-8)


def test_connectivity_of_a_deep_network():
    rng = np.random.default_rng(0)
    chain = Chain([LSTM(3, 4, rng=rng), Dense(4, 4, rng=rng), GRU(4, 2, rng=rng)])
    trace = chain.forward(rng.normal(size=(5, 2, 3)))
    found = connectivity(chain, trace, [1.0, -1.0], n=1)
    dh = np.zeros((5, 2, 2))
    dh[3, 1] = 1, -1
    expected = np.linalg.norm(chain.backward(trace, dh)["x"][:, 1], axis=1)
    np.testing.assert_allclose(found[3], expected, atol=1e-14)


def test_half_life_of_what_decays_evenly():
    for decay in (0.5, 0.9, 0.99):
        exact = np.log(2) / -np.log(decay)
        assert half_life(decay ** np.arange(100.0)[::-1]) == pytest.approx(exact)
        assert half_life(7 * decay ** np.arange(100.0)[::-1]) == pytest.approx(exact)
        cell = RNN(1, 2, rng=np.random.default_rng(0), nonlinearity="identity")
        cell.W_h[:] = decay * np.eye(2)
        trace = cell.forward(np.zeros((100, 1, 1)))
        assert half_life(jacobian_norms(cell, trace)) == pytest.approx(exact)
        assert half_life(connectivity(cell, trace, [1, 0])[-1]) == pytest.approx(exact)
    columns = half_life(np.stack([0.5 ** np.arange(9.0)[::-1], np.ones(9)], axis=1))
    assert columns.tolist() == [1, np.inf]


def test_half_life_is_when_it_is_first_down_to_a_half():
    assert half_life([0.9, 0.1, 0.8, 1.0]) < 2  # what comes back later is not asked
    assert half_life([0.25, 0.5, 1.0]) == 1
    assert half_life([0.0, 1.0]) == 0  # gone within the step
    assert half_life([0.51, 1.0]) == np.inf
    assert half_life([[[4.0]], [[8.0]]]).tolist() == [[1.0]]


def test_gate_shares_count_over_time_and_sequences_that_run():
    c = case("LSTM", T=30, ragged=True)
    trace = c.cell.forward(5 * c.x, c.state, c.lengths)
    shares = gate_shares(trace, closed=0.2, open=0.7)
    assert shares.keys() == {"i", "f", "o"}
    for name, share in shares.items():
        gate = getattr(trace, name)
        seen = np.concatenate([gate[:T, n] for n, T in enumerate(c.lengths)])
        np.testing.assert_allclose(share.closed, (seen < 0.2).mean(axis=0))
        np.testing.assert_allclose(share.open, (seen > 0.7).mean(axis=0))
        assert 0 < share.open.sum() < 5
    rng = np.random.default_rng(0)
    assert gate_shares(GRU(1, 2, rng=rng).forward(np.ones((2, 3, 1)))).keys() == {"r", "z"}
    open_f = LSTM(1, 3, rng=rng, forget_bias=100)
    assert gate_shares(open_f.forward(np.ones((4, 1, 1))))["f"].open.tolist() == [1, 1, 1]


@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
def test_norms_by_layer_are_those_of_each_layer_alone(ragged):
    rng = np.random.default_rng(0)
    chain = Chain([LSTM(3, 4, rng=rng), RNN(4, 5, rng=rng)])
    network = Network(chain, Readout(5, 2, rng=rng))
    x = rng.normal(size=(7, 3, 3))
    lengths = np.array([2, 7, 4]) if ragged else None
    result = bptt(network, x, np.zeros((7, 3), int), lengths=lengths)
    found = norms_by_layer(result.grads)
    assert {name: norms.shape for name, norms in found.items()} == {"0": (7, 3), "1": (7, 3)}
    upper = chain.layers[1].backward(
        result.trace.layers[1], network.readout.backward(result.trace.h, dy(result, lengths))["h"]
    )
    np.testing.assert_allclose(found["1"], state_gradient_norms(upper), atol=1e-15)
    lower = chain.layers[0].backward(result.trace.layers[0], upper["x"])
    np.testing.assert_allclose(found["0"], state_gradient_norms(lower), atol=1e-15)


def dy(result, lengths):
    """d loss / d y of the mean cross-entropy towards symbol 0."""
    T, N, _ = result.y.shape
    runs = np.ones((T, N)) if lengths is None else np.arange(T)[:, None] < lengths
    p = np.exp(result.y) / np.exp(result.y).sum(axis=2, keepdims=True)
    p[:, :, 0] -= 1
    return p * (runs / runs.sum(axis=0) / N)[:, :, None]


def test_norms_by_depth_of_a_tree():
    layer = Recursive("+ab", 4, rng=np.random.default_rng(0))
    trace = layer.forward([("+", ("+", "a", "b"), "b"), "a"])
    grads = layer.backward(trace, np.zeros((6, 4)), dstate=np.ones((2, 4)))
    found = norms_by_depth(trace.depth, grads["h"])
    norms = np.linalg.norm(grads["h"], axis=1)
    # children before their parent: a, b, +, b, + of the first tree, then the second one
    expected = [norms[[4, 5]].mean(), norms[[2, 3]].mean(), norms[[0, 1]].mean()]
    np.testing.assert_allclose(found, expected)
    assert np.isnan(norms_by_depth(np.array([0, 2]), np.ones((2, 3)))[1])


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_normalized_cells_can_be_asked_too(norm):
    rng = np.random.default_rng(0)
    cell = NormalizedLSTM(2, 3, rng=rng, norm=norm)
    trace = cell.forward(rng.normal(size=(5, 4, 2)))
    if norm == "batch":
        with pytest.raises(
            ValueError, match=r"cell: expected one that is evaluating\(statistics\)"
        ):
            step_jacobians(cell, trace)
        cell = cell.evaluating(cell.statistics(trace))
        trace = cell.forward(rng.normal(size=(5, 4, 2)), (rng.normal(size=(4, 3)) / 9,) * 2)
    grads = cell.backward(trace, np.zeros((5, 4, 3)), (np.eye(4, 3), np.zeros((4, 3))))
    for n in range(3):  # the loss of sequence n is unit n of its last h
        expected = connectivity(cell, trace, np.eye(3)[n], n)[-1]
        np.testing.assert_allclose(np.linalg.norm(grads["x"][:, n], axis=1), expected, atol=1e-13)
    assert gate_shares(trace).keys() == {"i", "f", "o"}


def test_wrong_arguments_are_named():
    c = case("RNN-tanh")
    trace = c.cell.forward(c.x)
    assert len(halves(trace.final)) == 1
    with pytest.raises(ValueError, match="trace: expected one with gates, got RNNTrace"):
        gate_shares(trace)
    with pytest.raises(ValueError, match="closed, open: expected 0 <= closed <= open <= 1, got 1"):
        gate_shares(trace, closed=1, open=0)
    with pytest.raises(ValueError, match=r"direction: expected shape \(H=5\), got \(3,\)"):
        connectivity(c.cell, trace, np.ones(3))
    with pytest.raises(IndexError, match="n: expected a sequence of 4, got 4"):
        connectivity(c.cell, trace, np.ones(5), n=4)
    with pytest.raises(ValueError, match="influence: expected numbers >= 0, and > 0 at the last"):
        half_life([1.0, 0.0])
    with pytest.raises(ValueError, match="influence: expected numbers >= 0"):
        half_life([-1.0, 1.0])
    with pytest.raises(KeyError, match="grads: expected '0.h'"):
        norms_by_layer({"h": np.ones((1, 1, 1))})
    with pytest.raises(ValueError, match=r"dh: expected shape \(M=2, H\), got \(3, 1\)"):
        norms_by_depth(np.array([0, 1]), np.ones((3, 1)))
