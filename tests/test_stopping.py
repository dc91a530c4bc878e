"""When a run ends before its steps do, and which parameters it leaves behind."""

import numpy as np
import pytest

from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout
from rnn_teach.cells import RNN
from rnn_teach.training import SGD, EarlyStopping, evaluate, fit

TEXT = "a cat sat on the mat. " * 20
VOCABULARY = tasks.characters(TEXT)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def small() -> Network:
    draw, K = rng(), VOCABULARY.size
    return Network(RNN(K, 8, rng=draw), Readout(8, K, rng=draw))


def batches(seed: int = 5):
    return tasks.text_batches(TEXT, VOCABULARY, N=4, T=6, rng=rng(seed))


def same(one, two) -> bool:
    return all((a == b).all() for a, b in zip(one, two, strict=True))


def held_out(network: Network) -> float:
    x, target, *_ = next(batches(99))
    return evaluate(network, x, target)


def test_early_stopping_ends_the_run_and_brings_back_the_best():
    network, kept = small(), {}

    def look(k, network):
        kept[k] = {name: p.copy() for name, p in network.parameters.items()}
        if k == 20:
            network.readout.W_y[...] = 0  # from here on it has to begin again

    stopping = EarlyStopping(held_out, patience=2, every=5)
    history = fit(
        network, batches(), steps=500, optimizer=SGD(0.3), callback=look, early_stopping=stopping
    )
    assert len(history.loss) == len(history.grad_norm) == stopping.best_step + 2 * 5 == 25
    assert stopping.best_step == 15 and stopping.ended
    assert same(network.parameters.values(), kept[15].values())
    assert held_out(network) == stopping.best


def test_patience_counts_measurements_in_a_row():
    losses = iter([5.0, 4.0, 6.0, 3.0, 3.0, float("nan"), 7.0])
    stopping = EarlyStopping(lambda network: next(losses), patience=3, every=2)
    history = fit(small(), batches(), steps=99, optimizer=SGD(0.1), early_stopping=stopping)
    assert len(history.loss) == 12 and (stopping.best, stopping.best_step) == (3.0, 6)
    for bad in ({"patience": 0}, {"every": 0}):
        with pytest.raises(ValueError, match="expected a number above 0, got 0"):
            EarlyStopping(held_out, **bad)


def test_the_best_comes_back_at_the_end_of_the_steps_too():
    losses = iter([5.0, 1.0, 2.0, 3.0])
    stopping = EarlyStopping(lambda network: next(losses), patience=9, every=1)
    network, short = small(), small()
    fit(network, batches(), steps=3, optimizer=SGD(0.1), early_stopping=stopping)
    fit(short, batches(), steps=1, optimizer=SGD(0.1))
    assert not stopping.ended and same(network.parameters.values(), short.parameters.values())


def test_early_stopping_goes_on_from_a_checkpoint(tmp_path):
    def run(path, stops):
        for steps in stops:
            network = small()
            stopping = EarlyStopping(held_out, patience=3, every=4)
            history = fit(
                network,
                batches(),
                steps=steps,
                optimizer=SGD(3.0, momentum=0.5),
                early_stopping=stopping,
                checkpoint=path,
            )
        return network, stopping, history

    one, first, short = run(tmp_path / "one.npz", [300])
    two, second, parts = run(tmp_path / "two.npz", [6, 9, 300, 300])
    assert first.ended and first.best == second.best and first.best_step == second.best_step
    assert same(one.parameters.values(), two.parameters.values()) and same(short, parts)
