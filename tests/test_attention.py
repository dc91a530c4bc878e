"""Attention: by hand, by both oracles, by PyTorch, and no weight for padding."""

import numpy as np
import pytest
import torch
from cases import frozen
from encoder_decoders import (
    END,
    H,
    K,
    N,
    S,
    T,
    data,
    each_attention,
    each_kind,
    full_or_ragged,
    network_of,
    with_attention,
)

from rnn_teach import GRU, RNN
from rnn_teach.functional import softmax
from rnn_teach.gradcheck import check, with_parameters
from rnn_teach.seq2seq import Additive, DotProduct, teacher_forcing
from rnn_teach.seq2seq.attention import align, dscores


def test_align_masks_and_sums_to_one():
    rng = np.random.default_rng(0)
    scores = 1e3 * rng.normal(size=(T, N, S))
    mask = np.arange(S)[:, None] < [S, 1, 2]
    weights = align(scores, mask)
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-15)
    assert (weights.transpose(2, 1, 0)[~mask] == 0).all()
    np.testing.assert_array_equal(weights[:, 2, :2], softmax(scores[:, 2, :2]))


def test_dscores_is_the_jacobian_of_softmax():
    w, dw = softmax(np.array([0.3, -1.0, 2.0])), np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose(dscores(w, dw), (np.diag(w) - np.outer(w, w)) @ dw, atol=1e-15)
    np.testing.assert_allclose(dscores(w, dw).sum(), 0, atol=1e-15)


@with_attention
def test_attention_weights_sum_to_one_and_padding_has_none(attention):
    network = network_of("GRU-after", attention)
    x, target, lengths = data(network, ragged=True)
    weights = network.forward(x, target, lengths=lengths).weights
    assert weights.shape == (T, N, S) and (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-15)
    for n, length in enumerate(lengths):
        assert (weights[:, n, length:] == 0).all() and (weights[:, n, :length] > 0).all()


def test_additive_attention_by_hand():
    """Scores 0 and ln 3, so the weights are 1/4 and 3/4; the cell adds the context to x."""
    rng = np.random.default_rng(0)
    cell = RNN(2, 1, rng=rng, nonlinearity="identity")
    cell.W_x[:], cell.W_h[:] = 1, 0
    layer = Additive(1, 1, 1, rng=rng)
    layer.W_q[:], layer.W_m[:], layer.v[:] = 0, 1, 2 * np.log(3)
    m = np.arctanh(0.5)  # u = tanh(m) = 1/2, score = 2 ln 3 / 2
    trace = layer.forward(cell, [[[5]]], np.zeros((1, 1)), np.array([[[0]], [[m]]]))
    np.testing.assert_allclose(trace.weights, [[[0.25, 0.75]]], atol=1e-15)
    np.testing.assert_allclose(trace.context, [[[0.75 * m]]], atol=1e-15)
    np.testing.assert_allclose(trace.h, [[[5 + 0.75 * m]]], atol=1e-15)

    _, grads = layer.backward(cell, trace, np.ones((1, 1, 1)))
    de = 3 / 16 * m  # w_2 (m - 3/4 m), and -de for the other one
    np.testing.assert_allclose(grads["v"], [de * 0.5], atol=1e-15)
    da = np.array([-de, de * 0.75]) * 2 * np.log(3)
    np.testing.assert_allclose(grads["W_m"], [[da[1] * m]], atol=1e-15)
    np.testing.assert_allclose(grads["memory"].ravel(), [0.25 + da[0], 0.75 + da[1]], atol=1e-15)


def test_dot_product_attention_by_hand():
    """s = ln 3 and a memory of 0 and 1: scores 0 and ln 3 again."""
    rng = np.random.default_rng(0)
    cell = RNN(1, 1, rng=rng, nonlinearity="identity")
    cell.W_x[:], cell.W_h[:] = 1, 0
    layer = DotProduct(1, rng=rng)
    layer.W_c[:] = [[2], [1]]
    s = np.log(3)
    trace = layer.forward(cell, [[[s]]], np.zeros((1, 1)), [[[0]], [[1]]])
    np.testing.assert_allclose(trace.weights, [[[0.25, 0.75]]], atol=1e-15)
    np.testing.assert_allclose(trace.h, [[[np.tanh(2 * 0.75 + s)]]], atol=1e-15)

    of_cell, grads = layer.backward(cell, trace, np.ones((1, 1, 1)))
    da = 1 - np.tanh(1.5 + s) ** 2
    np.testing.assert_allclose(grads["W_c"], [[0.75 * da], [s * da]], atol=1e-15)
    de = 3 / 16 * 2 * da
    np.testing.assert_allclose(of_cell["h"], [[[da + de]]], atol=1e-15)
    expected = [0.25 * 2 * da - de * s, 0.75 * 2 * da + de * s]
    np.testing.assert_allclose(grads["memory"].ravel(), expected, atol=1e-15)


