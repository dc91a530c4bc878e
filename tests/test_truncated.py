"""Truncated backpropagation through time: what is dropped is what is older than k2 steps, and nothing else."""

import numpy as np
import pytest
from cases import KINDS, cell_of, frozen, halves

from rnn_teach.bptt import Network, Readout, bptt
from rnn_teach.cells import RNN
from rnn_teach.deep import Chain
from rnn_teach.gradcheck import check, with_parameters
from rnn_teach.training import SGD, fit, truncated_bptt, windows

T, N, D, H, K = 12, 3, 2, 4, 3


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def problem(kind: str = "RNN-tanh", at: str = "every", seed: int = 0):
    draw = rng(seed)
    network = Network(cell_of(kind, D, H, draw), Readout(H, K, rng=draw))
    x = frozen(draw.normal(size=(T, N, D)))
    target = frozen(draw.integers(K, size=(T, N) if at == "every" else N))
    return network, x, target


def parameters_of(network, result):
    return {name: result.grads[name] for name in network.parameters}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("over_time", ["mean", "sum"])
def test_nothing_is_dropped_where_k1_k2_and_T_are_one(kind, over_time):
    network, x, target = problem(kind)
    full = bptt(network, x, target, over_time=over_time)
    part = truncated_bptt(network, x, target, k1=T, k2=T, over_time=over_time)
    (window,) = windows(network, x, target, k1=T, k2=T, over_time=over_time)
    assert part.loss == window.loss == full.loss and (part.y == full.y).all()
    for name, grad in full.grads.items():
        assert (window.grads[name] == grad).all(), name
        if name in network.parameters:
            assert (part.grads[name] == grad).all(), name
    for one, two in zip(halves(part.trace.final), halves(full.trace.final), strict=True):
        assert (one == two).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("k1", "ragged"), [(1, False), (5, False), (12, False), (5, True)])
@pytest.mark.parametrize("at", ["every", "last"])
def test_with_k2_of_T_the_windows_add_up_to_all(kind, k1, ragged, at):
    network, x, target = problem(kind, at)
    lengths = frozen(np.array([12, 5, 1])) if ragged else None
    state = bptt(network, x[:3], target[:3] if at == "every" else target, at=at).trace.final
    ask = {"at": at, "lengths": lengths, "state": state}
    full = bptt(network, x, target, **ask)
    part = truncated_bptt(network, x, target, k1=k1, k2=T, **ask)
    assert part.loss == pytest.approx(full.loss, rel=1e-13)
    for name in network.parameters:
        np.testing.assert_allclose(part.grads[name], full.grads[name], rtol=1e-11, atol=1e-14)
    counts = np.arange(T)[:, None] < (np.full(N, T) if lengths is None else lengths)
    if at == "every":
        np.testing.assert_allclose(part.y[counts], full.y[counts], rtol=1e-12)
    else:
        np.testing.assert_allclose(part.y, full.y, rtol=1e-12)


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 4), (3, 3), (3, 5), (4, 7), (5, 5), (5, 11)])
def test_what_is_dropped_is_what_is_older_than_k2(k1, k2):
    """Every pair (loss at t, step s) by itself, for h_t = tanh(a_t): an explicit double sum."""
    network, x, target = problem()
    W_x, W_h, b = network.cell.parameters.values()
    W_y, b_y = network.readout.parameters.values()
    h = np.zeros((T + 1, N, H))
    for t in range(T):
        h[t + 1] = np.tanh(x[t] @ W_x + h[t] @ W_h + b)
    logits = h[1:] @ W_y + b_y
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    dy = (p - np.eye(K)[target]) / (N * T)
    dW_h, dW_x, db = np.zeros_like(W_h), np.zeros_like(W_x), np.zeros_like(b)
    for t in range(T):
        end = min((t // k1 + 1) * k1, T)  # the window that asks for the loss at step t
        delta = dy[t] @ W_y.T
        for s in range(t, max(end - k2, 0) - 1, -1):
            da = delta * (1 - h[s + 1] ** 2)
            dW_h += h[s].T @ da
            dW_x += x[s].T @ da
            db += da.sum(axis=0)
            delta = da @ W_h.T
    grads = truncated_bptt(network, x, target, k1=k1, k2=k2).grads
    for name, wanted in (("cell.W_h", dW_h), ("cell.W_x", dW_x), ("cell.b", db)):
        np.testing.assert_allclose(grads[name], wanted, rtol=1e-11, atol=1e-15)
    full = bptt(network, x, target).grads
    assert not np.allclose(grads["cell.b"], full["cell.b"], rtol=1e-9, atol=0)
    np.testing.assert_allclose(grads["readout.W_y"], full["readout.W_y"], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_both_oracles_agree_with_every_window(kind):
    """A window's gradient is that of its own loss, with the state it starts from held fixed."""
    network, x, target = problem(kind)
    state, start = None, 0
    for j, window in enumerate(windows(network, x, target, k1=3, k2=5)):
        end = 3 * j + 3
        begin = max(0, end - 5)
        if begin > start:
            state = network.cell.forward(x[start:begin], state).final
            start = begin

        def loss(changed, begin=begin, end=end, state=state):
            other = with_parameters(network, changed)
            trace = other.cell.forward(x[begin:end], state)
            y = other.readout.forward(trace.h[-3:])
            shifted = y - y.real.max(axis=-1, keepdims=True)
            log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
            return -np.take_along_axis(log_p, target[end - 3 : end, :, None], -1).sum() / (N * T)

        assert loss(network.parameters) == pytest.approx(window.loss, rel=1e-12)
        check(loss, network.parameters, parameters_of(network, window), rng=rng(j))


def test_windows_side_by_side_are_batches_with_carry():
    one, x, target = problem()
    two, *_ = problem()
    for network in (one, two):
        for p in network.parameters.values():
            p.flags.writeable = True
    stream = [(x[s : s + 4], target[s : s + 4], None, s > 0) for s in (0, 4, 8)]
    fit(one, stream, steps=3, optimizer=SGD(0.3), over_time="sum")
    for window in windows(two, x, target, k1=4, k2=4, over_time="sum"):
        SGD(0.3).update(two.parameters, parameters_of(two, window))
    for name, p in one.parameters.items():
        np.testing.assert_array_equal(p, two.parameters[name])


def test_a_stack_of_layers_is_truncated_alike():
    draw = rng()
    cell = Chain([RNN(D, H, rng=draw), RNN(H, H, rng=draw)])
    network = Network(cell, Readout(H, K, rng=draw))
    _, x, target = problem()
    full = bptt(network, x, target)
    part = truncated_bptt(network, x, target, k1=5, k2=T)
    for name in network.parameters:
        np.testing.assert_allclose(part.grads[name], full.grads[name], rtol=1e-11, atol=1e-14)


def test_what_does_not_fit_is_named_before_any_window():
    network, x, target = problem()
    with pytest.raises(ValueError, match="k2: expected at least k1=4, .* got 3"):
        windows(network, x, target, k1=4, k2=3)
    with pytest.raises(TypeError, match="k1: expected an integer of at least 1"):
        windows(network, x, target, k1=1.5, k2=3)
    with pytest.raises(ValueError, match=r"target: expected shape \(12, 3\), got \(11, 3\)"):
        windows(network, x, target[1:], k1=1, k2=3)
    with pytest.raises(ValueError, match="at: expected one of"):
        windows(network, x, target, k1=1, k2=3, at="first")
