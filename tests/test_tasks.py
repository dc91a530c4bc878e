"""Characters in, batches out: what a model is trained on is what the text says."""

import math
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_teach import tasks
from rnn_teach.tasks import END, Vocabulary, characters

exactly_again = settings(derandomize=True, deadline=None, max_examples=30)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Vocabulary


@exactly_again
@given(st.text(min_size=1))
def test_decode_undoes_encode(text):
    vocabulary = characters(text)
    codes = vocabulary.encode(text)
    assert vocabulary.decode(codes) == text
    assert set(codes) == set(range(vocabulary.size))


def test_unknown_characters_are_named():
    with pytest.raises(ValueError, match=r"text: expected characters of 'abc', got 'x', 'z'"):
        characters("abc").encode("zabxz")


@pytest.mark.parametrize("symbols", ["", "aba"])
def test_a_vocabulary_has_different_symbols(symbols):
    with pytest.raises(ValueError, match="symbols: expected"):
        Vocabulary(symbols)


def test_one_hot_has_a_single_one_at_the_code():
    vocabulary = characters("abcd")
    codes = np.array([[0, 3], [2, 1], [1, 1]])
    x = vocabulary.one_hot(codes)
    assert x.shape == (3, 2, 4) and x.dtype == np.float64
    assert (x.sum(axis=-1) == 1).all() and (x.argmax(axis=-1) == codes).all()


@pytest.mark.parametrize("codes", [[-1], [4]])
def test_codes_outside_the_vocabulary_are_errors(codes):
    with pytest.raises(ValueError, match=r"codes: expected 0\.\.3"):
        characters("abcd").decode(codes)
    with pytest.raises(ValueError, match=r"codes: expected 0\.\.3"):
        characters("abcd").one_hot(np.array(codes))


def test_codes_that_are_not_integers_are_errors():
    with pytest.raises(TypeError, match=r"codes: expected ints"):
        characters("abcd").one_hot(np.array([0.0, 1.0]))


# The shipped data


def test_the_english_text_is_the_one_described():
    text = tasks.english_text()
    lines = text.splitlines()
    assert len(lines) == 790 and len(text) == 166_286
    assert characters(text).symbols == "\n '(),-.:;_abcdefghijklmnopqrstuvwxyz"
    assert len({line[:40] for line in lines}) == len(lines), "a paragraph would leak"


def test_the_names_are_the_ones_described():
    women, men, everyone = (tasks.given_names(kind) for kind in ("female", "male", "all"))
    assert (len(women), len(men), len(everyone)) == (4275, 1219, 5163)
    assert women[:3] == ["mary", "patricia", "linda"]
    assert everyone == list(dict.fromkeys(women + men))
    assert characters("".join(everyone)).symbols == "abcdefghijklmnopqrstuvwxyz"
    with pytest.raises(ValueError, match="kind: expected 'all', 'female' or 'male', got 'cat'"):
        tasks.given_names("cat")


# Held out


@exactly_again
@given(st.integers(2, 60), st.floats(0.05, 0.95), st.integers(0, 99))
def test_hold_out_splits_and_keeps_the_order(n, share, seed):
    items = [str(k) for k in range(n)]
    if not 0 < round(share * n) < n:
        with pytest.raises(ValueError, match="share: expected"):
            tasks.hold_out(items, share=share, rng=rng(seed))
        return
    kept, held = tasks.hold_out(items, share=share, rng=rng(seed))
    assert len(held) == round(share * n)
    assert sorted(kept + held, key=int) == items
    assert kept == sorted(kept, key=int) and held == sorted(held, key=int)
    assert (kept, held) == tasks.hold_out(items, share=share, rng=rng(seed))


# Batches of text


def test_the_target_is_the_next_symbol_and_windows_read_on():
    text = "".join(chr(ord("a") + k) for k in range(26))
    vocabulary = characters(text)
    batches = list(islice(tasks.text_batches(text, vocabulary, N=2, T=4, rng=rng()), 6))
    assert [batch.carry for batch in batches] == [False, True, True] * 2
    for batch in batches:
        x = batch.x.argmax(axis=-1)
        assert batch.x.shape == (4, 2, 26) and batch.lengths is None
        assert (batch.target == (x + 1) % 26).all()  # in this text the next letter comes next
    for before, after in pairwise(batches):
        if after.carry:
            assert (after.x[0].argmax(axis=-1) == before.target[-1]).all()
    first, second = (np.concatenate([b.target for b in batches[k : k + 3]]) for k in (0, 3))
    assert len(np.unique(first)) == 24, "a pass reads a symbol once"
    assert (first != second).any(), "each pass starts at another place"


