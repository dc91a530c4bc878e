"""Single layers of a deep network: the deep transition and the dense layer, and how long a way is."""

from math import comb

import numpy as np
import pytest
from layers import layer_case, loss_and_gradients, run

from rnn_teach import RNN
from rnn_teach.deep import Chain, DeepTransition, Dense
from rnn_teach.functional import ACTIVATIONS
from rnn_teach.gradcheck import check, with_parameters


def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("layer", [Dense, DeepTransition])
def test_every_nonlinearity_satisfies_both_oracles(layer, name):
    c = layer_case(layer(2, 3, rng=rng(), nonlinearity=name), ragged=True)
    check(*loss_and_gradients(c), rng=np.random.default_rng(1))


@pytest.mark.parametrize("nonlinearity", ACTIVATIONS)
def test_a_transition_of_one_layer_is_the_rnn_to_the_bit(nonlinearity):
    plain = RNN(2, 3, rng=rng(), nonlinearity=nonlinearity)
    deep = DeepTransition(2, 3, rng=rng(), nonlinearity=nonlinearity, depth=1)
    for name, p in plain.parameters.items():
        np.testing.assert_array_equal(deep.parameters[name], p)
    c = layer_case(deep, ragged=True)
    trace, grads = run(c)
    plain = with_parameters(plain, deep.parameters)
    expected_trace, expected = run(c._replace(layer=plain))
    np.testing.assert_array_equal(trace.h, expected_trace.h)
    assert grads.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_array_equal(grads[name], gradient, err_msg=name)


def test_transition_satisfies_its_equations():
    c = layer_case(DeepTransition(2, 3, rng=rng(), depth=4))
    trace, p = run(c)[0], c.layer
    m_1 = np.tanh(c.x @ p.W_x + trace.h_prev @ p.W_h + p.b)
    m_2 = np.tanh(m_1 @ p.W_2 + p.b_2)
    m_3 = np.tanh(m_2 @ p.W_3 + p.b_3)
    np.testing.assert_allclose(trace.m, np.stack([m_1, m_2, m_3], axis=1), atol=1e-14)
    np.testing.assert_allclose(trace.h, np.tanh(m_3 @ p.W_4 + p.b_4), atol=1e-14)
    np.testing.assert_array_equal(trace.h_prev[1:], trace.h[:-1])
    np.testing.assert_array_equal(trace.h_prev[0], c.initial["h0"])


def test_a_deep_transition_is_an_rnn_with_more_steps():
    """With one weight for all its layers it is an RNN that gets an input only at every third step."""
    T, L = 5, 3
    deep = DeepTransition(2, 3, rng=rng(), depth=L)
    tied = {f"W_{k}": deep.W_h for k in (2, 3)} | {f"b_{k}": deep.b for k in (2, 3)}
    deep = with_parameters(deep, tied)
    x, dh = rng().normal(size=(T, 2, 2)), rng().normal(size=(T, 2, 3))
    slow, slow_dh = np.zeros((T * L, 2, 2)), np.zeros((T * L, 2, 3))
    slow[::L], slow_dh[L - 1 :: L] = x, dh

    plain = with_parameters(RNN(2, 3, rng=rng()), deep.parameters)
    trace, slow_trace = deep.forward(x), plain.forward(slow)
    np.testing.assert_allclose(trace.h, slow_trace.h[L - 1 :: L], atol=1e-15)
    grads, slow_grads = deep.backward(trace, dh), plain.backward(slow_trace, slow_dh)
    np.testing.assert_allclose(grads["h"], slow_grads["h"][L - 1 :: L], atol=1e-14)
    np.testing.assert_allclose(grads["x"], slow_grads["x"][::L], atol=1e-14)
    shared = grads["W_h"] + grads["W_2"] + grads["W_3"]
    np.testing.assert_allclose(shared, slow_grads["W_h"], atol=1e-14)


# the length of a path, measured: every layer linear, every weight w


def gradient_of_the_first_input(layer, w: float, T: int) -> float:
    """d h_T / d x_1 of a network of one unit a layer."""
    for name, p in layer.parameters.items():
        p[:] = 0 if ".b" in f".{name}" else w
    trace = layer.forward(np.zeros((T, 1, 1)))
    dh = np.zeros((T, 1, 1))
    dh[-1] = 1
    return layer.backward(trace, dh)["x"][0].item()


def linear(layer, **options):
    return layer(1, 1, rng=rng(), nonlinearity="identity", **options)


@pytest.mark.parametrize("T", [1, 4, 9])
def test_the_longest_way_from_the_first_input_is_what_the_table_says(T):
    """One weight a layer and step: the gradient is w to the length of the way, times the ways."""
    w = 0.5
    ways = {
        "RNN": (linear(RNN), 1, T),
        "stacked": (Chain([linear(RNN), linear(RNN)]), T, T + 1),
        "input-to-hidden": (Chain([linear(Dense), linear(RNN)]), 1, T + 1),
        "hidden-to-hidden": (linear(DeepTransition, depth=2), 1, 2 * T),
        "hidden-to-output": (Chain([linear(RNN), linear(Dense)]), 1, T + 1),
        "stacked-3": (Chain([linear(RNN) for _ in range(3)]), comb(T + 1, 2), T + 2),
        "hidden-to-hidden-3": (linear(DeepTransition, depth=3), 1, 3 * T),
    }
    for name, (layer, count, length) in ways.items():
        gradient = gradient_of_the_first_input(layer, w, T)
        assert gradient == pytest.approx(count * w**length, rel=1e-13), name


# weights and errors


@pytest.mark.parametrize(("layer", "fan_in"), [(Dense, 100), (DeepTransition, 25)])
def test_weights_are_uniform_and_biases_zero(layer, fan_in):
    new = layer(100, 25, rng=rng())
    bound = 1 / np.sqrt(fan_in)
    for name, p in new.parameters.items():
        if p.ndim == 1:
            assert not p.any()
        else:
            assert 0.98 * bound < p.max() <= bound, name
            assert -bound <= p.min() < -0.98 * bound, name
            assert abs(p.mean()) < 0.1 * bound, name
    same = layer(100, 25, rng=rng())
    for name, p in same.parameters.items():
        np.testing.assert_array_equal(new.parameters[name], p)


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="depth: expected an integer of at least 1, got 0"):
        DeepTransition(2, 3, rng=rng(), depth=0)
    for layer in (Dense, DeepTransition):
        with pytest.raises(ValueError, match="nonlinearity: expected one of .* got 'softmax'"):
            layer(2, 3, rng=rng(), nonlinearity="softmax")
        with pytest.raises(TypeError, match="rng: expected"):
            layer(2, 3, rng=0)
        with pytest.raises(TypeError, match="H: expected an integer"):
            layer(2, 3.0, rng=rng())


def test_wrong_arguments_are_named():
    x, dh = np.zeros((4, 3, 2)), np.zeros((4, 3, 3))
    deep = DeepTransition(2, 3, rng=rng())
    with pytest.raises(TypeError, match="^trace: expected DeepTransitionTrace, got DenseTrace"):
        deep.backward(Dense(2, 3, rng=rng()).forward(x), dh)
    with pytest.raises(ValueError, match=r"^dstate: expected shape .* got \(3, 4\)"):
        deep.backward(deep.forward(x), dh, np.zeros((3, 4)))
    deep.W_2 = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"^W_2: expected shape \(3, 3\), got \(2, 3\)"):
        deep.forward(x)
