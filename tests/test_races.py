"""The races of the experiments: criteria count right, runs repeat, and solved means solved on other sequences."""

import math
from functools import partial

import numpy as np
import pytest

from experiments import adding, clipping, copy_memory, temporal_order
from experiments.training import CELLS, ENOUGH, HELD_OUT, lasting, measure, race
from rnn_teach import tasks
from rnn_teach.bptt import Network, Readout, bptt
from rnn_teach.cells import GRU, RNN
from rnn_teach.results import read
from rnn_teach.training import SGD, Adam

RACES = {
    module.EXPERIMENT.name: module for module in (adding, temporal_order, copy_memory, clipping)
}
BASELINES = {  # by hand, from what a guesser knows
    "adding": lambda T: (1 / 3 + 1 / 3) / 16,
    "temporal_order": lambda T: math.log(4),
    "copy_memory": lambda T: 5 * math.log(8) / (T + 10),
    "clipping": lambda T: math.log(4),
}


class Recording:
    """A problem that remembers every batch it drew."""

    def __init__(self, problem):
        self.problem, self.drawn = problem, []

    def __getattr__(self, name):
        return getattr(self.problem, name)

    def batch(self, N, *, rng):
        self.drawn.append(self.problem.batch(N, rng=rng))
        return self.drawn[-1]


def recall(y, target):
    return y.argmax(axis=-1) == target


def small_race(seed=0, problem=None, **changed):
    settings = {"optimizer": Adam(3e-2), "H": 8, "updates": 200, "measurements": 10} | changed
    return race(GRU, problem or tasks.DelayedRecall(T=4), recall, seed=seed, **settings)


# The criteria


def test_temporal_order_asks_all_outputs_within_0_3():
    """For four probabilities that is more than 0.7 for the right one: the others sum to the rest."""
    y = np.log([[0.71, 0.29, 1e-9, 1e-9], [0.69, 0.11, 0.1, 0.1], [0.29, 0.71, 1e-9, 1e-9]])
    assert temporal_order.correct(y, np.array([0, 0, 0])).tolist() == [True, False, False]


def test_copy_memory_counts_the_symbols_asked_for_and_no_blank():
    problem = tasks.Copy(delay=3, items=copy_memory.ITEMS)
    target = problem.batch(4, rng=np.random.default_rng(0)).target
    y = np.eye(problem.K)[target]
    assert copy_memory.correct(y, target).shape == (copy_memory.ITEMS, 4)
    assert copy_memory.correct(y, target).all()
    blank = np.eye(problem.K)[np.full_like(target, problem.symbols)]
    assert not copy_memory.correct(blank, target).any()
    y[: -problem.items] = 0  # what is said before it is asked does not count
    assert copy_memory.correct(y, target).all()


def test_clipping_counts_the_largest_output():
    y = np.array([[0.3, 0.2, 0.25, 0.25], [0.3, 0.4, 0.2, 0.1]])
    assert clipping.correct(y, np.array([0, 0])).tolist() == [True, False]


@pytest.mark.parametrize(
    "problem", [tasks.HochreiterAdding(22), tasks.TemporalOrder(20), tasks.Copy(5)]
)
def test_the_loss_measured_is_the_loss_trained_on(problem):
    rng = np.random.default_rng(0)
    network = Network(GRU(problem.D, 4, rng=rng), Readout(4, problem.K, rng=rng))
    batch = problem.batch(30, rng=rng)
    x, target, lengths, _ = batch
    loss, accuracy = measure(network, problem, lambda y, target: np.arange(4) > 0, batch)
    assert loss == bptt(network, x, target, lengths=lengths, **problem.options).loss
    assert accuracy == 0.75


# The loop


def test_a_race_repeats_and_another_seed_is_another_race():
    first, again, other = small_race(), small_race(), small_race(seed=1)
    assert (first["row"], first["curve"]) == (again["row"], again["curve"])
    assert first["curve"] != other["curve"]


def test_solved_is_solved_on_other_sequences_too():
    result = small_race()
    assert result["row"]["solved"] and result["row"]["accuracy"] >= ENOUGH
    fresh = tasks.DelayedRecall(T=4).batch(5000, rng=np.random.default_rng(99))
    _, accuracy = measure(result["network"], tasks.DelayedRecall(T=4), recall, fresh)
    assert accuracy > ENOUGH - 4 * math.sqrt(ENOUGH * (1 - ENOUGH) / HELD_OUT)


def test_it_is_asked_about_sequences_that_it_is_never_trained_on():
    problem = Recording(tasks.DelayedRecall(T=40, symbols=8))
    small_race(problem=problem, updates=4, measurements=2, N=5)
    (held_out, *trained), shown = problem.drawn, 4
    assert len(held_out.target) == HELD_OUT
    assert [len(batch.target) for batch in trained] == [5] * shown
    sequences = {x.tobytes() for x in held_out.x.transpose(1, 0, 2)}
    assert len(sequences) == HELD_OUT
    assert not any(x.tobytes() in sequences for b in trained for x in b.x.transpose(1, 0, 2))


def test_all_cells_of_a_seed_are_shown_the_same_sequences():
    drawn = []
    for cell in CELLS.values():
        problem = Recording(tasks.DelayedRecall(T=5))
        race(cell, problem, recall, optimizer=SGD(0.1), updates=2, measurements=1, seed=3)
        drawn.append([batch.x.tobytes() for batch in problem.drawn])
    assert drawn[0] == drawn[1] == drawn[2]


