"""Chapter 14's translators, from number words to digits: trained, asked, and watched at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from ..bptt import Readout
from ..cells import GRU
from ..functional import softmax
from ..problems.batch import batches
from ..problems.numerals import NumberWords, spelled
from ..seq2seq import Additive, EncoderDecoder, Hypothesis, greedy, teacher_forcing
from ..training import Adam, History, fit, linear_decay

KINDS = {"none": "without attention", "additive": "with attention"}
ASKED = 200  # held-out numbers of each count of words, or all if there are fewer
STEPS = NumberWords.digits + 1  # the most symbols of an answer
SYMBOLS = "0123456789↵"


# Trained --------------------------------------------------------------------------------------


class Translators(NamedTuple):
    """Two networks that were shown the same numbers, "none" and "additive", before and after."""

    problem: NumberWords
    untrained: dict[str, EncoderDecoder]
    trained: dict[str, EncoderDecoder]


def network(attention: str, H: int, *, rng: np.random.Generator) -> EncoderDecoder:
    """A GRU that reads words and a GRU that writes digits, ``H`` units each, untrained.

    ``attention`` is "none" or "additive".
    """
    D, K = NumberWords.D, NumberWords.K
    layer = Additive(H, H, H, rng=rng) if attention == "additive" else None
    decoder = GRU(K + H if layer else K, H, rng=rng)
    return EncoderDecoder(
        GRU(D, H, rng=rng), decoder, Readout(H, K, rng=rng), layer, end=NumberWords.end
    )


def fitted(
    translator: EncoderDecoder,
    problem: NumberWords,
    *,
    steps: int,
    rng: np.random.Generator,
    turn: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> History:
    """Train it in place for ``steps`` updates, 32 numbers each, as this chapter trains all of them.

    ``turn`` is what is done to the sources, called as turn(x, lengths).
    """
    shown = batches(problem, 32, rng=rng)
    if turn:
        shown = (batch._replace(x=turn(batch.x, batch.lengths)) for batch in shown)
    optimizer = Adam(linear_decay(1e-2, steps=steps))
    return fit(translator, shown, steps=steps, optimizer=optimizer, clip=1.0, bptt=teacher_forcing)


def train(problem: NumberWords, *, H: int, steps: int, seed: int) -> Translators:
    """Train both kinds of network for ``steps`` updates on the same numbers."""
    untrained, trained = {}, {}
    for kind in KINDS:
        weights, shown = np.random.default_rng(seed).spawn(2)
        untrained[kind] = network(kind, H, rng=weights)
        trained[kind] = deepcopy(untrained[kind])
        fitted(trained[kind], problem, steps=steps, rng=shown)
    return Translators(problem, untrained, trained)


# Asked ----------------------------------------------------------------------------------------


def answers(translator: EncoderDecoder, numbers: Sequence[int]) -> list[Hypothesis]:
    """What the translator writes, symbol by symbol, when it is read these numbers."""
    x, _, lengths, _ = NumberWords.encoded(numbers)
    return greedy(translator, x, max_length=STEPS, lengths=lengths)


def right(translator: EncoderDecoder, numbers: Sequence[int]) -> np.ndarray:
    """Which numbers (N,) it writes without a mistake, and stops in time."""
    end = NumberWords.end
    return np.array(
        [
            answer.symbols.tolist() == [*map(int, str(number)), end]
            for answer, number in zip(answers(translator, numbers), numbers, strict=True)
        ]
    )


def accuracy(translator: EncoderDecoder, problem: NumberWords) -> np.ndarray:
    """The share of held-out numbers it gets wholly right, for each count of words (9,)."""
    counts = problem.held_out.values()
    return np.array([right(translator, numbers[:ASKED]).mean() for numbers in counts])


def faults(translator: EncoderDecoder, numbers: Sequence[int]) -> dict[str, float]:
    """What is wrong with its wrong answers to these numbers: shares of them, which may overlap."""
    pairs = [
        ("".join(SYMBOLS[k] for k in answer.symbols).rstrip(SYMBOLS[-1]), str(number))
        for answer, number in zip(answers(translator, numbers), numbers, strict=True)
    ]
    wrong = [(said, truth) for said, truth in pairs if said != truth]
    kinds = {
        "another length": lambda said, truth: len(said) != len(truth),
        "the first two digits are wrong": lambda said, truth: said[:2] != truth[:2],
        "the right digits, in another order": lambda said, truth: sorted(said) == sorted(truth),
    }
    return {kind: float(np.mean([is_so(*pair) for pair in wrong])) for kind, is_so in kinds.items()}


def blame(translator: EncoderDecoder, numbers: Sequence[int]) -> np.ndarray:
    """‖∂L/∂h_s‖ for every source step (S,), mean over ``numbers``, of the first digit's loss alone.

    The numbers have the same count of words.
    """
    x, target, _, _ = NumberWords.encoded(numbers)
    trace = translator.forward(x, target)
    dy = np.zeros((*target.shape, NumberWords.K))
    dy[0] = softmax(translator.readout.forward(trace.h[0])) - np.eye(NumberWords.K)[target[0]]
    grads = translator.backward(trace, dy)
    return np.linalg.norm(grads["encoder.h"], axis=2).mean(axis=1)


def examples(problem: NumberWords) -> list[int]:
    """Fourteen held-out numbers: of 3 to 9 words each one with few zeros and one with many."""
    picked = []
    for words in range(3, problem.longest + 1):
        numbers = problem.held_out[words][:ASKED]
        zeros = [str(number).count("0") for number in numbers]
        picked += [int(numbers[np.argmin(zeros)]), int(numbers[np.argmax(zeros)])]
        if picked[-1] == picked[-2]:
            picked[-1] = int(numbers[1])
    return picked


def choices(problem: NumberWords, also: Sequence[int]) -> list[int]:
    """The examples, and behind them any other held-out numbers.

    Raises ValueError for a number that was not held out.
    """
    for number in also:
        if not any(number in numbers for numbers in problem.held_out.values()):
            raise ValueError(f"also: expected held-out numbers, got {number}")
    return list(dict.fromkeys([*examples(problem), *map(int, also)]))


def named(numbers: Sequence[int]) -> dict[str, int]:
    """The choices of a control: each number with its count of words."""
    return {f"{number:,} ({len(spelled(number).split())} words)": number for number in numbers}


class Run(NamedTuple):
    """One answer as it is made, T steps; S words."""

    words: list[str]
    said: str  # what the network writes, with the end
    truth: str  # what it should
    memory: np.ndarray  # (S, H), the encoder's states
    contexts: np.ndarray  # (T, H), what each step of the decoder is given of them
    weights: np.ndarray | None  # (T, S)
    p: np.ndarray  # (T, K), when it reads its own answer
    p_taught: np.ndarray  # (T, K), when it reads the right one


def run(translator: EncoderDecoder, number: int, said: str | None = None) -> Run:
    """The translator at work on one number, on its own and with a teacher; ``said`` puts an answer in its mouth."""
    x, target, _, _ = NumberWords.encoded([number])
    own = answers(translator, [number])[0].symbols if said is None else _codes(said)
    taught = np.r_[target[:, 0], np.full(STEPS, NumberWords.end)][: len(own)]
    encoder = translator.encoder.forward(x)
    traces, p = [], []
    for symbols in (own, taught):
        read = np.r_[NumberWords.end, symbols[:-1]][:, None]
        traces.append(translator.decode(read, translator.context(encoder), encoder.h, None))
        p.append(softmax(translator.readout.forward(traces[-1].h[:, 0])))
    alone = translator.attention is None
    return Run(
        words=spelled(number).split(),
        said="".join(SYMBOLS[k] for k in own),
        truth=f"{number}{SYMBOLS[-1]}",
        memory=encoder.h[:, 0],
        contexts=np.repeat(encoder.h[-1], len(own), axis=0) if alone else traces[0].context[:, 0],
        weights=None if alone else traces[0].weights[:, 0],
        p=p[0],
        p_taught=p[1],
    )


def _codes(said: str) -> np.ndarray:
    return np.array([SYMBOLS.index(symbol) for symbol in said])
