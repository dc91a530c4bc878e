"""What a caller may rely on: dtypes, bits, arguments left alone, errors that name what is wrong."""

import numpy as np
import pytest
from cases import CELLS, KINDS, case, frozen, halves

from rnn_teach import GRU, LSTM, RNN
from rnn_teach.cells import checking
from rnn_teach.gradcheck import with_parameters

each_cell = pytest.mark.parametrize("kind", CELLS)
each_kind = pytest.mark.parametrize("kind", KINDS)
full_or_ragged = pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])


@each_kind
@full_or_ragged
def test_twice_gives_the_same_bits_and_leaves_the_arguments_alone(kind, ragged):
    c = case(kind, T=20, N=5, H=16, ragged=ragged)
    copies = [np.array(a) for a in (c.x, c.dh, *halves(c.state), *halves(c.dstate))]
    trace, again = (c.cell.forward(c.x, c.state, c.lengths) for _ in range(2))
    before = [None if a is None else a.copy() for a in trace]
    grads, grads_ = (c.cell.backward(trace, c.dh, c.dstate) for _ in range(2))
    for one, two in zip(trace, again, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(trace, before, strict=True):
        np.testing.assert_array_equal(one, two)
    for name in grads:
        np.testing.assert_array_equal(grads[name], grads_[name])
    now = (c.x, c.dh, *halves(c.state), *halves(c.dstate))
    assert all(np.array_equal(a, b) for a, b in zip(copies, now, strict=True))


@each_cell
@full_or_ragged
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_dtype_of_x_comes_out(kind, ragged, dtype):
    c = case(kind, ragged=ragged)
    trace = c.cell.forward(c.x.astype(dtype), c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh, c.dstate)
    floats = [a for a in trace if a is not None and a is not trace.mask]
    assert {a.dtype.name for a in (*floats, *grads.values())} == {dtype}
    exact = c.cell.forward(c.x, c.state, c.lengths)
    np.testing.assert_allclose(trace.h, exact.h, atol=1e-5)
    exact = c.cell.backward(exact, c.dh, c.dstate)
    for name in grads:
        np.testing.assert_allclose(grads[name], exact[name], rtol=1e-4, atol=1e-4)


@each_kind
def test_integers_become_float64_and_anything_complex_makes_complex128(kind):
    c = case(kind)
    assert c.cell.forward(np.ones((2, 1, 3), int)).h.dtype == np.float64
    assert c.cell.forward(c.x.astype(np.float32), c.state).h.dtype == np.float32
    bent = with_parameters(c.cell, {"b": c.cell.b + 0j})
    assert bent.forward(c.x.astype(np.float32)).h.dtype == np.complex128
    trace = c.cell.forward(c.x)
    assert c.cell.backward(trace, c.dh + 0j)["W_h"].dtype == np.complex128


@each_kind
@full_or_ragged
def test_gradients_have_the_shape_of_what_they_belong_to(kind, ragged):
    c = case(kind, ragged=ragged)
    trace = c.cell.forward(c.x, c.state, c.lengths)
    grads = c.cell.backward(trace, c.dh)
    shapes = c.cell.shapes | {"x": c.x.shape, "h": trace.h.shape, "h0": (4, 5)}
    if "c0" in grads:
        shapes |= {"c0": (4, 5), "c": trace.h.shape, "c_carried": trace.h.shape}
    assert {name: a.shape for name, a in grads.items()} == shapes


@each_kind
def test_memory_order_of_the_arguments_does_not_matter(kind):
    c = case(kind)
    strange = c._replace(
        x=frozen(np.asfortranarray(c.x)), dh=frozen(np.ascontiguousarray(c.dh.T).T)
    )
    one, two = (k.cell.forward(k.x, k.state) for k in (c, strange))
    np.testing.assert_allclose(one.h, two.h, atol=1e-14)
    one, two = (
        k.cell.backward(trace, k.dh, k.dstate)
        for k, trace in zip((c, strange), (one, two), strict=True)
    )
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-13)


# errors
GOOD = np.zeros((4, 2, 3))
PAIR = (np.zeros((2, 5)), np.zeros((2, 5)))
with_nan = GOOD.copy()
with_nan[1, 0, 2] = np.nan


@each_kind
@pytest.mark.parametrize(
    ("x", "lengths", "error", "message"),
    [
        (np.zeros((4, 3)), None, ValueError, r"x: expected shape \(T, N, D=3\), got \(4, 3\)"),
        (np.zeros((4, 2, 4)), None, ValueError, r"x: expected shape .* got \(4, 2, 4\)"),
        (np.zeros((0, 2, 3)), None, ValueError, r"x: .* no empty axis, got \(0, 2, 3\)"),
        (np.zeros((4, 0, 3)), None, ValueError, r"x: .* no empty axis, got \(4, 0, 3\)"),
        (with_nan, None, ValueError, r"x: expected finite numbers, got nan at \(1, 0, 2\)"),
        (GOOD - np.inf, None, ValueError, r"x: expected finite numbers, got -inf at \(0, 0, 0\)"),
        (GOOD.astype(bool), None, TypeError, "x: expected float32, .* got dtype bool"),
        (GOOD.astype(np.float16), None, TypeError, "x: expected float32, .* got dtype float16"),
        (GOOD.astype(object), None, TypeError, "x: expected float32, .* got dtype object"),
        (GOOD.astype(str), None, TypeError, "x: expected float32, .* got dtype <U"),
        ([[[1]], [[1, 2]]], None, ValueError, "x: expected an array, got a ragged sequence"),
        (GOOD, [5, 1], ValueError, r"lengths: expected integers in 1\.\.T=4, got 5 at \(0,\)"),
        (GOOD, [4, 0], ValueError, r"lengths: expected integers in 1\.\.T=4, got 0 at \(1,\)"),
        (GOOD, [4], ValueError, r"lengths: expected shape \(N=2,\), got \(1,\)"),
        (GOOD, [4.0, 1.0], TypeError, "lengths: expected integers, got dtype float64"),
        (GOOD, [True, True], TypeError, "lengths: expected integers, got dtype bool"),
    ],
)
def test_forward_names_what_is_wrong(kind, x, lengths, error, message):
    with pytest.raises(error, match=message):
        CELLS[kind](3, 5, np.random.default_rng(0)).forward(x, None, lengths)


