"""Layer and batch normalization: both oracles, PyTorch's automatic derivative, and what a norm
must not notice."""

import numpy as np
import pytest
import torch
from cases import Case, frozen, halves
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import LayerCase, assert_each_sequence_is_alone, assert_keeps_the_house_rules

from rnn_teach.cells.normalized import (
    NormalizedGRU,
    NormalizedLSTM,
    NormalizedRNN,
    running_statistics,
)
from rnn_teach.gradcheck import check, complex_step, with_parameters

MAKE = {"RNN": NormalizedRNN, "LSTM": NormalizedLSTM, "GRU": NormalizedGRU}
each_cell = pytest.mark.parametrize("kind", MAKE)
each_norm = pytest.mark.parametrize("norm", ["layer", "batch", "evaluating"])
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
LENGTHS = np.array([3, 6, 1, 4])


def case(kind: str, norm: str, *, ragged=False, T=6, N=4, D=3, H=5, seed=0) -> Case:
    rng = np.random.default_rng(seed)
    cell = MAKE[kind](D, H, rng=rng, norm="layer" if norm == "layer" else "batch")
    for p in cell.parameters.values():
        p += rng.normal(size=p.shape) / 4
        frozen(p)

    def normal(*shape):
        return frozen(rng.normal(size=shape))

    def state():
        return (normal(N, H), normal(N, H)) if kind == "LSTM" else normal(N, H)

    if norm == "evaluating":  # the statistics of another batch, and of fewer steps than T
        start = tuple(normal(30, H) for _ in halves(state()))
        trace = cell.forward(normal(T - 2, 30, D), start if len(start) == 2 else start[0])
        cell = cell.evaluating(cell.statistics(trace))
    lengths = frozen(LENGTHS.copy()) if ragged else None
    return Case(cell, normal(T, N, D), state(), lengths, normal(T, N, H), state())


@each_cell
@each_norm
@full_or_ragged
def test_gradients_satisfy_both_oracles(kind, norm, ragged):
    c = case(kind, norm, ragged=ragged)
    names = ("h0", "c0")[: len(halves(c.state))]
    params = c.cell.parameters | {"x": c.x} | dict(zip(names, halves(c.state), strict=True))

    def loss(p):
        state = tuple(p[name] for name in names)
        cell = with_parameters(c.cell, p)
        trace = cell.forward(p["x"], state if len(state) == 2 else state[0], c.lengths)
        finals = zip(halves(c.dstate), halves(trace.final), strict=True)
        return (c.dh * trace.h).sum() + sum((d * s).sum() for d, s in finals)

    grads = c.cell.backward(c.cell.forward(c.x, c.state, c.lengths), c.dh, c.dstate)
    check(loss, params, grads, rng=np.random.default_rng(1))


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    kind=st.sampled_from(list(MAKE)),
    norm=st.sampled_from(["layer", "batch"]),
    sizes=st.tuples(*[st.integers(1, 4)] * 4),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_gradients_of_any_shape_and_lengths(kind, norm, sizes, seed, data):
    T, N, D, H = sizes
    lengths = data.draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    c = case(kind, norm, T=T, N=N, D=D, H=H, seed=seed)

    def loss(p):
        return (c.dh * with_parameters(c.cell, p).forward(p["x"], c.state, lengths).h).sum()

    params = c.cell.parameters | {"x": c.x}
    grads = c.cell.backward(c.cell.forward(c.x, c.state, lengths), c.dh)
    report = complex_step(loss, params, grads, rng=np.random.default_rng(seed), directions=1)
    # one alone is its own mean: what is 0 but for rounding has no relative error
    scale = max(np.abs(g).max() for g in grads.values())
    assert abs(report.numeric - report.analytic) < 1e-12 * max(scale, 1), report


# the equations of the docstrings, written in torch


def norm_in_torch(a, runs, norm):
    """a (N, G, H): over H, or over those of the N that run."""
    if norm == "layer":
        return torch.nn.functional.layer_norm(a, a.shape[-1:], eps=1e-5)
    chosen = a[runs]
    mean, var = chosen.mean(dim=0), chosen.var(dim=0, correction=0)
    return (a - mean) / torch.sqrt(var + 1e-5)


def step_in_torch(kind, p, x, h, c, norm):
    """One step: norm maps (N, G H) and G to the same shape."""
    if kind == "RNN":
        return torch.tanh(p["gain"] * norm(x @ p["W_x"] + h @ p["W_h"], 1) + p["b"]), None
    G = 4 if kind == "LSTM" else 3
    u = p["gain_x"] * norm(x @ p["W_x"], G) + p["b"]
    v = p["gain_h"] * norm(h @ p["W_h"], G)
    if kind == "LSTM":
        i, f, g, o = (u + v).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(p["gain_c"] * norm(c, 1) + p["b_c"]), c
    (u_r, u_z, u_n), (v_r, v_z, v_n) = u.chunk(3, dim=1), v.chunk(3, dim=1)
    r, z = torch.sigmoid(u_r + v_r), torch.sigmoid(u_z + v_z)
    return (1 - z) * torch.tanh(u_n + r * (v_n + p["b_hn"])) + z * h, None


