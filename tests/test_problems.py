"""The problems of the literature: what is drawn is what the docstring says, and the baselines are exact."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout, bptt
from rnn_teach.cells import GRU, LSTM
from rnn_teach.functional import cross_entropy, squared_error
from rnn_teach.training import Adam, fit


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


PROBLEMS = {
    "adding": tasks.Adding(40),
    "adding, odd": tasks.Adding(7),
    "adding 1997": tasks.HochreiterAdding(40),
    "copy": tasks.Copy(delay=12),
    "copy, small": tasks.Copy(delay=1, items=2, symbols=3),
    "order 2": tasks.TemporalOrder(T=100),
    "order 3": tasks.TemporalOrder(T=20, relevant=3),
    "recall": tasks.DelayedRecall(T=9, symbols=5),
    "reber": tasks.EmbeddedReber(),
    "counting": tasks.Counting(most=6, least=2),
    "sines": tasks.NoisySines(T=20),
    "sunspots": tasks.Sunspots(T=30, horizon=3),
    "english": tasks.EnglishText(T=12, rng=rng()),
    "names": tasks.GivenNames("male", rng=rng()),
}
RAGGED = {"adding 1997", "order 2", "order 3", "reber", "counting", "names"}


# What all have in common


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_batch_is_what_bptt_takes_with_the_options_of_the_problem(name):
    problem = PROBLEMS[name]
    x, target, lengths, carry = problem.batch(5, rng=rng())
    T, N, D = x.shape
    assert (N, D) == (5, problem.D) and x.dtype == np.float64 and not carry
    assert (lengths is not None) == (name in RAGGED)
    if lengths is not None:
        assert lengths.max() == T
        if name != "names":  # these are padded with the symbol END
            assert not x[np.arange(T)[:, None] >= lengths].any()
    network = Network(GRU(D, 3, rng=rng()), Readout(3, problem.K, rng=rng()))
    result = bptt(network, x, target, lengths=lengths, **problem.options)
    assert np.isfinite(result.loss)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_same_generator_draws_the_same_and_goes_on(name):
    problem = PROBLEMS[name]
    one, two = (tasks.batches(problem, 4, rng=rng(3)) for _ in range(2))
    first = None
    for a, b in itertools.islice(zip(one, two, strict=True), 3):
        for left, right in zip(a[:3], b[:3], strict=True):
            assert left is right is None or (left == right).all()
        if first is None:
            first = a
    assert a.x.shape != first.x.shape or (a.x != first.x).any()


@pytest.mark.parametrize("name", PROBLEMS)
def test_some_sequences_are_asked_for(name):
    if name in ("english", "names"):
        return
    for bad, error in ((0, ValueError), (2.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match=r"N: expected an integer of at least 1"):
            PROBLEMS[name].batch(bad, rng=rng())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tasks.Adding(1), "T: expected an integer of at least 2, got 1"),
        (lambda: tasks.HochreiterAdding(21), "T: expected an integer of at least 22"),
        (lambda: tasks.Copy(delay=0), "delay: expected an integer of at least 1"),
        (lambda: tasks.Copy(symbols=1), "symbols: expected an integer of at least 2"),
        (lambda: tasks.TemporalOrder(T=19), "T: expected an integer of at least 20"),
        (lambda: tasks.TemporalOrder(relevant=4), "relevant: expected 2 or 3, got 4"),
        (lambda: tasks.DelayedRecall(symbols=1), "symbols: expected an integer of at least 2"),
        (lambda: tasks.Counting(most=1, least=2), "most: expected an integer of at least 2"),
        (lambda: tasks.NoisySines(noise=-1), "noise: expected a number of at least 0"),
        (lambda: tasks.NoisySines(fastest=9, slowest=9), "fastest, slowest: expected periods"),
        (lambda: tasks.Sunspots(last=2008), r"last: expected a year in 1740\.\.2007, got 2008"),
        (lambda: tasks.Sunspots(T=50, last=1749), r"last: expected a year in 1750\.\."),
        (lambda: tasks.EnglishText(0, rng=rng()), r"T: expected 1\.\."),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Baselines: the loss of an answer that needs no learning, and the number the function says


def answers(problem, x):
    """The trivial answer to the inputs x, as the docstring of `baseline` words it."""
    T, N, _ = x.shape
    match problem:
        case tasks.Adding():
            return np.ones((N, 1))
        case tasks.HochreiterAdding():
            return np.full((N, 1), 0.5)
        case tasks.Copy():
            y = np.zeros((T, N, problem.K))
            y[: -problem.items, :, -1] = 1000  # a blank for certain
            y[-problem.items :, :, -1] = -1000
            return y
        case tasks.NoisySines():
            return x
    return np.zeros((N, problem.K) if problem.options.get("at") == "last" else (T, N, problem.K))


@pytest.mark.parametrize(
    ("problem", "derived"),
    [
        (tasks.Adding(40), 1 / 6),
        (tasks.HochreiterAdding(40), 1 / 24),
        (tasks.Copy(delay=10), 10 * math.log(8) / 30),
        (tasks.TemporalOrder(T=20), math.log(4)),
        (tasks.TemporalOrder(T=20, relevant=3), math.log(8)),
        (tasks.DelayedRecall(symbols=3), math.log(3)),
        (tasks.EmbeddedReber(), math.log(7)),
        (tasks.NoisySines(T=3, noise=0.3), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_simulated_baseline_is_the_derived_one(problem, derived):
    assert derived is None or problem.baseline() == pytest.approx(derived, rel=1e-12)
    measure = cross_entropy if problem.options["loss"] == "cross_entropy" else squared_error
    stream, losses = rng(1), []
    for _ in range(40):
        x, target, *_ = problem.batch(100, rng=stream)
        y = answers(problem, x)
        losses.append(measure(y, target)[0] / y[..., 0].size)
    error = np.std(losses, ddof=1) / math.sqrt(len(losses))
    assert abs(np.mean(losses) - problem.baseline()) < 4 * error + 1e-12, "four standard errors"


@pytest.mark.parametrize(
    ("delay", "loss"),
    [(100, 0.17329), (200, 0.09452), (300, 0.06498), (500, 0.03999), (1000, 0.02039)],
)
def test_the_memoryless_copy_loss_is_the_known_one(delay, loss):
    assert tasks.Copy(delay=delay).baseline() == pytest.approx(loss, abs=5e-6)


def test_always_one_half_is_correct_in_15_4_percent():
    problem = tasks.HochreiterAdding(40)
    _, target, *_ = problem.batch(20_000, rng=rng())
    share = (2 * 0.16 - 0.16**2 / 2) / 2
    assert share == pytest.approx(0.1536)
    error = math.sqrt(share * (1 - share) / 20_000)
    correct = problem.correct(np.full_like(target, 0.5), target)
    assert correct.shape == (20_000,) and abs(correct.mean() - share) < 4 * error


@pytest.mark.parametrize(("least", "most"), [(1, 1), (1, 4), (3, 3), (2, 12)])
def test_no_memoryless_guess_counts_better_than_the_baseline(least, most):
    """Strings by hand, and every pair of probabilities of a fine grid."""
    p = np.linspace(1e-9, 1 - 1e-9, 2001)
    loss = np.zeros_like(p)  # of the a with probability p for the first b; of the b the same
    for n in range(least, most + 1):
        surprise = -(n - 1) * np.log(1 - p) - np.log(p)
        loss += 2 * surprise / (2 * n + 1) / (most - least + 1)
    baseline = tasks.Counting(most, least).baseline()
    assert loss.min() >= baseline - 1e-12 and loss.min() == pytest.approx(baseline, abs=1e-5)


def test_the_bigram_is_the_baseline_of_text_and_names():
    english, names = PROBLEMS["english"], PROBLEMS["names"]
    counted = tasks.baselines(english.train, english.held_out, english.vocabulary)
    assert english.baseline() == counted["bigram"] < counted["unigram"] < counted["uniform"]
    assert names.baseline() < math.log(names.K)
    assert not set(names.train) & set(names.held_out)
    said = {names.vocabulary.decode(column)[:-1] for column in names.batch(1, rng=rng()).target.T}
    assert said <= set(names.train)


def test_windows_of_english_come_from_the_part_to_train_on():
    english = PROBLEMS["english"]
    x, target, *_ = english.batch(50, rng=rng())
    for codes, following in zip(x.argmax(axis=-1).T, target.T, strict=True):
        window = english.vocabulary.decode([*codes, following[-1]])
        assert window in english.train and (codes[1:] == following[:-1]).all()
    highest = SimpleNamespace(integers=lambda high, size: np.full(size, high - 1))
    last = english.batch(1, rng=highest).target[:, 0]
    assert english.vocabulary.decode(last) == english.train[-12:]


# Learning: each kind of problem is below its baseline after a few seconds


@pytest.mark.parametrize(
    ("problem", "cell", "steps", "share"),
    [
        (tasks.Adding(8), GRU, 300, 0.3),
        (tasks.TemporalOrder(T=20), LSTM, 250, 0.3),
        (tasks.DelayedRecall(T=6, symbols=2), GRU, 200, 0.2),
        (tasks.Counting(most=4), LSTM, 250, 0.8),
        (tasks.EmbeddedReber(), LSTM, 200, 0.3),
        (tasks.NoisySines(T=20), GRU, 200, 0.5),
        (tasks.Copy(delay=3, items=2, symbols=3), LSTM, 400, 0.5),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "batch") else None,
)
def test_it_can_be_learned(problem, cell, steps, share):
    network = Network(cell(problem.D, 24, rng=rng()), Readout(24, problem.K, rng=rng()))
    stream = tasks.batches(problem, 16, rng=rng(1))
    history = fit(network, stream, steps=steps, optimizer=Adam(0.01), clip=1.0, **problem.options)
    assert history.loss[-20:].mean() < share * problem.baseline()
