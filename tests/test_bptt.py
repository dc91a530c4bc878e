"""A cell, a readout and a loss together: what the loss means, and its gradient."""

from itertools import product

import numpy as np
import pytest
from cases import KINDS, case, cell_of, frozen, halves

from rnn_teach import RNN, Network, Readout, bptt
from rnn_teach.bptt import check_target, predict
from rnn_teach.functional import softmax
from rnn_teach.gradcheck import check, with_parameters

K = 3
LOSSES, PLACES, TIMES = ("cross_entropy", "squared_error"), ("every", "last"), ("mean", "sum")
each_kind = pytest.mark.parametrize("kind", KINDS)
each_loss = pytest.mark.parametrize("loss", LOSSES)


def problem(kind, loss="cross_entropy", at="every", **options):
    """A network, the arguments of a case, and a target for the loss."""
    c = case(kind, **options)
    rng = np.random.default_rng(1)
    readout = Readout(c.cell.H, K, rng=rng)
    readout.b_y += rng.normal(size=K)
    T, N, _ = c.x.shape
    shape = (T, N) if at == "every" else (N,)
    target = (
        rng.integers(K, size=shape) if loss == "cross_entropy" else rng.normal(size=(*shape, K))
    )
    return Network(c.cell, readout), c, frozen(target)


@pytest.mark.parametrize(("loss", "at", "over_time"), list(product(LOSSES, PLACES, TIMES)))
@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
@each_kind
def test_gradients_satisfy_both_oracles(kind, ragged, loss, at, over_time):
    network, c, target = problem(kind, loss, at, ragged=ragged)
    options = {"loss": loss, "at": at, "over_time": over_time, "lengths": c.lengths}
    names = ("h0", "c0")[: len(halves(c.state))]

    def f(p):
        state = tuple(p[name] for name in names)
        state = state if len(state) == 2 else state[0]
        return bptt(with_parameters(network, p), p["x"], target, state=state, **options).loss

    params = network.parameters | {"x": c.x} | dict(zip(names, halves(c.state), strict=True))
    result = bptt(network, c.x, target, state=c.state, **options)
    check(f, params, result.grads, rng=np.random.default_rng(2))


@each_loss
def test_loss_is_the_mean_over_sequences_of_what_the_formula_says(loss):
    network, c, target = problem("LSTM", loss, ragged=True)
    y, trace = predict(network, c.x, lengths=c.lengths)
    total = {"mean": 0.0, "sum": 0.0}
    for n, T in enumerate(c.lengths):
        if loss == "cross_entropy":
            steps = [-np.log(softmax(y[t, n])[target[t, n]]) for t in range(T)]
        else:
            steps = [((y[t, n] - target[t, n]) ** 2).sum() for t in range(T)]
        total["sum"] += sum(steps) / 4
        total["mean"] += sum(steps) / T / 4
    for over_time, expected in total.items():
        result = bptt(network, c.x, target, loss=loss, over_time=over_time, lengths=c.lengths)
        assert result.loss == pytest.approx(expected, rel=1e-12)
        np.testing.assert_array_equal(result.y, y)
        np.testing.assert_array_equal(result.trace.h, trace.h)


@each_loss
@each_kind
def test_mean_is_sum_divided_by_T(kind, loss):
    network, c, target = problem(kind, loss)
    mean, total = (bptt(network, c.x, target, loss=loss, over_time=o) for o in TIMES)
    assert mean.loss == pytest.approx(total.loss / len(c.x), rel=1e-14)
    for name, gradient in mean.grads.items():
        np.testing.assert_allclose(gradient, total.grads[name] / len(c.x), atol=1e-14)


@each_loss
def test_last_asks_each_sequence_at_its_own_end(loss):
    network, c, target = problem("GRU-after", loss, "last", ragged=True)
    result = bptt(network, c.x, target, loss=loss, at="last", lengths=c.lengths)
    assert result.y.shape == (4, K)
    alone = [
        bptt(network, c.x[:T, n : n + 1], target[n : n + 1], loss=loss, at="last")
        for n, T in enumerate(c.lengths)
    ]
    assert result.loss == pytest.approx(np.mean([one.loss for one in alone]), rel=1e-13)
    for name in network.parameters:
        mean = np.mean([one.grads[name] for one in alone], axis=0)
        np.testing.assert_allclose(result.grads[name], mean, atol=1e-13)


def test_last_is_the_mean_over_the_sequences():
    network, c, target = problem("RNN-tanh", at="last")
    result = bptt(network, c.x, target, at="last")
    p = softmax(result.y)[np.arange(4), target]
    assert result.loss == pytest.approx(-np.log(p).mean(), rel=1e-13)


def test_targets_after_the_end_do_not_count():
    network, c, target = problem("RNN-tanh", ragged=True)
    other = target.copy()
    other[~(np.arange(len(c.x))[:, None] < c.lengths)] = 0
    assert (other != target).any()
    one, two = (bptt(network, c.x, t, lengths=c.lengths) for t in (target, other))
    assert one.loss == two.loss
    assert all(np.array_equal(one.grads[name], two.grads[name]) for name in one.grads)


@each_kind
def test_grads_are_named_after_what_they_belong_to(kind):
    network, c, target = problem(kind)
    grads = bptt(network, c.x, target, state=c.state).grads
    shapes = {name: p.shape for name, p in network.parameters.items()}
    shapes |= {"x": c.x.shape, "h0": (4, 5), "h": (6, 4, 5)}
    if kind == "LSTM":
        shapes |= {"c0": (4, 5), "c": (6, 4, 5), "c_carried": (6, 4, 5)}
    assert {name: a.shape for name, a in grads.items()} == shapes


