"""Symbols: their probabilities, and how surprising they are."""

from collections.abc import Callable

import numpy as np

from .. import functional
from .marking import Task, Verdict, mark


def _logits() -> list[np.ndarray]:
    """Three sizes alike, all different, and so large that exp overflows."""
    rng = np.random.default_rng(9)
    return [
        rng.normal(size=(3, 3)),
        rng.normal(size=(2, 3, 4)),
        np.array([[1000.0, 999.0, 0.0], [-1000.0, 0.0, 3.0]]),
    ]


SOFTMAX = Task(
    "softmax",
    results=("p",),
    right=lambda logits: functional.softmax(logits),
    cases=lambda: [(logits,) for logits in _logits()],
    lines={
        "e": lambda logits: np.exp(logits - logits.max(axis=-1, keepdims=True)),
        "total": lambda e: e.sum(axis=-1, keepdims=True),
        "p": lambda e, total: e / total,
    },
    wrong={
        "exp overflows for large logits: subtract the largest one first": {
            "e": lambda logits: np.exp(logits)
        },
        "the probabilities add up to 1 along the first axis: it is the last": {
            "e": lambda logits: np.exp(logits - logits.max(axis=0)),
            "total": lambda e: e.sum(axis=0),
        },
        "all numbers together add up to 1: it is each row": {
            "e": lambda logits: np.exp(logits - logits.max()),
            "total": lambda e: e.sum(),
        },
        "the exponential is missing": {"e": lambda logits: logits},
        "they do not add up to 1: divide by the sum": {"total": lambda: 1},
        "this is exp of each logit: divide by the sum": {"p": lambda logits: np.exp(logits)},
        "this is the sigmoid of each logit": {"p": lambda logits: functional.sigmoid(logits)},
        "this is the logarithm of the probabilities": {"p": lambda e, total: np.log(e / total)},
        "the sign is wrong: a large logit means a large probability": {
            "e": lambda logits: np.exp(logits.min(axis=-1, keepdims=True) - logits)
        },
        "powers of 2 stand where powers of e belong": {
            "e": lambda logits: np.exp2(logits - logits.max(axis=-1, keepdims=True))
        },
    },
)


def softmax(theirs: Callable) -> Verdict:
    """Mark p_k = exp(a_k) / sum_j exp(a_j) over the last axis.

    Arguments: theirs(logits (..., K)) -> p (..., K). Logits may be as large as 1000.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Goodfellow, Bengio & Courville 2016, section 6.2.2.3.

    >>> softmax(lambda logits: np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True))
    softmax is wrong. Most likely: exp overflows for large logits: subtract the largest one first.
    p[0, 0] is nan (something overflowed, or 0 was divided by 0), expected 0.73105858.
    Called as softmax(logits (2, 3)).
    """
    return mark(SOFTMAX, theirs)


TEMPERATURE = Task(
    "temperature",
    results=("p",),
    right=lambda logits, temperature: functional.softmax(logits / temperature),
    cases=lambda: [(logits, temperature) for logits in _logits()[:2] for temperature in (0.5, 2.0)],
    lines={
        "scaled": lambda logits, temperature: logits / temperature,
        "p": lambda scaled: functional.softmax(scaled),
    },
    wrong={
        "the temperature multiplies: logits are divided by it": {
            "scaled": lambda logits, temperature: logits * temperature
        },
        "the temperature changes nothing: divide the logits by it, before softmax": {
            "scaled": lambda logits: logits
        },
        "the probabilities are divided by the temperature: it is the logits": {
            "p": lambda logits, temperature: functional.softmax(logits) / temperature
        },
        "softmax is missing": {"p": lambda scaled: scaled},
        "the temperature is added below the fraction: logits are divided by it": {
            "p": lambda logits, temperature: (
                np.exp(logits) / np.exp(logits + temperature).sum(-1)[..., None]
            )
        },
        "the logits are divided by the square of the temperature": {
            "scaled": lambda logits, temperature: logits / temperature**2
        },
        "the logits are divided by the root of the temperature": {
            "scaled": lambda logits, temperature: logits / np.sqrt(temperature)
        },
        "softmax comes first and again after the division: divide the logits": {
            "scaled": lambda logits, temperature: functional.softmax(logits) / temperature
        },
        "the sign is wrong: a large logit means a large probability": {
            "scaled": lambda logits, temperature: -logits / temperature
        },
    },
)


def temperature(theirs: Callable) -> Verdict:
    """Mark p = softmax(logits / temperature): below 1 it sharpens, above 1 it flattens.

    Arguments: theirs(logits (..., K), temperature, above 0) -> p (..., K).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> from rnn_teach.functional import softmax
    >>> temperature(lambda logits, temperature: softmax(logits * temperature))  # doctest: +ELLIPSIS
    temperature is wrong. Most likely: the temperature multiplies: logits are divided by it.
    ...
    """
    return mark(TEMPERATURE, theirs)


def _entropy_cases() -> list[tuple]:
    rng = np.random.default_rng(10)
    return [
        (5 * rng.normal(size=(3, 3, 3)), rng.integers(0, 3, size=(3, 3))),
        (rng.normal(size=(4, 2, 5)), rng.integers(0, 5, size=(4, 2))),
        (np.array([[[1000.0, 0.0, 999.0], [1000.0, 0.0, 999.0]]]), np.array([[2, 1]])),
    ]


def _log_p(logits) -> np.ndarray:
    a = logits - logits.max(axis=-1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=-1, keepdims=True))


def _at_target(values, targets) -> np.ndarray:
    return np.take_along_axis(values, targets[..., None], axis=-1)[..., 0]