@each_kind
@with_attention
@full_or_ragged
def test_gradients_of_attention_on_its_own(kind, attention, ragged):
    """The memory, the inputs and the first state are not tied to an encoder here."""
    network = network_of(kind, attention)
    layer, cell = network.attention, network.decoder
    rng = np.random.default_rng(0)
    memory = frozen(rng.normal(size=(S, N, H)))
    x = frozen(rng.normal(size=(T, N, K)))
    mask = np.arange(S)[:, None] < [S, 1, S - 2] if ragged else None
    dh = frozen(rng.normal(size=(T, N, H)))
    count = 2 if kind == "LSTM" else 1
    state = [frozen(rng.normal(size=(N, H))) for _ in range(count)]

    def run(p):
        start = tuple(p[name] for name in ("h0", "c0")[:count])
        start = start if count == 2 else start[0]
        params = {k: p[k] for k in network.parameters}
        model = with_parameters(network, params)
        trace = model.attention.forward(model.decoder, p["x"], start, p["memory"], mask)
        return trace

    params = network.parameters | {"x": x, "memory": memory}
    params |= dict(zip(("h0", "c0")[:count], state, strict=True))
    trace = run(params)
    of_cell, of_layer = layer.backward(cell, trace, dh)
    grads = {f"decoder.{k}": of_cell[k] for k in cell.parameters} | of_cell | of_layer
    grads |= {f"attention.{k}": of_layer[k] for k in layer.parameters}
    grads["x"] = of_cell["x"][:, :, :K]
    of_others = {k for k in params if k.startswith(("encoder.", "readout."))}
    checked = {k: p for k, p in params.items() if k not in of_others}
    check(lambda p: (dh * run(params | p).h).sum(), checked, grads, rng=rng)
    assert (of_layer["memory"][~mask] == 0).all() if ragged else of_layer["memory"].all()


@each_kind
def test_h_of_an_additive_decoder_is_the_total_gradient_of_each_state(kind):
    """Restarting from the state at t gives what came from the steps after it, asking included."""
    network = network_of(kind, "additive")
    layer, cell = network.attention, network.decoder
    rng = np.random.default_rng(0)
    memory, x = rng.normal(size=(S, N, H)), rng.normal(size=(T, N, K))
    dh, zeros = rng.normal(size=(T, N, H)), np.zeros((N, H))
    start = (zeros, zeros) if kind == "LSTM" else zeros
    trace = layer.forward(cell, x, start, memory)
    grads, _ = layer.backward(cell, trace, dh)
    for t in range(1, T):
        rest = layer.forward(cell, x[t:], trace.steps[t - 1].final, memory)
        of_rest, _ = layer.backward(cell, rest, dh[t:])
        np.testing.assert_allclose(grads["h"][t - 1], dh[t - 1] + of_rest["h0"], atol=1e-12)
        if kind == "LSTM":
            np.testing.assert_allclose(grads["c_carried"][t - 1], of_rest["c0"], atol=1e-12)


def torch_step(kind, x, h, p, prefix):
    """The cell's equations on torch tensors; h is (h, c) for an LSTM."""
    W_x, W_h, b = (p[f"{prefix}.{name}"] for name in ("W_x", "W_h", "b"))
    if kind == "LSTM":
        h, c = h
        i, f, g, o = (x @ W_x + h @ W_h + b).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    (xr, xz, xn), (hr, hz, hn) = (x @ W_x + b).chunk(3, dim=1), (h @ W_h).chunk(3, dim=1)
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
    return (1 - z) * torch.tanh(xn + r * (hn + p[f"{prefix}.b_hn"])) + z * h


