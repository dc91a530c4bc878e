"""Activations and losses: values, derivatives, and what happens at the far ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach import functional
from rnn_teach.functional import ACTIVATIONS, cross_entropy, softmax, squared_error

GRID = np.array([-1e3, -100.0, -30.0, -2.0, -0.1, 0.0, 0.1, 2.0, 30.0, 100.0, 1e3])
each_activation = pytest.mark.parametrize("f", ACTIVATIONS.values(), ids=ACTIVATIONS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
exactly_again = settings(derandomize=True, deadline=None, max_examples=30)


def by_complex_step(f, a, s=1e-30):
    return f(a + 1j * s).imag / s


@each_activation
def test_slope_is_the_derivative_of_value(f):
    a = GRID[np.abs(GRID) < 50]
    np.testing.assert_allclose(f.slope(f.value(a)), by_complex_step(f.value, a), atol=1e-14)


@each_activation
def test_bound_is_the_largest_slope(f):
    slopes = f.slope(f.value(np.linspace(-5, 5, 1001)))
    assert np.abs(slopes).max() == pytest.approx(f.bound, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "reference"),
    {
        "tanh": lambda a: 2 / (1 + np.exp(-2 * a)) - 1,
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "relu": lambda a: np.maximum(a, 0),
        "leaky_relu": lambda a: np.maximum(a, 0.01 * a),
        "elu": lambda a: np.where(a > 0, a, np.exp(a) - 1),
        "identity": lambda a: a,
    }.items(),
)
def test_values_are_the_textbook_ones(name, reference):
    a = np.linspace(-20, 20, 81)
    np.testing.assert_allclose(ACTIVATIONS[name].value(a), reference(a), atol=1e-15)


@each_dtype
@each_activation
def test_far_ends_give_numbers_of_the_same_dtype(f, dtype):
    a = GRID.astype(dtype)
    y = f.value(a)
    for array in (y, f.slope(y)):
        assert array.dtype == dtype
        assert np.isfinite(array).all()
    np.testing.assert_allclose(y.real, f.value(GRID), rtol=1e-6, atol=1e-30)


@each_dtype
@each_activation
def test_out_receives_the_value_even_over_its_own_argument(f, dtype):
    a = np.linspace(-3, 3, 7).astype(dtype)
    expected, out = f.value(a), np.empty_like(a)
    assert f.value(a, out=out) is out
    np.testing.assert_array_equal(out, expected)
    f.value(a, out=a)
    np.testing.assert_array_equal(a, expected)


@each_dtype
@each_activation
def test_out_receives_the_slope(f, dtype):
    y = f.value(np.linspace(-3, 3, 7).astype(dtype))
    out = np.empty_like(y)
    assert f.slope(y, out=out) is out
    np.testing.assert_array_equal(out, f.slope(y))


def test_each_activation_is_reached_by_its_own_name():
    for name, f in ACTIVATIONS.items():
        assert f.name == name
        assert getattr(functional, name) is f.value
        assert getattr(functional, f"d{name}") is f.slope


@each_dtype
def test_softmax_adds_up_to_one_and_does_not_see_a_shift(dtype):
    logits = np.array([[-1e3, 0.0, 1e3], [1.0, 2.0, 3.0]]).astype(dtype)
    p = softmax(logits)
    assert p.dtype == dtype
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(softmax(logits + 7), p, rtol=1e-5)


@exactly_again
@given(
    T=st.integers(1, 4), N=st.integers(1, 4), K=st.integers(1, 5), seed=st.integers(0, 2**32 - 1)
)
def test_losses_and_their_gradients(T, N, K, seed):
    rng = np.random.default_rng(seed)
    y, direction, target = rng.normal(size=(3, T, N, K))
    symbols, weights = rng.integers(K, size=(T, N)), rng.random((T, N))

    p = softmax(y)
    t, n = np.indices((T, N))
    expected = {
        cross_entropy: (weights * -np.log(p[t, n, symbols])).sum(),
        squared_error: (weights[..., None] * (y - target) ** 2).sum(),
    }
    for loss, want in ((cross_entropy, symbols), (squared_error, target)):
        value, dy = loss(y, want, weights)
        assert value == pytest.approx(expected[loss], rel=1e-12)
        slope = by_complex_step(
            lambda s, loss=loss, want=want: loss(y + s * direction, want, weights)[0], 0
        )
        assert (dy * direction).sum() == pytest.approx(slope, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_losses_at_the_far_ends(dtype):
    y = np.array([[1e3, -1e3], [-1e3, 1e3]]).astype(dtype)
    for loss, target in ((cross_entropy, [0, 0]), (squared_error, np.zeros((2, 2)))):
        value, dy = loss(y, np.array(target))
        assert value.dtype == dy.dtype == dtype
        assert np.isfinite(value)
        assert np.isfinite(dy).all()
    assert cross_entropy(y, np.array([0, 0]))[0].real == 2000


def test_without_weights_each_step_counts_once():
    y = np.arange(6.0).reshape(3, 2)
    for loss, target in ((cross_entropy, np.array([0, 1, 0])), (squared_error, np.ones((3, 2)))):
        np.testing.assert_array_equal(loss(y, target)[1], loss(y, target, np.ones(3))[1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (np.zeros((2, 3)), np.zeros(2)),
            TypeError,
            "target: expected integers, got dtype float64",
        ),
        ((np.zeros((2, 3)), [0, 1, 2]), ValueError, r"target: expected shape \(2,\), got \(3,\)"),
        ((np.zeros((2, 3)), [0, 3]), ValueError, r"target: expected integers in 0\.\.2, got 3"),
        ((np.zeros((2, 3)), [-1, 0]), ValueError, r"target: expected integers in 0\.\.2, got -1"),
        (
            (np.zeros((2, 3)), [0, 0], [1]),
            ValueError,
            r"weights: expected shape \(2,\), got \(1,\)",
        ),
        ((np.zeros((2, 3)), [0, 0], [1, -1]), ValueError, "weights: expected non-negative"),
        ((np.zeros((2, 3)), [0, 0], [1, np.nan]), ValueError, "weights: expected non-negative"),
    ],
)
def test_cross_entropy_names_the_wrong_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        cross_entropy(*arguments)


def test_squared_error_names_the_wrong_argument():
    with pytest.raises(ValueError, match=r"target: expected shape \(2, 3\), got \(2,\)"):
        squared_error(np.zeros((2, 3)), np.zeros(2))
