"""The LSTM's options: peepholes and the coupled forget gate, by their equations, by PyTorch's
automatic derivative, and by what each must do when it has nothing to add."""

import numpy as np
import pytest
import torch
from cases import case

from rnn_teach import LSTM
from rnn_teach.gradcheck import with_parameters

OPTIONS = {
    "LSTM-peephole": {"peephole": True},
    "LSTM-coupled": {"coupled": True},
    "LSTM-peephole-coupled": {"peephole": True, "coupled": True},
}
each_variant = pytest.mark.parametrize("kind", OPTIONS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


def in_torch(cell, p, x, h, c, lengths):
    """h for all steps, and the last c, by the equations of the class's docstring."""
    H, steps = cell.H, []
    for t, x_t in enumerate(x):
        a = x_t @ p["W_x"] + h @ p["W_h"] + p["b"]
        i, g, o = a[:, :H], a[:, -2 * H : -H], a[:, -H:]
        if cell.peephole:
            i = i + p["p_i"] * c
        i = torch.sigmoid(i)
        if cell.coupled:
            f = 1 - i
        else:
            f = torch.sigmoid(a[:, H : 2 * H] + (p["p_f"] * c if cell.peephole else 0))
        c_t = f * c + i * torch.tanh(g)
        h_t = torch.sigmoid(o + (p["p_o"] * c_t if cell.peephole else 0)) * torch.tanh(c_t)
        runs = torch.tensor(t < lengths)[:, None]
        h, c = torch.where(runs, h_t, h), torch.where(runs, c_t, c)
        steps.append(h)
    return torch.stack(steps), c


@each_variant
@full_or_ragged
def test_outputs_and_gradients_are_those_of_automatic_differentiation(kind, ragged):
    c = case(kind, T=40, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh, c.dstate)
    given = c.cell.parameters | {"x": c.x, "h0": c.state[0], "c0": c.state[1]}
    leaves = {name: torch.tensor(np.array(a), requires_grad=True) for name, a in given.items()}
    lengths = np.full(4, 40) if c.lengths is None else c.lengths
    h, c_T = in_torch(c.cell, leaves, leaves["x"], leaves["h0"], leaves["c0"], lengths)
    dh, dh_T, dc_T = (torch.tensor(np.array(d)) for d in (c.dh, *c.dstate))
    ((h * dh).sum() + (h[-1] * dh_T).sum() + (c_T * dc_T).sum()).backward()
    np.testing.assert_allclose(trace.h, h.detach().numpy(), atol=1e-10)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(grads[name], leaf.grad.numpy(), atol=1e-10, err_msg=name)


@each_variant
def test_the_trace_satisfies_its_equations(kind):
    c = case(kind)
    trace = c.cell.forward(c.x, c.state)
    if c.cell.coupled:
        np.testing.assert_allclose(trace.f, 1 - trace.i, atol=1e-15)
    np.testing.assert_allclose(trace.c, trace.f * trace.c_prev + trace.i * trace.g, atol=1e-14)
    np.testing.assert_allclose(trace.h, trace.o * np.tanh(trace.c), atol=1e-14)


@full_or_ragged
def test_peepholes_of_zero_change_no_bit(ragged):
    c = case("LSTM", T=20, H=13, ragged=ragged)
    looking = LSTM(3, 13, rng=np.random.default_rng(0), peephole=True)
    zeros = {name: np.zeros(13) for name in ("p_i", "p_f", "p_o")}
    looking = with_parameters(looking, c.cell.parameters | zeros)
    passes = []
    for cell in (c.cell, looking):
        trace = cell.forward(c.x, c.state, c.lengths)
        passes.append((trace, cell.backward(trace, c.dh, c.dstate)))
    (plain, grads), (same, grads_) = passes
    for one, two in zip(plain[:-1], same[:-1], strict=True):
        np.testing.assert_array_equal(one, two)
    for name, gradient in grads.items():
        np.testing.assert_array_equal(gradient, grads_[name], err_msg=name)
    assert all(grads_[name].any() for name in zeros)


def test_a_coupled_cell_that_lets_nothing_in_keeps_c_and_its_gradient():
    T, N, H = 100, 3, 4
    cell = LSTM(2, H, rng=np.random.default_rng(0), coupled=True)
    cell.W_h[:], cell.b[:H] = 0, -1e3
    rng = np.random.default_rng(1)
    c0, dc = rng.normal(size=(2, N, H))
    zeros = np.zeros((N, H))
    trace = cell.forward(rng.normal(size=(T, N, 2)), (zeros, c0))
    np.testing.assert_array_equal(trace.c, np.broadcast_to(c0, (T, N, H)))
    grads = cell.backward(trace, np.zeros((T, N, H)), (zeros, dc))
    np.testing.assert_array_equal(grads["c0"], dc)


def test_a_coupled_cell_is_a_plain_one_whose_f_has_the_weights_of_i_with_the_other_sign():
    c = case("LSTM-peephole-coupled", T=20)
    written_out = {"p_f": -c.cell.p_i}
    for name in ("W_x", "W_h", "b"):
        i, g, o = np.split(getattr(c.cell, name), 3, axis=-1)
        written_out[name] = np.concatenate([i, -i, g, o], axis=-1)
    plain = LSTM(3, 5, rng=np.random.default_rng(0), peephole=True)
    plain = with_parameters(plain, c.cell.parameters | written_out)
    trace, trace_ = (cell.forward(c.x, c.state) for cell in (c.cell, plain))
    np.testing.assert_array_equal(trace.h, trace_.h)
    grads, grads_ = (cell.backward(trace, c.dh, c.dstate) for cell in (c.cell, plain))
    np.testing.assert_allclose(grads["p_i"], grads_["p_i"] - grads_["p_f"], atol=1e-12)
    i, f, g, o = np.split(grads_["W_h"], 4, axis=1)
    np.testing.assert_allclose(grads["W_h"], np.concatenate([i - f, g, o], axis=1), atol=1e-12)


def test_which_gate_sees_which_cell_state():
    """i and f look at c_{t-1}, o at c_t: with no other weights a single look decides the gate."""
    cell = LSTM(1, 1, rng=np.random.default_rng(0), peephole=True)
    for p in cell.parameters.values():
        p[...] = 0
    cell.b[2] = np.arctanh(0.5)  # g = 1/2 always
    start = (np.zeros((1, 1)), np.full((1, 1), 2.0))
    for name, gate in (("p_i", "i"), ("p_f", "f"), ("p_o", "o")):
        cell.p_i[:], cell.p_f[:], cell.p_o[:] = 0, 0, 0
        getattr(cell, name)[:] = 3
        trace = cell.forward(np.zeros((4, 1, 1)), start)
        seen = trace.c if gate == "o" else trace.c_prev
        np.testing.assert_allclose(getattr(trace, gate), 1 / (1 + np.exp(-3 * seen)), atol=1e-14)
        others = {"i", "f", "o"} - {gate}
        assert all((getattr(trace, other) == 0.5).all() for other in others)


def test_parameters_of_each_option():
    rng = np.random.default_rng(0)
    for kind, options in OPTIONS.items():
        cell = LSTM(3, 50, rng=rng, **options)
        parts = 3 if cell.coupled else 4
        assert cell.W_x.shape == (3, parts * 50) and cell.b.shape == (parts * 50,)
        assert not cell.b.any()
        looking = [name for name in cell.parameters if name.startswith("p_")]
        assert looking == {0: [], 2: ["p_i", "p_o"], 3: ["p_i", "p_f", "p_o"]}[len(looking)]
        assert bool(looking) == ("peephole" in kind)
        assert all(0.1 < np.abs(cell.parameters[name]).max() <= 1 / np.sqrt(50) for name in looking)
    with_bias = LSTM(3, 2, rng=rng, forget_bias=1, peephole=True)
    assert with_bias.b.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_wrong_options_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="peephole: expected True or False, got 'yes'"):
        LSTM(1, 1, rng=rng, peephole="yes")
    with pytest.raises(TypeError, match="coupled: expected True or False, got 1"):
        LSTM(1, 1, rng=rng, coupled=1)
    with pytest.raises(ValueError, match="forget_bias: expected 0 if coupled, as f = 1 - i, got 1"):
        LSTM(1, 1, rng=rng, coupled=True, forget_bias=1.0)
    c = case("LSTM-peephole")
    with pytest.raises(ValueError, match=r"p_o: expected shape \(5,\), got \(1,\)"):
        with_parameters(c.cell, {"p_o": np.zeros(1)}).forward(c.x)