@each_cell
@pytest.mark.parametrize("norm", ["layer", "batch"])
@full_or_ragged
def test_outputs_and_gradients_are_those_of_automatic_differentiation(kind, norm, ragged):
    c = case(kind, norm, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh, c.dstate)
    given = c.cell.parameters | {"x": c.x}
    given |= dict(zip(("h0", "c0"), halves(c.state), strict=False))
    leaves = {name: torch.tensor(np.array(a), requires_grad=True) for name, a in given.items()}
    h, cell_state, steps = leaves["h0"], leaves.get("c0"), []
    for t, x_t in enumerate(leaves["x"]):
        runs = torch.tensor(t < (np.full(4, 6) if c.lengths is None else c.lengths))

        def norm_now(a, G, runs=runs):
            return norm_in_torch(a.reshape(len(a), G, -1), runs, norm).reshape(a.shape)

        h_t, c_t = step_in_torch(kind, leaves, x_t, h, cell_state, norm_now)
        h = torch.where(runs[:, None], h_t, h)
        if c_t is not None:
            cell_state = torch.where(runs[:, None], c_t, cell_state)
        steps.append(h)
    loss = (torch.stack(steps) * torch.tensor(np.array(c.dh))).sum()
    for s, d in zip((h, cell_state), halves(c.dstate), strict=False):
        loss = loss + (s * torch.tensor(np.array(d))).sum()
    loss.backward()
    np.testing.assert_allclose(trace.h, torch.stack(steps).detach().numpy(), atol=1e-10)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(grads[name], leaf.grad.numpy(), atol=1e-10, err_msg=name)


# what a norm does and does not notice


@each_cell
@each_norm
@full_or_ragged
def test_house_rules(kind, norm, ragged):
    c = case(kind, norm, ragged=ragged)
    names = ("h0", "c0")
    initial, final = (dict(zip(names, halves(s), strict=False)) for s in (c.state, c.dstate))
    assert_keeps_the_house_rules(LayerCase(c.cell, c.x, initial, c.lengths, c.dh, final))


@each_cell
@pytest.mark.parametrize("norm", ["layer", "evaluating"])
def test_every_sequence_is_on_its_own(kind, norm):
    c = case(kind, norm, ragged=True)
    initial, final = (dict(zip(("h0", "c0"), halves(s), strict=False)) for s in (c.state, c.dstate))
    assert_each_sequence_is_alone(LayerCase(c.cell, c.x, initial, c.lengths, c.dh, final))


@each_cell
def test_padding_never_enters_the_statistics_of_a_batch(kind):
    c = case(kind, "batch", ragged=True)
    noise = np.where(np.arange(6)[:, None, None] < LENGTHS[:, None], c.x, 1e3)
    passes = []
    for x in (c.x, noise):
        trace = c.cell.forward(x, c.state, c.lengths)
        passes.append((trace, c.cell.backward(trace, c.dh, c.dstate), c.cell.statistics(trace)))
    (trace, grads, seen), (trace_, grads_, seen_) = passes
    np.testing.assert_allclose(trace.h, trace_.h, atol=1e-13)
    for name, gradient in grads.items():
        np.testing.assert_allclose(gradient, grads_[name], atol=1e-12, err_msg=name)
    for name in seen:
        np.testing.assert_allclose(seen[name], seen_[name], atol=1e-12)


@each_cell
def test_batch_norm_depends_on_the_batch_and_not_while_evaluating(kind):
    c = case(kind, "batch", N=4)
    first = slice(0, 2)
    start = tuple(s[first] for s in halves(c.state))
    start = start if len(start) == 2 else start[0]
    whole, part = c.cell.forward(c.x, c.state), c.cell.forward(c.x[:, first], start)
    assert np.abs(whole.h[:, first] - part.h).max() > 1e-3
    fixed = c.cell.evaluating(c.cell.statistics(whole))
    again, part = fixed.forward(c.x, c.state), fixed.forward(c.x[:, first], start)
    np.testing.assert_allclose(again.h[:, first], part.h, atol=1e-13)
    # with the statistics of this very batch, evaluating is what training computed
    np.testing.assert_allclose(again.h, whole.h, atol=1e-12)
    assert all(p is fixed.parameters[name] for name, p in c.cell.parameters.items())


@each_cell
def test_steps_later_than_any_that_was_seen_use_the_last_statistics(kind):
    c = case(kind, "batch")
    seen = c.cell.statistics(c.cell.forward(c.x[:3], c.state))
    longer = {name: a[:, [0, 1, 2, 2, 2, 2]] for name, a in seen.items()}
    short, long = (c.cell.evaluating(s).forward(c.x, c.state) for s in (seen, longer))
    np.testing.assert_array_equal(short.h, long.h)


