"""What a trained encoder-decoder says: the best symbol at each step, or a beam of several beginnings."""

from typing import NamedTuple

import numpy as np

from ..cells import checking
from .network import EncoderDecoder


class Hypothesis(NamedTuple):
    """One answer, and what the network thinks of it."""

    symbols: np.ndarray  # (T,) integers; the last one is the end symbol, if it came in time
    log_p: float  # the log-probability of all of it, in nats
    score: float  # log_p / T**length_power, by which a beam compares answers
    weights: np.ndarray | None  # (T, S), the attention each symbol paid to each source step


def greedy(
    network: EncoderDecoder,
    x: np.ndarray,
    *,
    max_length: int,
    state: object = None,
    lengths: np.ndarray | None = None,
) -> list[Hypothesis]:
    """Take the likeliest symbol at each step and read it as the next input.

    The likeliest beginning need not lead to the likeliest answer: see `beam`.

    Arguments: network; x (S, N, D); max_length, T at most, for answers that do not end; state,
    what the encoder starts from; lengths (N,) of the sources, integers in 1..S.
    Returns N times a `Hypothesis`, where score is log_p.
    Raises TypeError or ValueError naming the argument.
    Source: Sutskever, Vinyals & Le 2014, with a beam of 1.

    >>> from rnn_teach.bptt import Readout
    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = EncoderDecoder(RNN(1, 2, rng=rng), RNN(3, 2, rng=rng), Readout(2, 3, rng=rng), end=0)
    >>> network.readout.W_y[:], network.readout.b_y[:] = 0, np.log([0.5, 0.25, 0.25])
    >>> greedy(network, np.ones((4, 1, 1)), max_length=3)[0].symbols  # the end is the likeliest
    array([0])
    """
    checking.size("max_length", max_length)
    encoder = network.encoder.forward(x, state, lengths)
    state, N = network.context(encoder), encoder.h.shape[1]
    read, log_p, runs = np.full(N, network.end), np.zeros(N), np.ones(N, bool)
    symbols, weights = [], []
    while runs.any() and len(symbols) < max_length:
        step = network.decode(read[None], state, encoder.h, encoder.mask)
        state, likely = step.final, _log_softmax(network.readout.forward(step.h[0]))
        read = likely.argmax(axis=1)
        log_p[runs] += likely[np.arange(N), read][runs]
        runs = runs & (read != network.end)
        symbols.append(read)
        weights.append(getattr(step, "weights", None))

    answers = []
    for n, said in enumerate(np.array(symbols).T):
        ended = said == network.end
        T = int(ended.argmax()) + 1 if ended.any() else len(said)
        looked = None if weights[0] is None else np.concatenate(weights)[:T, n]
        answers.append(Hypothesis(said[:T], float(log_p[n]), float(log_p[n]), looked))
    return answers


def beam(
    network: EncoderDecoder,
    x: np.ndarray,
    *,
    width: int,
    max_length: int,
    length_power: float = 0.0,
    state: object = None,
    lengths: np.ndarray | None = None,
) -> list[list[Hypothesis]]:
    """Keep the `width` likeliest beginnings at each step, and of the answers the best.

        score = log p(y_1..y_T) / T**length_power

    0 compares probabilities, which favors short answers, as every symbol costs something; 1
    compares the mean log-probability of a symbol. Each answer that ends leaves the beam and takes
    its place along, so the search is over when `width` answers have ended, or at max_length, where
    those that have not ended count as they stand. With width=1 this is `greedy`; with
    width=K**max_length nothing is ever left out, and the best answer is the best there is.

    Arguments: network; x (S, N, D); width and max_length, at least 1; length_power, at least 0;
    state, what the encoder starts from; lengths (N,) of the sources, integers in 1..S.
    Returns for each of the N sources its answers, a `Hypothesis` each, best first, `width` at most.
    Raises TypeError or ValueError naming the argument.
    Source: Sutskever, Vinyals & Le 2014; the power of the length: Wu et al. 2016, with T
    where they have (5 + T) / 6.

    >>> from rnn_teach.bptt import Readout
    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = EncoderDecoder(RNN(1, 2, rng=rng), RNN(3, 2, rng=rng), Readout(2, 3, rng=rng), end=0)
    >>> network.readout.W_y[:], network.readout.b_y[:] = 0, np.log([0.5, 0.3, 0.2])
    >>> [answers] = beam(network, np.ones((4, 1, 1)), width=3, max_length=5)
    >>> for answer in answers:
    ...     print(answer.symbols, round(np.exp(answer.log_p), 3))
    [0] 0.5
    [1 0] 0.15
    [2 0] 0.1
    """
    checking.size("width", width)
    checking.size("max_length", max_length)
    if not length_power >= 0:
        raise ValueError(f"length_power: expected a number of at least 0, got {length_power!r}")
    encoder = network.encoder.forward(x, state, lengths)
    context = network.context(encoder)
    answers = []
    for n in range(encoder.h.shape[1]):
        memory = encoder.h[:, [n]]
        mask = None if encoder.mask is None else encoder.mask[:, [n]]
        found = _search(network, _rows(context, [n]), memory, mask, width, max_length, length_power)
        answers.append(sorted(found, key=lambda answer: -answer.score))
    return answers


def _search(network, state, memory, mask, width, max_length, length_power) -> list[Hypothesis]:
    """The answers for one source, in the order in which they ended."""
    done = []
    # the beam: W beginnings of t symbols, side by side as W sequences
    symbols, log_p, weights = np.empty((1, 0), int), np.zeros(1), None
    for t in range(max_length):
        W = len(symbols)
        read = symbols[:, -1] if t else np.array([network.end])
        same = np.zeros(W, int)  # all beginnings look at the one source
        step = network.decode(
            read[None], state, memory[:, same], None if mask is None else mask[:, same]
        )
        grown = log_p[:, None] + _log_softmax(network.readout.forward(step.h[0]))
        best = np.argsort(-grown, axis=None, kind="stable")[: width - len(done)]
        begun, symbol = np.divmod(best, grown.shape[1])

        symbols = np.column_stack([symbols[begun], symbol])
        log_p, state = grown.flat[best], _rows(step.final, begun)
        looked = getattr(step, "weights", None)
        if looked is not None:
            looked = looked if weights is None else np.concatenate([weights, looked])
            weights = looked[:, begun]
        ended = (symbol == network.end) | (t + 1 == max_length)
        for k in np.flatnonzero(ended):
            score = float(log_p[k] / (t + 1) ** length_power)
            looked = None if weights is None else weights[:, k]
            done.append(Hypothesis(symbols[k], float(log_p[k]), score, looked))
        if ended.all():
            break
        symbols, log_p, state = symbols[~ended], log_p[~ended], _rows(state, ~ended)
        weights = None if weights is None else weights[:, ~ended]
    return done


def _rows(state: object, index: object) -> object:
    """The state of some of the sequences, whatever form the state has."""
    if isinstance(state, tuple):
        return tuple(_rows(part, index) for part in state)
    return None if state is None else state[index]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """log p_k = a_k - log sum_j exp(a_j) over the last axis, without the underflow of log(p_k)."""
    a = logits - logits.max(axis=-1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=-1, keepdims=True))