CROSS_ENTROPY = Task(
    "cross_entropy",
    results=("loss",),
    right=lambda logits, targets: functional.cross_entropy(logits, targets)[0] / targets.size,
    cases=_entropy_cases,
    lines={
        "log_p": lambda logits: _log_p(logits),
        "surprise": lambda log_p, targets: -_at_target(log_p, targets),
        "loss": lambda surprise: surprise.mean(),
    },
    wrong={
        "exp overflows for large logits: subtract the largest one first": {
            "log_p": lambda logits: np.log(
                np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
            )
        },
        "p is 0 for a small logit, and log(0) is infinite: -log p = log(sum exp a) - a": {
            "log_p": lambda logits: np.log(functional.softmax(logits))
        },
        "it is a sum over steps and sequences, not their mean": {
            "loss": lambda surprise: surprise.sum()
        },
        "it is summed over time: here it is the mean over steps, too": {
            "loss": lambda surprise: surprise.sum(axis=0).mean()
        },
        "it is summed over the batch: here it is the mean over sequences, too": {
            "loss": lambda surprise: surprise.mean(axis=0).sum()
        },
        "there is one loss for each step: take their mean": {"loss": lambda surprise: surprise},
        "the mean is taken over all K symbols, too: it has one term for each target": {
            "loss": lambda surprise, logits: surprise.sum() / logits.size
        },
        "the logarithm has base 2: here it is natural, and the loss in nats": {
            "loss": lambda surprise: surprise.mean() / np.log(2)
        },
        "the logarithm has base 10: here it is natural, and the loss in nats": {
            "loss": lambda surprise: surprise.mean() / np.log(10)
        },
        "the sign is wrong: log p is negative, the loss is -log p": {
            "loss": lambda surprise: -surprise.mean()
        },
        "softmax is missing: these are logits, not probabilities": {
            "log_p": lambda logits: np.log(logits)
        },
        "the sum over all symbols is missing: -log p = log(sum exp a) - a": {
            "log_p": lambda logits: logits
        },
        "the logarithm is missing: -log p, not 1 - p": {
            "surprise": lambda log_p, targets: 1 - np.exp(_at_target(log_p, targets))
        },
        "the logarithm is missing: -log p, not -p": {
            "surprise": lambda log_p, targets: -np.exp(_at_target(log_p, targets))
        },
        "the logarithm is taken of the mean: take the mean of the logarithms": {
            "loss": lambda surprise: -np.log(np.exp(-surprise).mean())
        },
        "all symbols are asked for, not only the target": {
            "surprise": lambda log_p: -log_p.sum(axis=-1)
        },
        "this is the entropy of the prediction: the targets play no part": {
            "surprise": lambda log_p: -(np.exp(log_p) * log_p).sum(axis=-1)
        },
    },
)


def cross_entropy(theirs: Callable) -> Verdict:
    """Mark L = mean over steps and sequences of -ln p[target], p = softmax(logits), in nats.

    Arguments: theirs(logits (T, N, K), targets (T, N), integers in 0..K-1) -> L, a number. Logits
    may be as large as 1000.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Goodfellow, Bengio & Courville 2016, section 6.2.2.3.

    >>> from rnn_teach import functional
    >>> cross_entropy(lambda logits, targets: functional.cross_entropy(logits, targets)[0])
    cross_entropy is wrong. Most likely: it is a sum over steps and sequences, not their mean.
    loss is 34.2907, expected 3.8100778.
    Called as cross_entropy(logits (3, 3, 3), targets (3, 3)).
    """
    return mark(CROSS_ENTROPY, theirs)


def _probabilities() -> list[tuple]:
    rng = np.random.default_rng(11)
    return [(rng.uniform(0.05, 1, size=T),) for T in (4, 3, 7)]


PERPLEXITY = Task(
    "perplexity",
    results=("perplexity",),
    right=lambda p: np.exp(-np.log(p).mean()),
    cases=_probabilities,
    lines={
        "surprise": lambda p: -np.log(p),
        "mean": lambda surprise: surprise.mean(),
        "perplexity": lambda mean: np.exp(mean),
    },
    wrong={
        "natural and binary logarithm are mixed: 2 to the power of nats": {
            "perplexity": lambda mean: 2**mean
        },
        "natural and binary logarithm are mixed: e to the power of bits": {
            "surprise": lambda p: -np.log2(p)
        },
        "the exponential is missing: this is the cross-entropy in nats": {
            "perplexity": lambda mean: mean
        },
        "the exponential is missing: this is the cross-entropy in bits": {
            "surprise": lambda p: -np.log2(p),
            "perplexity": lambda mean: mean,
        },
        "the surprise is added up, not averaged": {"mean": lambda surprise: surprise.sum()},
        "the sign is wrong: this is 1 / perplexity": {"perplexity": lambda mean: np.exp(-mean)},
        "this is 1 / the mean of p: take the mean of the logarithms": {
            "perplexity": lambda p: 1 / p.mean()
        },
        "this is the mean of 1 / p: take the mean of the logarithms": {
            "perplexity": lambda p: (1 / p).mean()
        },
        "there is one number for each step: average the logarithms first": {
            "perplexity": lambda p: 1 / p
        },
    },
)


def perplexity(theirs: Callable) -> Verdict:
    """Mark exp(mean of -ln p_t): among how many equally likely symbols the model seems to choose.

    Arguments: theirs(p (T,), the probability given to each symbol that came) -> a number.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> perplexity(lambda p: 2 ** -np.log2(p).mean())
    perplexity is right.
    """
    return mark(PERPLEXITY, theirs)
