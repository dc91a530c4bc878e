"""Greedy and beam decoding, against each other and against everything that can be said."""

from itertools import product

import numpy as np
import pytest
from encoder_decoders import (
    END,
    D,
    H,
    K,
    S,
    data,
    each_attention,
    each_kind,
    initial_of,
    network_of,
)
from layers import nested

from rnn_teach import GRU, LSTM
from rnn_teach.deep import Chain, Dense
from rnn_teach.seq2seq import beam, greedy, teacher_forcing


def log_p_of(network, x, symbols, lengths=None):
    target = np.array(symbols)[:, None]
    return -teacher_forcing(network, x, target, over_time="sum", lengths=lengths).loss


def all_answers(K, max_length):
    """Everything that can be said: ended by the end symbol, or as long as can be without one."""
    others = [k for k in range(K) if k != END]
    for length in range(max_length):
        yield from ((*symbols, END) for symbols in product(others, repeat=length))
    yield from product(others, repeat=max_length)


@each_kind
@each_attention
def test_greedy_is_a_beam_of_width_one(kind, attention):
    for seed in range(5):
        network = network_of(kind, attention, seed=seed)
        x, _, lengths = data(network, ragged=True, seed=seed)
        state = nested(network.encoder, initial_of(network.encoder, seed))
        options = {"max_length": 6, "state": state, "lengths": lengths}
        fast = greedy(network, x, **options)
        slow = beam(network, x, width=1, **options)
        for one, [other] in zip(fast, slow, strict=True):
            np.testing.assert_array_equal(one.symbols, other.symbols)
            np.testing.assert_allclose([one.log_p, one.score], other[1:3], rtol=1e-12)
            if attention:
                np.testing.assert_allclose(one.weights, other.weights, atol=1e-14)
            else:
                assert one.weights is other.weights is None


@each_attention
def test_greedy_takes_the_likeliest_symbol_and_says_how_likely(attention):
    endings = []
    for seed in range(5):
        network = network_of("GRU-after", attention, seed=seed)
        x, _, lengths = data(network, ragged=True)
        for n, answer in enumerate(greedy(network, x, max_length=6, lengths=lengths)):
            said, source = answer.symbols, x[: lengths[n], [n]]
            result = teacher_forcing(network, source, said[:, None], over_time="sum")
            np.testing.assert_array_equal(result.y[:, 0].argmax(axis=1), said)
            np.testing.assert_allclose(answer.log_p, -result.loss, rtol=1e-12)
            if attention:
                weights = result.trace.weights[:, 0]
                np.testing.assert_allclose(answer.weights[:, : lengths[n]], weights, atol=1e-14)
                assert not answer.weights[:, lengths[n] :].any()
            assert END not in said[:-1]
            assert said[-1] == END or len(said) == 6
            endings.append(len(said))
    assert {1, 6} <= set(endings) and len(set(endings)) > 2, endings  # at once, never, in between


@each_attention
@pytest.mark.parametrize("length_power", [0.0, 0.5, 1.0])
def test_a_beam_of_full_width_finds_the_best_of_all_answers(attention, length_power):
    K, max_length = 3, 4
    for seed in range(4):
        network = network_of("GRU-after", attention, K=K, scale=1.5, seed=seed)
        x = np.random.default_rng(seed).normal(size=(S, 1, D))
        log_p = {s: log_p_of(network, x, s) for s in all_answers(K, max_length)}
        np.testing.assert_allclose(sum(np.exp(list(log_p.values()))), 1, rtol=1e-12)
        ranked = sorted(log_p, key=lambda s: -log_p[s] / len(s) ** length_power)

        options = {"max_length": max_length, "length_power": length_power}
        [answers] = beam(network, x, width=K**max_length, **options)
        assert [tuple(map(int, answer.symbols)) for answer in answers] == ranked
        scores = [log_p[s] / len(s) ** length_power for s in ranked]
        np.testing.assert_allclose([answer.score for answer in answers], scores, rtol=1e-12)


@each_attention
def test_a_wide_beam_finds_what_greedy_misses(attention):
    better = []
    for seed in range(12):
        network = network_of("GRU-after", attention, K=3, scale=1.5, seed=seed)
        x = np.random.default_rng(seed).normal(size=(S, 1, D))
        [one] = greedy(network, x, max_length=4)
        [narrow] = beam(network, x, width=2, max_length=4)
        [wide] = beam(network, x, width=3**4, max_length=4)
        assert len(narrow) == 2 and narrow[0].score <= wide[0].score + 1e-12
        assert one.score <= wide[0].score + 1e-12
        better.append(one.score < wide[0].score - 1e-3)
    assert 3 <= sum(better) < 12, better


def test_a_beam_keeps_its_sources_apart():
    network = network_of("LSTM", "additive")
    x, _, lengths = data(network, ragged=True)
    together = beam(network, x, width=3, max_length=5, length_power=1, lengths=lengths)
    for n, answers in enumerate(together):
        [alone] = beam(network, x[: lengths[n], [n]], width=3, max_length=5, length_power=1)
        assert len(answers) == 3
        for one, other in zip(answers, alone, strict=True):
            np.testing.assert_array_equal(one.symbols, other.symbols)
            np.testing.assert_allclose(one.score, other.score, rtol=1e-12)
            np.testing.assert_allclose(one.weights[:, : lengths[n]], other.weights, atol=1e-14)
            np.testing.assert_allclose(one.score, one.log_p / len(one.symbols), rtol=1e-14)


def test_a_beam_over_a_deep_decoder():
    """Its state is a tuple of states, one of them None; the beam must pick rows of each."""
    rng = np.random.default_rng(0)
    encoder = Chain([GRU(D, H, rng=rng), Dense(H, H, rng=rng), LSTM(H, H, rng=rng)])
    decoder = Chain([GRU(K, H, rng=rng), Dense(H, H, rng=rng), LSTM(H, H, rng=rng)])
    network = network_of(encoder=encoder, decoder=decoder, scale=3.0)
    x = rng.normal(size=(S, 1, D))
    [answers] = beam(network, x, width=8, max_length=4)
    for answer in answers:
        np.testing.assert_allclose(answer.log_p, log_p_of(network, x, answer.symbols), rtol=1e-12)


def test_wrong_arguments_of_decoding_are_named():
    network = network_of()
    x = np.ones((S, 1, D))
    with pytest.raises(ValueError, match="max_length: expected an integer of at least 1, got 0"):
        greedy(network, x, max_length=0)
    with pytest.raises(ValueError, match="width: expected an integer of at least 1, got 0"):
        beam(network, x, width=0, max_length=3)
    with pytest.raises(ValueError, match="length_power: expected a number of at least 0, got -1"):
        beam(network, x, width=1, max_length=3, length_power=-1)