def torch_loss(kind, attention, p, x, target, lengths):
    """The mean over sequences and over each one's target, written as the papers write it."""
    total = 0
    for n, length in enumerate(lengths):
        zeros = torch.zeros(1, H, dtype=torch.float64)
        state, memory = (zeros, zeros) if kind == "LSTM" else zeros, []
        for s in range(length):
            state = torch_step(kind, x[s, n : n + 1], state, p, "encoder")
            memory.append(state[0] if kind == "LSTM" else state)
        memory = torch.cat(memory)  # (S, H)

        symbols = target[:, n].tolist()
        symbols = symbols[: symbols.index(END) + 1]
        log_p = 0
        for before, symbol in zip([END, *symbols], symbols, strict=False):
            read = torch.eye(K, dtype=torch.float64)[[before]]
            h = state[0] if kind == "LSTM" else state
            if attention == "additive":
                hidden = torch.tanh(h @ p["attention.W_q"] + memory @ p["attention.W_m"])
                read = torch.cat(
                    [read, torch.softmax(hidden @ p["attention.v"], 0)[None] @ memory], 1
                )
            state = torch_step(kind, read, state, p, "decoder")
            h = state[0] if kind == "LSTM" else state
            if attention == "dot product":
                context = torch.softmax(h @ memory.T, dim=1) @ memory
                h = torch.tanh(torch.cat([context, h], dim=1) @ p["attention.W_c"])
            y = h @ p["readout.W_y"] + p["readout.b_y"]
            log_p = log_p + torch.log_softmax(y, dim=1)[0, symbol]
        total = total - log_p / len(symbols)
    return total / len(lengths)


@each_attention
@pytest.mark.parametrize("kind", ["LSTM", "GRU-after"])
def test_loss_and_gradients_are_pytorchs(kind, attention):
    network = network_of(kind, attention)
    x, target, lengths = data(network, ragged=True)
    ours = teacher_forcing(network, x, target, lengths=lengths)
    p = {k: torch.tensor(a, requires_grad=True) for k, a in network.parameters.items()}
    p["encoder.x"] = torch.tensor(x, requires_grad=True)
    loss = torch_loss(kind, attention, p, p["encoder.x"], target, lengths)
    loss.backward()
    np.testing.assert_allclose(ours.loss, loss.item(), rtol=1e-12)
    for name, tensor in p.items():
        np.testing.assert_allclose(
            ours.grads[name], tensor.grad.numpy(), rtol=1e-10, atol=1e-12, err_msg=name
        )


def test_wrong_arguments_of_attention_are_named():
    rng = np.random.default_rng(0)
    layer, cell, memory = Additive(H, H, 2, rng=rng), GRU(K + H, H, rng=rng), np.ones((S, N, H))
    x, state = np.ones((T, N, K)), np.ones((N, H))
    with pytest.raises(ValueError, match=r"memory: expected shape \(S, N=3, M=3\), got"):
        layer.forward(cell, x, state, memory[:, :2])
    for mask in (np.zeros((S, N), bool), np.ones((S, 1), bool), np.ones((S, N))):
        with pytest.raises(ValueError, match=r"mask: expected booleans of shape \(5, 3\)"):
            layer.forward(cell, x, state, memory, mask)
    with pytest.raises(ValueError, match=r"state: expected shape \(N, H=3\), got \(3, 2\)"):
        layer.forward(cell, x, state[:, :2], memory)
    with pytest.raises(ValueError, match=r"x: expected shape \(T, N, D=7\), got \(1, 3, 5\)"):
        layer.forward(cell, x[:, :, :2], state, memory)
    trace = layer.forward(cell, x, state, memory)
    with pytest.raises(ValueError, match=r"dh: expected shape \(T=4, N=3, H=3\)"):
        layer.backward(cell, trace, np.ones((T, N, 2)))
    with pytest.raises(TypeError, match="trace: expected DotProductTrace, got AdditiveTrace"):
        DotProduct(H, rng=rng).backward(cell, trace, np.ones((T, N, H)))
    with pytest.raises(ValueError, match="A: expected an integer of at least 1, got 0"):
        Additive(H, H, 0, rng=rng)
    with pytest.raises(TypeError, match="rng: expected"):
        DotProduct(H, rng=0)