@pytest.mark.parametrize("kind", ["RNN-tanh", "GRU-after"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((3, 5)), r"expected shape \(N=2, H=5\), got \(3, 5\)"),
        (np.zeros(5), r"expected shape \(N=2, H=5\), got \(5,\)"),
        (np.full((2, 5), np.nan), "expected finite numbers, got nan"),
    ],
)
def test_wrong_states_are_named(kind, bad, message):
    cell = CELLS[kind](3, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"^state: {message}"):
        cell.forward(GOOD, bad)
    with pytest.raises(ValueError, match=f"^dstate: {message}"):
        cell.backward(cell.forward(GOOD), np.zeros((4, 2, 5)), bad)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.zeros((2, 5)), TypeError, r"state: expected a pair \(h, c\) .* got ndarray"),
        (np.zeros((2, 5, 1)).tolist() * 2, TypeError, "state: expected a pair .* got 4 things"),
        ((PAIR[0], np.zeros((1, 5))), ValueError, r"state\[1\]: expected .* got \(1, 5\)"),
        ((np.zeros((2, 4)), PAIR[1]), ValueError, r"state\[0\]: expected .* got \(2, 4\)"),
        ((PAIR[0], PAIR[1] + np.inf), ValueError, r"state\[1\]: .* got inf"),
    ],
)
def test_wrong_lstm_states_are_named(bad, error, message):
    cell = LSTM(3, 5, rng=np.random.default_rng(0))
    with pytest.raises(error, match="^" + message):
        cell.forward(GOOD, bad)
    with pytest.raises(error, match="^d" + message):
        cell.backward(cell.forward(GOOD), np.zeros((4, 2, 5)), bad)


@each_kind
def test_backward_names_what_is_wrong(kind):
    cell = CELLS[kind](3, 5, np.random.default_rng(0))
    trace = cell.forward(GOOD)
    with pytest.raises(ValueError, match=r"dh: expected shape \(T=4, N=2, H=5\), got \(2, 5\)"):
        cell.backward(trace, np.zeros((2, 5)))
    with pytest.raises(ValueError, match="dh: expected finite numbers, got nan"):
        cell.backward(trace, np.full((4, 2, 5), np.nan))
    with pytest.raises(TypeError, match="dh: expected float32, .* got dtype bool"):
        cell.backward(trace, np.zeros((4, 2, 5), bool))
    with pytest.raises(TypeError, match="trace: expected .*Trace, got ndarray"):
        cell.backward(trace.h, np.zeros((4, 2, 5)))


@each_kind
def test_a_parameter_of_the_wrong_shape_is_named(kind):
    cell = CELLS[kind](3, 5, np.random.default_rng(0))
    cell.W_h = np.eye(4)
    with pytest.raises(ValueError, match=r"W_h: expected shape \(5, .*\), got \(4, 4\)"):
        cell.forward(GOOD)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda rng: RNN(0, 5, rng=rng), ValueError, "D: expected an integer of at least 1, got 0"),
        (lambda rng: LSTM(3, 5.0, rng=rng), TypeError, r"H: expected an integer .* got 5\.0"),
        (lambda rng: GRU(True, 5, rng=rng), TypeError, "D: expected an integer .* got True"),
        (lambda rng: RNN(3, 5, rng=0), TypeError, "rng: expected np.random.default_rng.* got int"),
        (lambda rng: LSTM(3, 5, rng=None), TypeError, "rng: .* got NoneType"),
        (lambda rng: GRU(3, 5, rng=np.random), TypeError, "rng: .* got module"),
        (
            lambda rng: RNN(3, 5, rng=rng, nonlinearity="Tanh"),
            ValueError,
            "nonlinearity: expected one of 'tanh', .*, got 'Tanh'",
        ),
        (lambda rng: GRU(3, 5, rng=rng, reset="both"), ValueError, "reset: expected .* 'both'"),
        (lambda rng: LSTM(3, 5, rng=rng, forget_bias=np.nan), ValueError, "forget_bias: .* nan"),
        (lambda rng: LSTM(3, 5, rng=rng, forget_bias="1"), TypeError, "forget_bias: expected"),
    ],
)
def test_constructors_name_what_is_wrong(make, error, message):
    with pytest.raises(error, match=message):
        make(np.random.default_rng(0))


def test_a_choice_is_named_even_if_the_names_can_be_read_only_once():
    with pytest.raises(ValueError, match="loss: expected one of 'a', 'b', got 'c'"):
        checking.choice("loss", "c", iter("ab"))
    assert checking.choice("loss", "b", iter("ab")) == "b"
