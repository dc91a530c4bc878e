"""What a character network says next: probabilities, a temperature, and text drawn one symbol at a time."""

from __future__ import annotations

import numpy as np

from .bptt import Network, predict
from .functional import softmax
from .tasks import Vocabulary


def next_symbol(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return p = softmax(logits / temperature), the probabilities of the next symbol.

    logits (..., K): the network's outputs y.
    temperature: below 1 sharpens, above 1 flattens. 0 is the limit: the largest logit takes
    all (the first of them, should several be equal).
    Raises ValueError for a temperature below 0.

    >>> logits = np.array([2.0, 1.0, 0.0])
    >>> next_symbol(logits).round(2), next_symbol(logits, 0)
    (array([0.67, 0.24, 0.09]), array([1., 0., 0.]))
    """
    if not temperature >= 0:
        raise ValueError(f"temperature: expected a number of at least 0, got {temperature!r}")
    if temperature == 0:
        return np.eye(logits.shape[-1])[logits.argmax(axis=-1)]
    return softmax(logits / temperature)


def read(
    network: Network, vocabulary: Vocabulary, text: str, state: np.ndarray | tuple | None = None
) -> tuple[np.ndarray, np.ndarray | tuple]:
    """Return (logits (K,) for the symbol after ``text``, the state the network is then in).

    state: where to start from, as in the cell's ``forward``: (N=1, H), or a pair of such; None is 0.
    Raises ValueError for an empty text.

    >>> from rnn_teach import RNN, Readout
    >>> from rnn_teach.tasks import characters
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 3, rng=rng))
    >>> logits, state = read(network, characters("abc"), "abba")
    >>> logits.shape, state.shape
    ((3,), (1, 4))
    """
    if not text:
        raise ValueError("text: expected at least one symbol to read, got ''")
    y, trace = predict(network, vocabulary.one_hot(vocabulary.encode(text)[:, None]), state=state)
    return y[-1, 0], trace.final


def sample(
    network: Network,
    vocabulary: Vocabulary,
    *,
    rng: np.random.Generator,
    length: int,
    start: str,
    temperature: float = 1.0,
    stop: str | None = None,
) -> str:
    """Return ``length`` symbols that the network says after it has read ``start`` (not returned).

    Each symbol is drawn from ``next_symbol`` and read in turn. Symbol ``stop`` ends the text early (and
    is not part of it). One number is taken from ``rng`` for each symbol whatever the temperature, so
    that texts of neighboring temperatures differ by the temperature alone.

    >>> from rnn_teach import RNN, Readout
    >>> from rnn_teach.tasks import characters
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 3, rng=rng))
    >>> network.readout.b_y[:] = [0, 100, 0]  # it says b, whatever it has read
    >>> sample(network, characters("abc"), rng=rng, length=5, start="a")
    'bbbbb'
    """
    logits, state = read(network, vocabulary, start)
    said = ""
    for _ in range(length):
        heights = np.cumsum(next_symbol(logits, temperature))
        drawn = np.searchsorted(heights, rng.random() * heights[-1], side="right")
        symbol = vocabulary.symbols[drawn]
        if symbol == stop:
            break
        said += symbol
        logits, state = read(network, vocabulary, symbol, state)
    return said