def test_text_batches_are_the_same_for_the_same_rng():
    text = tasks.english_text()[:1000]
    vocabulary = characters(text)
    one, two = (tasks.text_batches(text, vocabulary, N=4, T=9, rng=rng(3)) for _ in range(2))
    for a, b in islice(zip(one, two, strict=True), 60):
        assert (a.x == b.x).all() and (a.target == b.target).all() and a.carry == b.carry


@pytest.mark.parametrize(("N", "T"), [(0, 1), (1, 0), (3, 3), (-1, -1)])
def test_windows_must_fit_into_the_text(N, T):
    with pytest.raises(ValueError, match=r"N, T: expected N\*T in 1\.\.8"):
        tasks.text_batches("abcdefgh", characters("abcdefgh"), N=N, T=T, rng=rng())


# Batches of names


def test_padded_names_open_and_close_with_the_end_symbol():
    vocabulary = characters(END + "abe")
    x, target, lengths, carry = tasks.padded(["abe", "eb"], vocabulary)
    assert not carry and lengths.tolist() == [4, 3]
    for n, name in enumerate(["abe", "eb"]):
        T = lengths[n]
        assert vocabulary.decode(x[:T, n].argmax(axis=-1)) == END + name
        assert vocabulary.decode(target[:T, n]) == name + END
    assert (x.sum(axis=-1) == 1).all(), "padding is valid input, too"


def test_a_pass_over_the_names_reads_each_name_once():
    names = tasks.given_names("male")[:60]
    vocabulary = characters(END + "".join(names))
    batches = list(islice(tasks.name_batches(names, vocabulary, N=20, rng=rng()), 6))
    read = [
        vocabulary.decode(batch.target[: T - 1, n])
        for batch in batches
        for n, T in enumerate(batch.lengths)
    ]
    assert sorted(read[:60]) == sorted(read[60:]) == sorted(names)
    assert read[:60] != read[60:]


@pytest.mark.parametrize("N", [0, 4])
def test_a_batch_needs_names(N):
    with pytest.raises(ValueError, match=r"N: expected 1\.\.3"):
        tasks.name_batches(["a", "b", "c"], characters("\nabc"), N=N, rng=rng())
    with pytest.raises(ValueError, match="names: expected at least one"):
        tasks.padded([], characters("\n"))


# Baselines


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, np.uint64])
def test_codes_of_any_width_are_counted(kind):
    codes = np.array([0, 1, 1, 19], kind)  # 19 * 20 does not fit into a byte
    np.testing.assert_allclose(tasks.unigram(codes, 20)[1], 3 / 24)
    np.testing.assert_allclose(tasks.bigram(codes[::-1], 20)[19, 1], 2 / 21)


def test_unigram_and_bigram_count():
    codes = np.array([0, 1, 1, 2, 1, 0])
    np.testing.assert_allclose(tasks.unigram(codes, 4), np.array([3, 4, 2, 1]) / 10)
    pairs = np.array([[0, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    smoothed = pairs + 0.5
    np.testing.assert_allclose(
        tasks.bigram(codes, 4, smoothing=0.5), smoothed / smoothed.sum(axis=1, keepdims=True)
    )


def test_baselines_by_hand():
    vocabulary = characters("ab")
    loss = tasks.baselines("aab", "abb", vocabulary)
    assert loss["uniform"] == math.log(2)
    # p(a) = 3/5, p(b) = 2/5; after a: a 2/4, b 2/4; after b: 1/2 each; asked: a->b, b->b
    assert loss["unigram"] == pytest.approx(-math.log(2 / 5))
    assert loss["bigram"] == pytest.approx(-(math.log(2 / 4) + math.log(1 / 2)) / 2)


def test_the_more_a_baseline_remembers_the_better_it_is_on_english():
    kept, held = tasks.hold_out(tasks.english_text().splitlines(keepends=True), rng=rng())
    loss = tasks.baselines("".join(kept), "".join(held), characters(tasks.english_text()))
    assert loss["bigram"] < loss["unigram"] < loss["uniform"] == math.log(37)


def test_a_baseline_needs_something_to_predict():
    with pytest.raises(ValueError, match="held_out: expected at least 2 symbols, got 1"):
        tasks.baselines("ab", "a", characters("ab"))


def test_perplexity_of_a_uniform_guess_is_the_number_of_symbols():
    assert tasks.perplexity(math.log(37)) == pytest.approx(37)