@each_cell
def test_layer_norm_does_not_hear_how_loud_its_sums_are(kind):
    c = case(kind, "layer")
    louder = {"W_h": 1e3 * c.cell.W_h, "W_x": 1e3 * c.cell.W_x}
    even = {"W_h": 1e6 * c.cell.W_h, "W_x": 1e6 * c.cell.W_x}
    one, two = (with_parameters(c.cell, p).forward(c.x, c.state).h for p in (louder, even))
    np.testing.assert_allclose(one, two, atol=1e-6)
    if kind != "RNN":  # there x and h have one norm together
        one, two = (c.cell.forward(k * c.x, c.state).h for k in (1e3, 1e6))
        np.testing.assert_allclose(one, two, atol=1e-6)
    # and so its weights have nothing to gain along themselves
    cell = with_parameters(c.cell, louder)
    grads = cell.backward(cell.forward(c.x, c.state), c.dh, c.dstate)
    along = (grads["W_h"] * cell.W_h).sum() + (grads["W_x"] * cell.W_x).sum()
    size = np.linalg.norm(grads["W_h"]) * np.linalg.norm(cell.W_h)
    assert abs(along) < 1e-5 * size


@each_cell
@full_or_ragged
def test_what_comes_out_of_a_norm_has_mean_0_and_variance_1(kind, ragged):
    for norm, axis in (("layer", -1), ("batch", -3)):
        c = case(kind, norm, N=4, H=30, ragged=ragged)
        trace = c.cell.forward(100 * c.x, None, c.lengths)
        y = trace.y if kind == "RNN" else trace.y_x
        runs = np.ones((6, 4), bool) if trace.mask is None else trace.mask
        for t in range(6):
            if norm == "batch" and runs[t].sum() < 2:
                continue  # one alone is its own mean
            y_t = y[t][runs[t]]
            np.testing.assert_allclose(y_t.mean(axis=axis), 0, atol=1e-12)
            np.testing.assert_allclose(y_t.var(axis=axis), 1, atol=1e-2)


def test_statistics_are_those_of_each_step_and_of_who_still_runs():
    c = case("RNN", "batch", ragged=True)
    trace = c.cell.forward(c.x, c.state, np.array([3, 4, 1, 4]))
    seen = c.cell.statistics(trace)["a"]
    assert seen.shape == (2, 4, 1, 5)  # nobody runs in steps 5 and 6
    a = c.x[2, [0, 1, 3]] @ c.cell.W_x + trace.h[1, [0, 1, 3]] @ c.cell.W_h
    np.testing.assert_allclose(seen[0, 2, 0], a.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(seen[1, 2, 0], a.var(axis=0), atol=1e-14)


def test_running_statistics_move_towards_what_is_new_and_change_no_argument():
    old = {"a": frozen(np.full((2, 3, 1, 2), 1.0))}
    new = {"a": frozen(np.full((2, 2, 1, 2), 2.0))}
    merged = running_statistics(old, new, momentum=0.25)["a"]
    assert merged[0, :, 0, 0].tolist() == [1.25, 1.25, 1]
    for _ in range(200):
        old = running_statistics(old, new)
    np.testing.assert_allclose(old["a"][:, :2], 2)
    assert running_statistics(None, new)["a"].tolist() == new["a"].tolist()


def test_wrong_arguments_are_named():
    rng = np.random.default_rng(0)
    for make in MAKE.values():
        with pytest.raises(ValueError, match="norm: expected one of 'layer', 'batch', got 'unit'"):
            make(1, 1, rng=rng, norm="unit")
        with pytest.raises(
            ValueError, match="norm: expected \"batch\" for statistics, got 'layer'"
        ):
            make(1, 1, rng=rng).evaluating({})
    cell = NormalizedLSTM(2, 3, rng=rng, norm="batch")
    seen = cell.statistics(cell.forward(np.ones((4, 2, 2))))
    assert {name: a.shape for name, a in seen.items()} == {
        "x": (2, 4, 4, 3),
        "h": (2, 4, 4, 3),
        "c": (2, 4, 1, 3),
    }
    with pytest.raises(ValueError, match=r"statistics\['c'\]: expected shape"):
        cell.evaluating(seen | {"c": seen["x"]})
    with pytest.raises(ValueError, match=r"statistics\['h'\]: expected var >= 0, got -1"):
        cell.evaluating(seen | {"h": -np.ones((2, 1, 4, 3))})
    with pytest.raises(KeyError, match="x"):
        cell.evaluating({})
    with pytest.raises(ValueError, match=r"momentum: expected a number in 0..1, got 2"):
        running_statistics(None, seen, momentum=2)
    with pytest.raises(TypeError, match="trace: expected NormalizedLSTMTrace, got tuple"):
        cell.backward((), np.ones((1, 1, 3)))