def test_parameters_are_the_arrays_themselves():
    network, _, _ = problem("RNN-tanh")
    assert network.parameters["cell.W_h"] is network.cell.W_h
    assert network.parameters["readout.W_y"] is network.readout.W_y


@each_loss
@pytest.mark.parametrize("at", PLACES)
@each_kind
def test_float32_in_float32_out(kind, at, loss):
    network, c, target = problem(kind, loss, at, ragged=True)
    x = c.x.astype(np.float32)
    result = bptt(network, x, target, loss=loss, at=at, lengths=c.lengths)
    arrays = (result.loss, result.y, result.trace.h, *result.grads.values())
    assert {a.dtype.name for a in arrays} == {"float32"}
    exact = bptt(network, c.x, target, loss=loss, at=at, lengths=c.lengths)
    assert result.loss == pytest.approx(exact.loss, rel=1e-4)


@each_kind
def test_twice_gives_the_same_bits(kind):
    network, c, target = problem(kind, ragged=True)
    one, two = (bptt(network, c.x, target, lengths=c.lengths) for _ in range(2))
    assert one.loss == two.loss
    assert all(np.array_equal(one.grads[name], two.grads[name]) for name in one.grads)


def test_predict_goes_on_from_the_final_state():
    network, c, _ = problem("LSTM")
    whole, _ = predict(network, c.x)
    first, trace = predict(network, c.x[:2])
    second, _ = predict(network, c.x[2:], trace.final)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-14)


def test_a_small_step_downhill_makes_the_loss_smaller():
    network, c, target = problem("GRU-before")
    result = bptt(network, c.x, target)
    step = {name: p - 0.01 * result.grads[name] for name, p in network.parameters.items()}
    assert bptt(with_parameters(network, step), c.x, target).loss < result.loss


def test_a_loss_that_is_not_finite_is_an_error_of_its_own():
    network, c, target = problem("RNN-identity", "squared_error")
    network = with_parameters(network, {"readout.b_y": np.full(K, 1e200)})
    with (
        np.errstate(over="ignore"),
        pytest.raises(FloatingPointError, match="loss: expected a finite number, got inf"),
    ):
        bptt(network, c.x, target, loss="squared_error")


SYMBOLS = np.zeros((6, 4), int)


@pytest.mark.parametrize(
    ("target", "options", "error", "message"),
    [
        (SYMBOLS, {"loss": "mse"}, ValueError, "loss: expected one of .* got 'mse'"),
        (SYMBOLS, {"at": "first"}, ValueError, "at: expected one of .* got 'first'"),
        (SYMBOLS, {"over_time": "max"}, ValueError, "over_time: expected one of .* got 'max'"),
        (SYMBOLS[:5], {}, ValueError, r"target: expected shape \(6, 4\), got \(5, 4\)"),
        (SYMBOLS, {"at": "last"}, ValueError, r"target: expected shape \(4,\), got \(6, 4\)"),
        (SYMBOLS + K, {}, ValueError, r"target: expected integers in 0\.\.2, got 3"),
        (SYMBOLS * 1.0, {}, TypeError, "target: expected integers, got dtype float64"),
        (
            SYMBOLS,
            {"loss": "squared_error"},
            ValueError,
            r"target: expected shape \(T=6, N=4, K=3\), got \(6, 4\)",
        ),
        (
            np.full((4, K), np.nan),
            {"loss": "squared_error", "at": "last"},
            ValueError,
            "target: expected finite numbers, got nan",
        ),
        (SYMBOLS, {"lengths": [7, 1, 1, 1]}, ValueError, r"lengths: .* 1\.\.T=6, got 7"),
        (SYMBOLS, {"state": np.zeros((4, 2))}, ValueError, r"state: expected .* got \(4, 2\)"),
    ],
)
def test_wrong_arguments_are_named(target, options, error, message):
    network, c, _ = problem("RNN-tanh")
    with pytest.raises(error, match=message):
        bptt(network, c.x, target, **options)


def test_a_new_readout_is_uniform_and_has_no_bias():
    readout = Readout(100, 50, rng=np.random.default_rng(0))
    assert -0.1 <= readout.W_y.min() < -0.09 and 0.09 < readout.W_y.max() <= 0.1
    assert not readout.b_y.any()


def test_a_target_of_another_shape_is_found_before_any_loss_sees_it():
    with pytest.raises(ValueError, match=r"target: expected shape \(6, 4\), got \(3, 4\)"):
        check_target(SYMBOLS[:3], np.zeros((6, 4, K)), "cross_entropy")


def test_network_and_readout_name_what_does_not_fit():
    rng = np.random.default_rng(0)
    cell = cell_of("RNN-tanh", 3, 5, rng)
    with pytest.raises(ValueError, match="readout: expected H=5, as the cell has, got H=4"):
        Network(cell, Readout(4, 2, rng=rng))
    with pytest.raises(ValueError, match="K: expected an integer of at least 1, got 0"):
        Readout(5, 0, rng=rng)
    with pytest.raises(TypeError, match="rng: expected"):
        Readout(5, 2, rng=None)
    with pytest.raises(ValueError, match=r"h: expected shape \(\.\.\., H=5\), got \(2, 4\)"):
        Readout(5, 2, rng=rng).forward(np.zeros((2, 4)))
    assert not RNN(3, 5, rng=rng).b.any()
