"""The five shapes of input and output: one line each, and the right gradient."""

import re
from importlib import import_module

import numpy as np
import pytest
from cases import KINDS, cell_of, frozen

from rnn_teach import Network, Readout, bptt
from rnn_teach.bptt import one_to_many
from rnn_teach.deep import Dense
from rnn_teach.gradcheck import check, with_parameters

T, N, D, H, K = 5, 3, 2, 4, 3
each_kind = pytest.mark.parametrize("kind", KINDS)


def one(rng):
    return frozen(rng.normal(size=(N, D)))


def many(rng):
    return frozen(rng.normal(size=(T, N, D)))


# the inputs and the shape of the target; "one" is (N, ...), "many" is (T, N, ...)
SHAPES = {
    "one to one": (one, (N,)),
    "one to many": (one, (T, N)),
    "many to one": (many, (N,)),
    "many to many, aligned": (many, (T, N)),
}
# the lines themselves, as the table at the top of the module shows them
TABLE = dict(
    re.findall(r"^    (\S.*?) {2,}(\S.*)$", import_module("rnn_teach.bptt").__doc__, re.MULTILINE)
)


def line(shape):
    code = compile(TABLE[shape], shape, "eval")
    return lambda network, x, target: eval(
        code,
        {"bptt": bptt, "one_to_many": one_to_many},
        {"network": network, "x": x, "target": target, "T": T},
    )


def problem(shape, kind):
    inputs, of_target = SHAPES[shape]
    rng = np.random.default_rng(0)
    network = Network(cell_of(kind, D, H, rng), Readout(H, K, rng=rng))
    return line(shape), network, inputs(rng), frozen(rng.integers(K, size=of_target))


@each_kind
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_has_the_right_gradient(shape, kind):
    run, network, x, target = problem(shape, kind)
    result = run(network, x, target)
    check(
        lambda p: run(with_parameters(network, p), x, target).loss,
        network.parameters,
        result.grads,
        rng=np.random.default_rng(1),
    )
    assert result.y.shape == (*(target.shape if shape != "one to one" else (1, N)), K)


@each_kind
def test_the_gradient_of_one_to_many_by_its_input_is_step_0(kind):
    run, network, x, target = problem("one to many", kind)
    grads = {"x": run(network, x, target).grads["x"][0]}

    def loss(p):
        sequence = np.zeros((T, N, D), p["x"].dtype)
        sequence[0] = p["x"]
        return bptt(network, sequence, target).loss

    check(loss, {"x": x}, grads, rng=np.random.default_rng(1))


def test_one_to_one_is_a_network_without_recurrence():
    """The state before the only step is zero, so W_h has no part in it."""
    run, network, x, target = problem("one to one", "RNN-tanh")
    layer = with_parameters(Dense(D, H, rng=np.random.default_rng(0)), network.cell.parameters)
    plain = run(Network(layer, network.readout), x, target)
    result = run(network, x, target)
    assert result.loss == plain.loss
    assert not result.grads["cell.W_h"].any()
    np.testing.assert_array_equal(result.grads["cell.W_x"], plain.grads["cell.W_x"])


def test_one_to_many_gives_the_input_once():
    x = frozen(np.arange(6.0).reshape(N, D))
    sequence = one_to_many(x, T)
    np.testing.assert_array_equal(sequence[0], x)
    assert sequence.shape == (T, N, D) and not sequence[1:].any()
    np.testing.assert_array_equal(one_to_many(x, 1), x[None])
    assert one_to_many(x.astype(np.float32), T).dtype == np.float32
    assert one_to_many(x + 1j, T).dtype == np.complex128
    with pytest.raises(ValueError, match=r"x: expected shape \(N, D\), got \(1, 3, 2\)"):
        one_to_many(x[None], T)
    with pytest.raises(ValueError, match="T: expected an integer of at least 1, got 0"):
        one_to_many(x, 0)
    with pytest.raises(TypeError, match="T: expected an integer of at least 1, got 2.0"):
        one_to_many(x, 2.0)


def test_the_table_has_these_lines_and_the_one_of_the_encoder_and_decoder():
    assert TABLE.keys() - SHAPES.keys() == {"many to many, unaligned"}
    assert "seq2seq.EncoderDecoder" in TABLE["many to many, unaligned"]
