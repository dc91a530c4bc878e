"""The three cells: both oracles on every option, and properties that state the theory."""

import numpy as np
import pytest
from cases import CELLS, KINDS, case, cell_of, halves, sequence
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach import GRU, LSTM, RNN
from rnn_teach.cells import memory
from rnn_teach.gradcheck import check, complex_step, with_parameters

each_cell = pytest.mark.parametrize("kind", CELLS)
each_kind = pytest.mark.parametrize("kind", KINDS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
exactly_again = settings(derandomize=True, deadline=None, max_examples=30)


def loss_and_gradients(c, *, use_dstate=True):
    """A loss that asks every h_t (and the final state), as a function of everything it depends on."""
    names = ("h0", "c0")[: len(halves(c.state))]
    params = c.cell.parameters | {"x": c.x} | dict(zip(names, halves(c.state), strict=True))

    def loss(p):
        state = tuple(p[name] for name in names)
        trace = with_parameters(c.cell, p).forward(
            p["x"], state if len(state) == 2 else state[0], c.lengths
        )
        total = (c.dh * trace.h).sum()
        if use_dstate:
            pairs = zip(halves(c.dstate), halves(trace.final), strict=True)
            total = total + sum((d * s).sum() for d, s in pairs)
        return total

    trace = c.cell.forward(c.x, c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh, c.dstate if use_dstate else None)
    return loss, params, grads


@each_cell
@full_or_ragged
@pytest.mark.parametrize("use_dstate", [False, True], ids=["no-dstate", "dstate"])
def test_gradients_satisfy_both_oracles(kind, ragged, use_dstate):
    loss, params, grads = loss_and_gradients(case(kind, ragged=ragged), use_dstate=use_dstate)
    check(loss, params, grads, rng=np.random.default_rng(1))


@exactly_again
@given(
    kind=st.sampled_from(list(CELLS)),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_gradients_of_any_shape_and_lengths(kind, sizes, seed, data):
    T, N, D, H = sizes
    lengths = data.draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    c = case(kind, T, N, D, H, seed=seed)
    c = c._replace(lengths=None if lengths is None else np.array(lengths))
    report = complex_step(*loss_and_gradients(c), rng=np.random.default_rng(seed), directions=1)
    assert report.error < 1e-12, report


@each_cell
def test_h_and_c_are_the_total_gradient_of_each_state(kind):
    """Restarting from the state at t gives the same gradient as the one pass through all steps."""
    c = case(kind)
    trace = c.cell.forward(c.x, c.state)
    grads = c.cell.backward(trace, c.dh, c.dstate)
    for t in range(1, len(c.x)):
        state = (trace.h[t - 1], trace.c[t - 1]) if "c0" in grads else trace.h[t - 1]
        rest = c.cell.backward(c.cell.forward(c.x[t:], state), c.dh[t:], c.dstate)
        np.testing.assert_allclose(grads["h"][t - 1], c.dh[t - 1] + rest["h0"], atol=1e-12)
        if "c0" in grads:
            np.testing.assert_allclose(grads["c_carried"][t - 1], rest["c0"], atol=1e-12)
            o, tanh_c = trace.o[t - 1], np.tanh(trace.c[t - 1])
            dh_dc = o * (1 - tanh_c**2) + tanh_c * o * (1 - o) * c.cell.parameters.get("p_o", 0)
            total = grads["c_carried"][t - 1] + grads["h"][t - 1] * dh_dc
            np.testing.assert_allclose(grads["c"][t - 1], total, atol=1e-12)


# the equations, read off the trace


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gates(cell, trace, h):
    return np.split(trace.x @ cell.W_x + cell.b, 4 if isinstance(cell, LSTM) else 3, axis=2), (
        np.split(h @ cell.W_h, 4 if isinstance(cell, LSTM) else 3, axis=2)
    )


def close(a, b):
    np.testing.assert_allclose(a, b, atol=1e-14)


def test_lstm_trace_satisfies_its_equations():
    c = case("LSTM-forget-1")
    trace = c.cell.forward(c.x, c.state)
    (xi, xf, xg, xo), (hi, hf, hg, ho) = gates(c.cell, trace, trace.h_prev)
    close(trace.i, sigmoid(xi + hi))
    close(trace.f, sigmoid(xf + hf))
    close(trace.g, np.tanh(xg + hg))
    close(trace.o, sigmoid(xo + ho))
    close(trace.c, trace.f * trace.c_prev + trace.i * trace.g)
    close(trace.tanh_c, np.tanh(trace.c))
    close(trace.h, trace.o * np.tanh(trace.c))
    close(trace.h_prev[0], c.state[0])
    close(trace.c_prev[0], c.state[1])
    close(trace.c_prev[1:], trace.c[:-1])


@pytest.mark.parametrize("reset", ["after", "before"])
def test_gru_trace_satisfies_its_equations(reset):
    c = case(f"GRU-{reset}")
    trace, H = c.cell.forward(c.x, c.state), c.cell.H
    (xr, xz, xn), (hr, hz, hn) = gates(c.cell, trace, trace.h_prev)
    close(trace.r, sigmoid(xr + hr))
    close(trace.z, sigmoid(xz + hz))
    if reset == "after":
        close(trace.n, np.tanh(xn + trace.r * (hn + c.cell.b_hn)))
        close(trace.m, hn + c.cell.b_hn)
    else:
        close(trace.n, np.tanh(xn + (trace.r * trace.h_prev) @ c.cell.W_h[:, 2 * H :]))
        close(trace.m, trace.h_prev)
    close(trace.h, (1 - trace.z) * trace.n + trace.z * trace.h_prev)


def test_the_two_places_of_reset_are_two_functions():
    after, before = case("GRU-after"), case("GRU-before")
    cell = with_parameters(after.cell, before.cell.parameters | {"b_hn": np.zeros(5)})
    different = cell.forward(after.x).h - before.cell.forward(after.x).h
    assert np.abs(different).max() > 1e-3
    # with r = 1 there is nothing to reset, and they agree
    b = np.concatenate([np.full(5, 1e3), np.zeros(10)])
    one, two = with_parameters(cell, {"b": b}), with_parameters(before.cell, {"b": b})
    close(one.forward(after.x).h, two.forward(after.x).h)


def test_parameters_are_the_arrays_themselves_and_what_torch_calls_uniform():
    for make in CELLS.values():
        cell = make(3, 100, np.random.default_rng(0))
        assert all(p is getattr(cell, name) for name, p in cell.parameters.items())
        assert all(p.shape == cell.shapes[name] for name, p in cell.parameters.items())
        for name in ("W_x", "W_h"):
            W = getattr(cell, name)
            assert -0.1 <= W.min() < -0.09 and 0.09 < W.max() <= 0.1
    assert not RNN(3, 4, rng=np.random.default_rng(0)).b.any()
    gru = GRU(3, 4, rng=np.random.default_rng(0))
    assert not gru.b.any() and not gru.b_hn.any()
    lstm = LSTM(3, 2, rng=np.random.default_rng(0), forget_bias=1.5)
    assert lstm.b.tolist() == [0, 0, 1.5, 1.5, 0, 0, 0, 0]


# theory


def test_lstm_that_forgets_nothing_and_stores_nothing_carries_c_and_its_gradient():
    T, N, H = 100, 3, 4
    cell = cell_of("LSTM", 2, H, np.random.default_rng(0))
    b = np.concatenate([np.full(H, -1e3), np.full(H, 1e3), np.zeros(2 * H)])
    cell = with_parameters(cell, {"W_x": 0 * cell.W_x, "W_h": 0 * cell.W_h, "b": b})
    rng = np.random.default_rng(1)
    c0, dc = rng.normal(size=(2, N, H))
    zeros = np.zeros((N, H))
    trace = cell.forward(rng.normal(size=(T, N, 2)), (zeros, c0))
    grads = cell.backward(trace, np.zeros((T, N, H)), (zeros, dc))
    np.testing.assert_allclose(trace.c, np.broadcast_to(c0, (T, N, H)), rtol=1e-13)
    np.testing.assert_array_equal(grads["c"], np.broadcast_to(dc, (T, N, H)))
    np.testing.assert_array_equal(grads["c0"], dc)


def test_identity_network_without_input_keeps_h_and_its_gradient():
    cell = RNN(2, 4, rng=np.random.default_rng(0), nonlinearity="identity")
    cell.W_h[:] = np.eye(4)
    h0 = np.random.default_rng(1).normal(size=(3, 4))
    trace = cell.forward(np.zeros((50, 3, 2)), h0)
    grads = cell.backward(trace, np.zeros((50, 3, 4)), h0)
    np.testing.assert_array_equal(trace.h, np.broadcast_to(h0, (50, 3, 4)))
    np.testing.assert_array_equal(grads["h"], trace.h)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_gru_with_z_1_keeps_h_and_its_gradient(reset):
    c = case(f"GRU-{reset}", T=50)
    H = c.cell.H
    b = np.concatenate([np.zeros(H), np.full(H, 1e3), np.zeros(H)])
    cell = with_parameters(c.cell, {"b": b})
    trace = cell.forward(c.x, c.state)
    grads = cell.backward(trace, np.zeros_like(c.dh), c.dstate)
    np.testing.assert_array_equal(trace.h, np.broadcast_to(c.state, trace.h.shape))
    np.testing.assert_array_equal(grads["h"], np.broadcast_to(c.dstate, trace.h.shape))


@each_cell
def test_a_padded_batch_is_each_sequence_alone(kind):
    c = case(kind, T=7, N=4, ragged=True)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh, c.dstate)
    summed = dict.fromkeys(c.cell.parameters, 0)
    for n, T in enumerate(c.lengths):
        one = sequence(c, n)
        alone = one.cell.forward(one.x, one.state)
        back = one.cell.backward(alone, one.dh, one.dstate)
        close(trace.h[:T, n], alone.h[:, 0])
        for whole, part in zip(halves(trace.final), halves(alone.final), strict=True):
            close(whole[n], part[0])
        np.testing.assert_allclose(grads["x"][:T, n], back["x"][:, 0], atol=1e-12)
        assert not grads["x"][T:, n].any()
        for name in ("h0", "c0"):
            if name in grads:
                np.testing.assert_allclose(grads[name][n], back[name][0], atol=1e-12)
        summed = {name: total + back[name] for name, total in summed.items()}
    for name, total in summed.items():
        np.testing.assert_allclose(grads[name], total, atol=1e-11)


@each_kind
def test_what_stands_after_the_end_does_not_matter(kind):
    c = case(kind, ragged=True)
    other = c.x.copy()
    other[~(np.arange(len(c.x))[:, None] < c.lengths)] = 1e3
    passes = []
    for x in (c.x, other):
        trace = c.cell.forward(x, c.state, c.lengths)
        passes.append((trace, c.cell.backward(trace, c.dh, c.dstate)))
    (trace, grads), (trace_, grads_) = passes
    np.testing.assert_array_equal(trace.h, trace_.h)
    assert all(np.array_equal(grads[name], grads_[name]) for name in grads)


@each_kind
def test_full_lengths_change_nothing(kind):
    c = case(kind)
    plain = c.cell.forward(c.x, c.state)
    full = c.cell.forward(c.x, c.state, np.full(4, 6))
    np.testing.assert_array_equal(plain.h, full.h)
    assert plain.mask is None
    assert full.mask.all()
    assert full.mask.shape == (6, 4)
    grads, grads_ = (c.cell.backward(trace, c.dh, c.dstate) for trace in (plain, full))
    for name in grads:
        np.testing.assert_allclose(grads[name], grads_[name], atol=1e-13)


@each_kind
def test_two_halves_joined_by_final_are_the_whole(kind):
    c = case(kind, T=6)
    whole = c.cell.forward(c.x, c.state)
    first = c.cell.forward(c.x[:2], c.state)
    second = c.cell.forward(c.x[2:], first.final)
    close(np.concatenate([first.h, second.h]), whole.h)
    # going back, the gradient of the first half's final state is the second half's of its first
    grads = c.cell.backward(whole, c.dh, c.dstate)
    late = c.cell.backward(second, c.dh[2:], c.dstate)
    joint = (late["h0"], late["c0"]) if "c0" in late else late["h0"]
    early = c.cell.backward(first, c.dh[:2], joint)
    for name in c.cell.parameters:
        np.testing.assert_allclose(early[name] + late[name], grads[name], atol=1e-12)
    np.testing.assert_allclose(early["h0"], grads["h0"], atol=1e-12)


@each_kind
def test_without_state_the_state_is_zero(kind):
    c = case(kind)
    zero = tuple(np.zeros((4, 5)) for _ in halves(c.state))
    explicit = c.cell.forward(c.x, zero if len(zero) == 2 else zero[0])
    np.testing.assert_array_equal(c.cell.forward(c.x).h, explicit.h)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("kind", [kind for kind in CELLS if not kind.startswith("RNN")])
def test_slopes_taken_in_pieces_are_the_slopes(kind, steps, monkeypatch):
    cell, x, state, lengths, dh, dstate = case(kind, T=6, ragged=True)
    trace = cell.forward(x, state, lengths)
    whole = cell.backward(trace, dh, dstate)
    gates = 4 if "LSTM" in kind and "coupled" not in kind else 3
    monkeypatch.setattr(memory, "PIECE", steps * gates * trace.h[0].nbytes)
    assert len(memory.pieces(np.zeros((6, 4, gates, 5)))) == (6 if steps == 1 else 2)
    pieces = cell.backward(trace, dh, dstate)
    for name in whole:
        np.testing.assert_array_equal(pieces[name], whole[name], err_msg=name)