def test_it_stops_when_solved_and_otherwise_at_the_cap():
    solved, capped = small_race(), small_race(updates=20, optimizer=SGD(1e-6))
    assert [point["sequences"] for point in capped["curve"]] == list(range(0, 401, 40))
    assert not capped["row"]["solved"] and capped["row"]["sequences"] == 400
    accuracies = [point["accuracy"] for point in solved["curve"]]
    assert accuracies[-1] >= ENOUGH > max(accuracies[:-1])
    assert solved["row"]["sequences"] == 400 * (len(accuracies) - 1) < 4000


def test_a_run_that_overflows_ends_there_unsolved():
    linear = partial(RNN, nonlinearity="identity")
    settings = {"optimizer": SGD(1e3), "clip": None, "updates": 100, "seed": 0}
    result = race(linear, tasks.Adding(20), lambda y, target: y > 0, **settings)
    assert (result["row"]["solved"], result["row"]["accuracy"]) == (False, 0.0)
    assert result["row"]["loss"] == math.inf and len(result["curve"]) == 2


@pytest.mark.parametrize("cell", CELLS)
def test_a_lasting_cell_keeps_its_state_for_up_to_T_steps(cell):
    T = 100
    layer = lasting(cell, T)(3, 400, rng=np.random.default_rng(0))
    if cell == "RNN":
        assert np.allclose(layer.W_h @ layer.W_h.T, np.eye(400))
        return
    keep = 1 / (1 + np.exp(-layer.b[400:800]))  # of f in i, f, g, o; of z in r, z, n
    steps = 1 / (1 - keep)
    assert 2 < steps.min() < 3 and T - 2 < steps.max() < T
    if cell == "LSTM":
        assert np.allclose(1 / (1 + np.exp(-layer.b[:400])), 1 - keep)


# What is stored


@pytest.mark.parametrize("name", RACES)
def test_every_stored_row_says_what_its_curve_says_and_what_a_guesser_gets(name):
    rows, curves = read(name), read(f"{name}-curves")
    baselines = np.array([BASELINES[name](T) for T in rows["T"]])
    assert np.allclose(rows["baseline"], baselines, rtol=5e-4)  # stored with 4 digits
    assert (rows["solved"] == (rows["accuracy"] >= ENOUGH)).all()
    settings = list(RACES[name].EXPERIMENT.settings[0])
    ends = {}
    for k, key in enumerate(zip(*(curves[column] for column in settings), strict=True)):
        ends[key] = {column: curves[column][k] for column in ("sequences", "loss", "accuracy")}
    for k, key in enumerate(zip(*(rows[column] for column in settings), strict=True)):
        assert ends[key] == {column: rows[column][k] for column in ends[key]}, key


@pytest.mark.parametrize("name", RACES)
def test_untrained_networks_have_not_solved_it(name):
    curves = read(f"{name}-curves")
    assert curves["accuracy"][curves["sequences"] == 0].max() < 0.4


# What the results page says about them in words


def share(name: str, **settings) -> float:
    """How many of these runs solved it, 0 to 1."""
    columns = read(name)
    chosen = np.all([columns[column] == value for column, value in settings.items()], axis=0)
    assert chosen.sum() >= 5, settings
    return columns["solved"][chosen].mean()


@pytest.mark.parametrize("name", ["adding", "temporal_order"])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_gated_cells_solve_the_problems_of_1997_at_the_papers_length(name, cell):
    assert share(name, cell=cell, T=100) == 1


def test_an_rnn_solves_only_the_shortest_temporal_orders_and_no_adding():
    rnn = [share("temporal_order", cell="RNN", T=T) for T in temporal_order.LENGTHS]
    assert rnn[0] == 1 and 0 < rnn[1] < 0.5 and rnn[2:] == [0, 0]
    assert share("adding", cell="RNN") == 0
    adds = read("adding")
    part = adds["loss"][(adds["cell"] == "RNN") & (adds["T"] == 25)] < adds["baseline"][0] / 5
    assert 0.5 < part.mean() < 1


def test_clipping_alone_helps_at_the_shortest_length_and_gates_at_all():
    assert share("clipping", method="SGD") == 0
    assert share("clipping", method="clipped SGD", T=20) > 0.5
    assert share("clipping", method="clipped Adam", T=30) > share(
        "clipping", method="clipped SGD", T=30
    )
    for method in ("LSTM", "GRU"):
        assert share("clipping", method=method) == 1


def test_copying_is_easy_for_an_rnn_without_a_delay_and_for_gates_with_one():
    runs = read("copy_memory")
    cells = {cell: runs["cell"] == cell for cell in CELLS}
    shortest, longest = runs["T"] == min(copy_memory.DELAYS), runs["T"] == max(copy_memory.DELAYS)
    median = {cell: np.median(runs["sequences"][shortest & cells[cell]]) for cell in CELLS}
    assert median["RNN"] < median["GRU"] < median["LSTM"]
    below = runs["loss"] / runs["baseline"]
    assert abs(below[longest & cells["RNN"]] - 1).max() < 0.05
    assert below[longest & ~cells["RNN"]].max() < 0.5
    assert np.median(below[longest & cells["GRU"]]) < np.median(below[longest & cells["LSTM"]])
