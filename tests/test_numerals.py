"""Number words: every number once, none of the held-out answers ever shown; and the runs on them."""

from collections import Counter

import numpy as np
import pytest

from experiments import numerals as experiment
from rnn_teach.figures import attend, translate
from rnn_teach.problems.numerals import LARGEST, WORDS, NumberWords, spelled
from rnn_teach.results import read

VALUES = dict(zip(WORDS[:27], [*range(1, 20), *range(20, 100, 10)], strict=True))


@pytest.fixture(scope="module")
def problem():
    return NumberWords(rng=np.random.default_rng(0))


def value(words: str) -> int:
    """What number the words say, read from left to right."""
    total = group = 0
    for word in words.split():
        if word == "thousand":
            total, group = group * 1000, 0
        elif word == "hundred":
            group *= 100
        else:
            group += VALUES[word]
    return total + group


# Spelling


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "one"),
        (19, "nineteen"),
        (20, "twenty"),
        (21, "twenty one"),
        (100, "one hundred"),
        (110, "one hundred ten"),
        (1000, "one thousand"),
        (300_021, "three hundred thousand twenty one"),
        (12_012, "twelve thousand twelve"),
        (LARGEST, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_a_number_is_spelled_as_people_say_it(number, words):
    assert spelled(number) == words


def test_the_words_say_the_number():
    for number in (*range(1, 2000), *range(2000, LARGEST, 487), LARGEST):
        assert value(spelled(number)) == number


@pytest.mark.parametrize(
    ("number", "error"), [(0, ValueError), (LARGEST + 1, ValueError), (1.5, TypeError)]
)
def test_other_numbers_are_refused(number, error):
    with pytest.raises(error, match="number: expected"):
        spelled(number)
    with pytest.raises(error, match="number: expected"):
        NumberWords.encoded([5, number])
    with pytest.raises(ValueError, match="numbers: expected at least one"):
        NumberWords.encoded([])


# The split


def test_every_number_is_kept_or_held_out_and_none_is_both(problem):
    parts = [*problem.train.values(), *problem.held_out.values()]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(1, LARGEST + 1))


def test_a_tenth_of_each_count_of_words_is_held_out(problem):
    assert list(problem.train) == list(problem.held_out) == list(range(1, 10))
    for words, kept in problem.train.items():
        held = problem.held_out[words]
        assert 0 <= len(held) - (len(held) + len(kept)) / 10 < 1
        assert {len(spelled(number).split()) for number in (*kept[:50], *held[:50])} == {words}


def test_the_split_depends_on_the_generator_alone(problem):
    same, other = (NumberWords(rng=np.random.default_rng(seed)) for seed in (0, 1))
    for words in range(1, 10):
        np.testing.assert_array_equal(same.held_out[words], problem.held_out[words])
    assert set(other.held_out[5]) != set(problem.held_out[5])


# Batches


def test_a_batch_reads_words_and_asks_for_digits(problem):
    x, target, lengths, carry = problem.batch(400, rng=np.random.default_rng(3))
    assert x.shape == (lengths.max(), 400, problem.D) and not carry
    np.testing.assert_array_equal(x.sum(axis=2), np.arange(len(x))[:, None] < lengths)
    for n, length in enumerate(lengths):
        words = " ".join(WORDS[code] for code in x[:length, n].argmax(axis=1))
        digits = target[:, n].tolist()
        ends = digits.index(problem.end)
        number = int("".join(map(str, digits[:ends])))
        assert spelled(number) == words and number in problem.train[length]
        assert set(digits[ends:]) == {problem.end}
    counts = np.bincount(lengths, minlength=10)[1:]
    assert abs(counts - 400 / 9).max() < 4 * np.sqrt(400 / 9), "each count is as likely"


def test_a_guess_among_all_symbols_is_the_baseline(problem):
    assert problem.baseline() == pytest.approx(2.3979, abs=1e-4)


# Without order


@pytest.mark.parametrize("words", [1, 2, 3, 4])
def test_the_null_counts_the_numbers_of_the_same_words(problem, words):
    numbers = np.r_[problem.train[words], problem.held_out[words]]
    bags = Counter(" ".join(sorted(spelled(number).split())) for number in numbers)
    # in a bag of k numbers the best guess is right for one
    assert attend.without_order()[words - 1] == pytest.approx(len(bags) / len(numbers))


# Stored


def test_a_run_measures_at_its_moments_and_repeats_itself(monkeypatch):
    monkeypatch.setattr(experiment, "MOMENTS", (1, 3))
    monkeypatch.setattr(translate, "ASKED", 20)
    first, again = (experiment.run("additive", 4, 0) for _ in range(2))
    assert first == again
    assert [(p["updates"], p["words"]) for p in first["curve"]] == [
        (updates, words) for updates in (1, 3) for words in range(1, 10)
    ]
    last = [p["accuracy"] for p in first["curve"][-9:]]
    assert first["row"]["accuracy"] == np.mean(last) and first["row"]["longest"] == last[-1]
    assert first["row"]["loss"] != experiment.run("additive", 4, 1)["row"]["loss"]


def test_every_run_is_stored_whole():
    rows, points = read("numerals"), read("numerals-curves")
    wanted = experiment.EXPERIMENT.settings
    assert [
        {"attention": a, "H": h, "seed": s}
        for a, h, s in zip(rows["attention"], rows["H"], rows["seed"], strict=True)
    ] == wanted
    assert len(points["words"]) == len(wanted) * len(experiment.MOMENTS) * 9
    assert 0 <= points["accuracy"].min() and points["accuracy"].max() <= 1


def test_the_stored_points_are_read_by_seed_moment_and_length(monkeypatch):
    cases = [
        (attention, H, seed, updates, words)
        for words in range(1, 10)  # another order than that of the answer
        for updates in (200, 100)
        for attention in ("additive", "none")
        for seed in (1, 0)
        for H in (16, 32)
    ]
    columns = dict(zip(("attention", "H", "seed", "updates", "words"), zip(*cases), strict=True))
    table = {name: np.array(column) for name, column in columns.items()}
    table["accuracy"] = table["seed"] + table["updates"] / 1e3 + table["words"] / 1e2
    table["accuracy"] += 10 * (table["attention"] == "none") + 100 * (table["H"] == 32)
    monkeypatch.setattr(attend, "stored", lambda: table)
    got = attend.accuracies("none", 32)
    assert got.shape == (2, 2, 9)
    assert got[1, 0, 4] == pytest.approx(110 + 1 + 0.1 + 0.05)
    np.testing.assert_allclose(attend.median_accuracy("additive", 16, 200), 0.7 + np.r_[1:10] / 1e2)


def test_what_the_stored_runs_say():
    """Attention is level in the length; without it accuracy falls, and less so the wider and longer."""
    last = {H: attend.median_accuracy("none", H, 3200)[8] for H in experiment.SIZES}
    assert last[16] < last[32] < last[64]
    assert attend.median_accuracy("none", 32, 800)[8] < last[32]
    for H in experiment.SIZES:
        attended = attend.median_accuracy("additive", H, 1600)
        assert attended.min() > 0.97
        assert (attended >= attend.median_accuracy("none", H, 1600) - 0.01).all()
