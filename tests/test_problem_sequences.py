"""What each problem of the literature draws: marks, places, layouts and grammars, worked out once more."""

import itertools
import math
import re

import numpy as np
import pytest

from rnn_teach import tasks


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Adding


@pytest.mark.parametrize("T", [2, 7, 40])
def test_adding_marks_one_step_of_each_half(T):
    x, target, *_ = tasks.Adding(T).batch(2000, rng=rng())
    assert set(np.unique(x[..., 1])) <= {0, 1}
    first, second = x[: T // 2, :, 1], x[T // 2 :, :, 1]
    assert (first.sum(axis=0) == 1).all() and (second.sum(axis=0) == 1).all()
    assert first.any(axis=1).all() and second.any(axis=1).all(), "every step has its turn"
    assert 0 <= x[..., 0].min() and x[..., 0].max() < 1
    np.testing.assert_allclose(target[:, 0], (x[..., 0] * x[..., 1]).sum(axis=0))


def test_adding_of_1997_marks_what_the_paper_says():
    T = 40
    x, target, lengths, _ = tasks.HochreiterAdding(T).batch(5000, rng=rng())
    assert set(lengths) == set(range(40, 45))
    firsts, pairs = set(), set()
    for n, length in enumerate(lengths):
        numbers, marks = x[:length, n].T
        places = np.flatnonzero(marks == 1)
        assert len(places) == 2 and places[0] < 10 and places[1] < T // 2
        assert target[n, 0] == pytest.approx(0.5 + numbers[places].sum() / 4)
        assert marks[-1] == -1 and (marks[0] == -1) == (places[0] > 0)
        assert (np.delete(marks, [0, length - 1, *places]) == 0).all()
        firsts.add(places[0])
        pairs.add(places[1])
    assert firsts == set(range(10)) and pairs == set(range(1, T // 2))
    runs = np.arange(len(x))[:, None] < lengths
    numbers = x[..., 0][runs]
    assert -1 <= numbers.min() < -0.99 and 0.99 < numbers.max() <= 1


# Copy, order, recall


def test_copy_has_the_layout_of_the_paper():
    x, target, *_ = tasks.Copy(delay=12).batch(200, rng=rng())
    assert (x.sum(axis=-1) == 1).all() and x.shape == (32, 200, 10)
    codes = x.argmax(axis=-1)
    assert set(codes[:10].ravel()) == set(range(8))
    assert (codes[10:21] == 8).all() and (codes[21] == 9).all() and (codes[22:] == 8).all()
    assert (target[:22] == 8).all() and (target[22:] == codes[:10]).all()


@pytest.mark.parametrize(
    ("relevant", "T", "places"),
    [
        (2, 100, [(10, 20), (50, 60)]),
        (3, 100, [(10, 20), (33, 43), (66, 76)]),
        (3, 20, [(2, 4), (6, 8), (13, 15)]),
    ],
)
def test_temporal_order_hides_its_symbols_where_the_paper_says(relevant, T, places):
    problem = tasks.TemporalOrder(T, relevant)
    x, target, lengths, _ = problem.batch(1500, rng=rng())
    assert set(lengths) == set(range(T, T + T // 10 + 1))
    seen = [set() for _ in places]
    for n, length in enumerate(lengths):
        assert (x[:length, n].sum(axis=-1) == 1).all()
        string = "".join(problem.symbols[k] for k in x[:length, n].argmax(axis=-1))
        assert re.fullmatch(rf"E(?:[abcd]*[XY]){{{relevant}}}[abcd]*B", string)
        found = [(place, symbol) for place, symbol in enumerate(string, 1) if symbol in "XY"]
        order = "".join(symbol for _, symbol in found)
        wanted = ["".join(way) for way in itertools.product("XY", repeat=relevant)]
        assert wanted[target[n]] == order
        for k, (place, _) in enumerate(found):
            seen[k].add(place)
    assert seen == [set(range(first, last + 1)) for first, last in places]
    assert len(set(target)) == 2**relevant == problem.K


def test_delayed_recall_asks_for_the_first_symbol():
    x, target, *_ = tasks.DelayedRecall(T=9, symbols=5).batch(300, rng=rng())
    assert (x.sum(axis=-1) == 1).all() and (x[0].argmax(axis=-1) == target).all()
    assert set(target) == set(range(5))


# Grammars

AFTER_X = "(?:XT*VP)*(?:S|XT*VV)"  # the grammar once more, as regular expressions
REBER = f"B(?:TS*X{AFTER_X}|PT*V(?:V|P{AFTER_X}))E"


def strings(problem, x, target, lengths):
    """What is read and what is to be said, one string each."""
    for n, T in enumerate(lengths):
        assert (x[:T, n].sum(axis=-1) == 1).all()
        read = "".join(problem.symbols[k] for k in x[:T, n].argmax(axis=-1))
        said = "".join(problem.symbols[k] for k in target[:T, n])
        assert read[1:] == said[:-1]
        assert not target[T:, n].any()
        yield read[0] + said


def test_the_regular_expression_is_the_grammar():
    good = ["BTXSE", "BPVVE", "BTSSXXTVVE", "BPVPXVPXVPXVVE", "BTSXXVPSE", "BPTTVPSE"]
    bad = ["BTXE", "BPVE", "BTSXVVE", "BPTVPXSE", "TXSE", "BTXSEE", "BTTVVE"]
    assert all(re.fullmatch(REBER, string) for string in good)
    assert not any(re.fullmatch(REBER, string) for string in bad)


def test_reber_strings_are_accepted_by_another_automaton():
    problem = tasks.EmbeddedReber()
    seen = list(strings(problem, *problem.batch(4000, rng=rng())[:3]))
    for string in seen:
        assert re.fullmatch(f"B([TP]){REBER}\\1E", string), string
    # 1/2 for each choice: S x and V V end the walk after two choices, so "BTXSE" has 1/8
    for inner, p in (("BTXSE", 1 / 8), ("BPVVE", 1 / 8), ("BTSXSE", 1 / 16)):
        share = np.mean([string[2:-2] == inner for string in seen])
        assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / 4000)
    assert abs(np.mean([s[1] == "T" for s in seen]) - 0.5) < 4 * 0.5 / math.sqrt(4000)


def test_counting_strings_have_as_many_b_as_a():
    problem = tasks.Counting(most=6, least=2)
    seen = set(strings(problem, *problem.batch(500, rng=rng())[:3]))
    assert seen == {f"${'a' * n}{'b' * n}$" for n in range(2, 7)}


# Series


def test_sines_are_sines_and_the_noise_is_as_large_as_it_says():
    clean = tasks.NoisySines(T=60, noise=0).batch(300, rng=rng())
    s = np.concatenate([clean.x[..., 0], clean.target[-1:, :, 0]])
    assert (clean.x[1:] == clean.target[:-1]).all() and abs(s).max() <= 1
    # a sine obeys s[t+1] + s[t-1] = 2 cos(w) s[t]; read w off it, by least squares
    cosine = ((s[2:] + s[:-2]) * s[1:-1]).sum(axis=0) / (2 * (s[1:-1] ** 2).sum(axis=0))
    np.testing.assert_allclose(s[2:] + s[:-2], 2 * cosine * s[1:-1], atol=1e-10)
    periods = 2 * np.pi / np.arccos(cosine)
    assert 8 <= periods.min() < 8.5 and 23 < periods.max() <= 25
    noisy = tasks.NoisySines(T=60, noise=0.2).batch(300, rng=rng())
    assert (noisy.x[..., 0] - s[:-1]).std() == pytest.approx(0.2, rel=0.02)


def test_the_sunspots_are_the_ones_described():
    years, numbers = tasks.sunspots()
    assert (years == np.arange(1700, 2009)).all() and numbers.shape == (309,)
    assert numbers.min() == 0 and numbers.max() == numbers[years == 1957] == 190.2


@pytest.mark.parametrize("horizon", [1, 3])
def test_sunspots_held_out_are_not_trained_on(horizon):
    problem = tasks.Sunspots(T=30, horizon=horizon, last=1920)
    years, numbers = tasks.sunspots()
    year_of = {number: year for number, year in zip(numbers, years, strict=True)}
    once = [number for number in numbers if (numbers == number).sum() == 1]
    x, target, *_ = problem.batch(3000, rng=rng())
    drawn = {year_of[k] for k in np.unique(target.round(6) * 100).round(1) if k in once}
    assert max(drawn) <= 1920
    starts = {tuple(window) for window in x[..., 0].T}
    assert len(starts) == 1920 - 1700 + 1 - 30 - horizon + 1, "every window has its turn"
    assert tuple(numbers[:30] / 100) in starts
    assert tuple(numbers[1921 - 1700 - 30 - horizon : 1921 - 1700 - horizon] / 100) in starts
    held = problem.held_out()
    np.testing.assert_array_equal(held.target[:, 0, 0], numbers[years > 1920] / 100)
    np.testing.assert_array_equal(held.x[:, 0, 0], numbers[1921 - 1700 - horizon : -horizon] / 100)
    error = numbers[1921 - 1700 :] - numbers[1921 - 1700 - horizon : -horizon]
    assert problem.baseline() == pytest.approx((error**2).mean() / 1e4)
