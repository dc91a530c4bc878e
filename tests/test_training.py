"""The loop that learns: what is clipped, what an optimizer does, and when training stops."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout, bptt
from rnn_teach.cells import GRU, LSTM, RNN
from rnn_teach.sampling import next_symbol, read, sample
from rnn_teach.training import (
    SGD,
    Adam,
    clip_by_norm,
    clip_by_value,
    evaluate,
    fit,
    global_norm,
    glorot,
    identity,
    orthogonal,
    with_largest_singular_value,
    with_spectral_radius,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def locked(**arrays) -> dict[str, np.ndarray]:
    """The arrays, handed over read-only."""
    out = {name: np.array(a, dtype=float) for name, a in arrays.items()}
    for a in out.values():
        a.flags.writeable = False
    return out


# Clipping


def test_clipping_by_norm_keeps_the_direction_and_reports_the_old_norm():
    grads = locked(a=[[3.0, 0.0]], b=[-4.0])
    clipped, norm = clip_by_norm(grads, 1.0)
    assert norm == 5.0 == global_norm(grads)
    assert global_norm(clipped) == pytest.approx(1.0)
    for name in grads:
        np.testing.assert_allclose(clipped[name], grads[name] / 5)


def test_a_short_gradient_is_left_alone():
    grads = locked(a=[0.3, -0.4])
    clipped, norm = clip_by_norm(grads, 1.0)
    assert norm == pytest.approx(0.5) and (clipped["a"] == grads["a"]).all()
    assert clipped["a"] is not grads["a"]
    assert clip_by_norm(locked(a=[0.0]), 1.0)[0]["a"] == 0, "no 0/0"


def test_a_gradient_that_is_not_finite_has_no_norm():
    for bad in (np.inf, np.nan):
        with pytest.raises(FloatingPointError, match="gradient norm: expected a finite number"):
            global_norm(locked(a=[1.0, bad]))


def test_clipping_by_value_cuts_each_element():
    grads = locked(a=[3.0, -0.5, -7.0])
    assert clip_by_value(grads, 1.0)["a"].tolist() == [1.0, -0.5, -1.0]


@pytest.mark.parametrize("bad", [0, -1.0, float("nan")])
def test_limits_are_positive(bad):
    with pytest.raises(ValueError, match="max_norm: expected a number above 0"):
        clip_by_norm({}, bad)
    with pytest.raises(ValueError, match="limit: expected a number above 0"):
        clip_by_value({}, bad)
    for optimizer in (SGD, Adam):
        with pytest.raises(ValueError, match="learning_rate: expected a number above 0"):
            optimizer(learning_rate=bad)


# Initial weights


def test_glorot_has_the_variance_it_is_named_for():
    W = glorot(300, 200, rng=rng())
    assert abs(W).max() <= np.sqrt(6 / 500)
    assert W.var() == pytest.approx(2 / 500, rel=0.02)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7)])
def test_orthogonal_matrices_have_singular_values_1(shape):
    W = orthogonal(*shape, rng=rng())
    assert W.shape == shape
    np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), 1)


def test_orthogonal_favors_no_sign():
    signs = [np.sign(orthogonal(2, 2, rng=rng(seed))[0, 0]) for seed in range(200)]
    assert abs(np.mean(signs)) < 0.2


def test_rescaled_matrices_have_what_was_asked_for():
    W = locked(W=rng().standard_normal((6, 6)))["W"]
    radius = abs(np.linalg.eigvals(with_spectral_radius(W, 1.3))).max()
    assert radius == pytest.approx(1.3)
    assert np.linalg.svd(with_largest_singular_value(W, 0.7))[1][0] == pytest.approx(0.7)
    assert (identity(3, 0.5) == np.diag([0.5] * 3)).all()
    with pytest.raises(ValueError, match="W: expected something to bring to 1, got only zeros"):
        with_spectral_radius(np.zeros((2, 2)), 1)


# Optimizers


def test_sgd_with_momentum_by_hand():
    p, optimizer = {"w": np.array([1.0])}, SGD(learning_rate=0.1, momentum=0.5)
    optimizer.update(p, locked(w=[2.0]))
    assert p["w"] == pytest.approx(1.0 - 0.1 * 2.0)
    optimizer.update(p, locked(w=[1.0]))
    assert p["w"] == pytest.approx(0.8 - 0.1 * (0.5 * 2.0 + 1.0))


@pytest.mark.parametrize("ours", ["sgd", "adam"])
def test_optimizers_agree_with_pytorch(ours):
    torch = pytest.importorskip("torch")
    p = {"w": rng().standard_normal((3, 2)), "b": rng(1).standard_normal(2)}
    theirs = {name: torch.tensor(a) for name, a in p.items()}
    if ours == "sgd":
        optimizer = SGD(0.05, momentum=0.9)
        reference = torch.optim.SGD(theirs.values(), lr=0.05, momentum=0.9)
    else:
        optimizer, reference = Adam(0.05), torch.optim.Adam(theirs.values(), lr=0.05)
    noise = rng(2)
    for _ in range(20):
        grads = {name: noise.standard_normal(a.shape) for name, a in p.items()}
        optimizer.update(p, grads)
        for name, tensor in theirs.items():
            tensor.grad = torch.tensor(grads[name])
        reference.step()
    for name, tensor in theirs.items():
        np.testing.assert_allclose(p[name], tensor.numpy(), rtol=1e-10)


# The loop


def small(cell=RNN, seed: int = 0, **options) -> tuple[Network, tasks.Vocabulary, str]:
    text = "a cat sat on the mat. " * 20
    vocabulary = tasks.characters(text)
    K = vocabulary.size
    network = Network(cell(K, 12, rng=rng(seed), **options), Readout(12, K, rng=rng(seed)))
    return network, vocabulary, text


def batches(seed: int = 5, T: int = 10):
    _, vocabulary, text = small()
    return tasks.text_batches(text, vocabulary, N=4, T=T, rng=rng(seed))


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_training_learns_and_is_the_same_for_the_same_batches(cell):
    histories = []
    for _ in range(2):
        network, _, _ = small(cell)
        history = fit(network, batches(), steps=300, optimizer=Adam(0.02), clip=1.0)
        histories.append((history.loss, history.grad_norm, *network.parameters.values()))
        assert history.loss[:5].mean() > 2 and history.loss[-5:].mean() < 0.5
    for one, two in zip(*histories, strict=True):
        assert (one == two).all()


def test_a_step_of_the_loop_is_a_step_by_hand():
    network, _, _ = small()
    by_hand, _, _ = small()
    history = fit(network, batches(), steps=2, optimizer=SGD(0.5), clip=0.1)
    state, stream = None, batches()
    for k in range(2):
        batch = next(stream)
        assert batch.carry == (k > 0)
        result = bptt(by_hand, batch.x, batch.target, state=state)
        grads = {name: result.grads[name] for name in by_hand.parameters}
        clipped, norm = clip_by_norm(grads, 0.1)
        assert history.loss[k] == result.loss
        assert history.grad_norm[k] == norm > 0.1, "the norm before clipping"
        for name, p in by_hand.parameters.items():
            p -= 0.5 * clipped[name]
        state = result.trace.final
    for name, p in network.parameters.items():
        np.testing.assert_array_equal(p, by_hand.parameters[name])


def test_the_state_is_carried_only_where_the_batch_says_so():
    stop = [batch._replace(carry=False) for batch, _ in zip(batches(), range(3), strict=False)]
    carry = [batch for batch, _ in zip(batches(), range(3), strict=False)]
    one = fit(small()[0], stop, steps=3, optimizer=SGD(0.1))
    two = fit(small()[0], carry, steps=3, optimizer=SGD(0.1))
    assert one.loss[0] == two.loss[0] and one.loss[1] != two.loss[1]


def test_the_callback_sees_every_network_from_the_first_to_the_last():
    seen = {}

    def look(k: int, network: Network) -> None:
        seen[k] = network.cell.b.copy()

    network, _, _ = small()
    fit(network, batches(), steps=3, optimizer=SGD(0.1), callback=look)
    assert list(seen) == [0, 1, 2, 3]
    assert (seen[0] == 0).all() and (seen[3] == network.cell.b).all()
    assert (seen[2] != seen[3]).any()


@pytest.mark.parametrize("nonlinearity", ["relu", "tanh"])
def test_a_loss_that_is_not_finite_stops_and_names_the_step(nonlinearity):
    network, _, _ = small(nonlinearity=nonlinearity)

    def spoil(k: int, network: Network) -> None:
        if k == 7:
            network.readout.W_y[...] = np.inf

    with pytest.raises(FloatingPointError, match=r"step 7: loss: .* got (nan|inf)"):
        fit(network, batches(), steps=20, optimizer=SGD(0.1), callback=spoil)


def test_a_run_that_explodes_ends_in_that_error_not_in_a_warning():
    network, _, _ = small(nonlinearity="relu")
    network.cell.W_h *= 50
    with pytest.raises(FloatingPointError, match="try a smaller learning rate or clip"):
        fit(network, batches(), steps=200, optimizer=SGD(1e6))


def test_batches_that_end_early_are_an_error():
    few = [next(batches())] * 3
    with pytest.raises(ValueError, match="batches: expected 5, one a step, got 3"):
        fit(small()[0], few, steps=5, optimizer=SGD(0.1))
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        fit(small()[0], few, steps=0, optimizer=SGD(0.1))


def test_fit_takes_only_the_batches_it_needs():
    stream = batches()
    fit(small()[0], stream, steps=2, optimizer=SGD(0.1))
    fresh = batches()
    next(fresh), next(fresh)
    assert (next(stream).target == next(fresh).target).all()


def test_options_reach_bptt():
    one = fit(small()[0], batches(), steps=1, optimizer=SGD(0.1))
    two = fit(small()[0], batches(), steps=1, optimizer=SGD(0.1), over_time="sum")
    assert two.loss[0] == pytest.approx(10 * one.loss[0])


def test_ragged_names_are_learned():
    names = tasks.given_names("male")[:40]
    vocabulary = tasks.characters(tasks.END + "".join(names))
    network = Network(GRU(vocabulary.size, 24, rng=rng()), Readout(24, vocabulary.size, rng=rng()))
    everyone = tasks.padded(names, vocabulary)
    before = evaluate(network, *everyone[:3])
    stream = tasks.name_batches(names, vocabulary, N=8, rng=rng())
    fit(network, stream, steps=150, optimizer=Adam(0.02), clip=5.0)
    assert evaluate(network, *everyone[:3]) < before - 1.0


def test_evaluate_counts_each_symbol_once():
    network, vocabulary, _ = small()
    names = ["that", "me", "a"]
    x, target, lengths, _ = tasks.padded(names, characters_with_end(vocabulary))
    network = Network(RNN(x.shape[2], 5, rng=rng()), Readout(5, x.shape[2], rng=rng()))
    singly = [
        evaluate(network, x[:T, n : n + 1], target[:T, n : n + 1]) for n, T in enumerate(lengths)
    ]
    assert evaluate(network, x, target, lengths) == pytest.approx(
        np.average(singly, weights=lengths)
    )


def characters_with_end(vocabulary: tasks.Vocabulary) -> tasks.Vocabulary:
    return tasks.characters(vocabulary.symbols + tasks.END)


# Progress

PROGRAM = """
import numpy as np
from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout
from rnn_teach.cells import RNN
from rnn_teach.training import SGD, fit
rng = np.random.default_rng(0)
stream = tasks.text_batches("abcd" * 9, tasks.characters("abcd"), N=2, T=3, rng=rng)
network = Network(RNN(4, 3, rng=rng), Readout(3, 4, rng=rng))
fit(network, stream, steps=4, optimizer=SGD(0.1), progress={progress})
"""


@pytest.mark.parametrize(("progress", "shown"), [(None, False), (True, True), (False, False)])
def test_the_bar_is_quiet_where_nobody_watches(progress, shown):
    program = PROGRAM.format(progress=progress)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "" and ("0/4" in done.stderr) == shown


def test_at_a_terminal_the_bar_is_shown(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(small()[0], batches(), steps=4, optimizer=SGD(0.1))
    assert "/4" in capsys.readouterr().err


@pytest.mark.parametrize("watched", [True, False])
def test_in_a_notebook_the_bar_is_for_those_who_could_answer(monkeypatch, capsys, watched):
    # a live notebook offers input(), a page being built does not: nothing must be stored there
    kernel = SimpleNamespace(_allow_stdin=watched)
    shell = SimpleNamespace(kernel=kernel)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    fit(small()[0], batches(), steps=4, optimizer=SGD(0.1))
    assert ("/4" in capsys.readouterr().err) == watched


# What the network says


def test_temperature_1_is_the_softmax_and_0_is_greedy():
    logits = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(next_symbol(logits), p)
    assert next_symbol(logits, 0).tolist() == [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_allclose(next_symbol(logits[0], 1e-3), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(next_symbol(logits[0], 1e9), 1 / 3, rtol=1e-6)
    with pytest.raises(ValueError, match="temperature: expected a number of at least 0"):
        next_symbol(logits, -0.5)


def test_the_hotter_the_less_certain():
    logits = rng().standard_normal(10)
    entropies = []
    for temperature in (0.1, 0.5, 1.0, 1.5, 2.0):
        p = next_symbol(logits, temperature)
        entropies.append(-(p * np.log(p)).sum())
    assert entropies == sorted(entropies)


def test_reading_on_is_reading_at_once():
    network, vocabulary, _ = small(LSTM)
    whole, _ = read(network, vocabulary, "the cat sat")
    _, state = read(network, vocabulary, "the cat")
    rest, _ = read(network, vocabulary, " sat", state)
    np.testing.assert_allclose(whole, rest, rtol=1e-12)
    with pytest.raises(ValueError, match="text: expected at least one symbol to read"):
        read(network, vocabulary, "")


def test_a_trained_network_says_what_it_read():
    network, vocabulary, _ = small()
    fit(network, batches(), steps=400, optimizer=Adam(0.02), clip=1.0)
    said = sample(network, vocabulary, rng=rng(), length=17, start=". a c", temperature=0)
    assert said == "at sat on the mat"
    stopped = sample(
        network, vocabulary, rng=rng(), length=99, start=". a c", temperature=0, stop="."
    )
    assert stopped == "at sat on the mat"


def test_samples_follow_the_probabilities_and_the_rng():
    network, vocabulary, _ = small()
    drawn = "".join(
        sample(network, vocabulary, rng=rng(seed), length=1, start="t") for seed in range(3000)
    )
    logits, _ = read(network, vocabulary, "t")
    shares = [drawn.count(symbol) / 3000 for symbol in vocabulary.symbols]
    np.testing.assert_allclose(shares, next_symbol(logits), atol=0.03)
    one, two = (
        sample(network, vocabulary, rng=rng(7), length=50, start="t", temperature=1.2)
        for _ in range(2)
    )
    assert one == two and len(one) == 50
