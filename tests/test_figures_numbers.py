"""Every live figure of the book carries the numbers behind its picture, in every state."""

import math
from functools import cache

import numpy as np
import pytest

from rnn_teach import results, tasks
from rnn_teach.figures import (
    around,
    attend,
    blame,
    bug_runs,
    carousel,
    catches,
    connectivity,
    contest,
    counting,
    decode,
    deep,
    deeper,
    directions,
    folding,
    forecast,
    gap,
    gate_layout,
    gru,
    inside,
    intervals,
    ladders,
    language,
    layer,
    layouts,
    letters,
    lifetime,
    lstm,
    misprints,
    neuron,
    remedies,
    runners,
    sequences,
    strides,
    taming,
    tracking,
    translate,
    treepaths,
    truncation,
    unrolled,
    vanishing,
    windows,
)
from rnn_teach.live.controls import states

MOST_ROWS, MOST_COLUMNS = 120, 9


@pytest.fixture(scope="module")
def run():
    return language.train(
        language.english(np.random.default_rng(4)), H=24, steps=60, rng=np.random.default_rng(4)
    )


@pytest.fixture(scope="module", autouse=True)
def short():
    """The numbers need not be good ones here, so nothing trains long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remedies, "UPDATES", 10)
        patch.setattr(strides, "UPDATES", 10)
        patch.setattr(counting, "UPDATES", 10)
        patch.setattr(bug_runs, "UPDATES", bug_runs.EVERY)
        patch.setattr(bug_runs, "MOMENTS", bug_runs.MOMENTS[:2])
        patch.setattr(
            runners,
            "RACES",
            {name: race._replace(updates=10) for name, race in runners.RACES.items()},
        )
        caches = (
            *(remedies.trained, strides.forecast, counting.train),
            *(bug_runs.trained, catches.catches, runners.run),
        )
        for cache in caches:
            cache.cache_clear()
        yield
        for cache in caches:
            cache.cache_clear()


FIGURES = {
    "unrolled": lambda run: unrolled.hero(),
    "shapes": lambda run: sequences.shapes(),
    "window-length": lambda run: windows.window_length(),
    "influence": lambda run: windows.influence(),
    "one-neuron": lambda run: neuron.cobweb(),
    "half-life": lambda run: neuron.half_lives(),
    "latch": lambda run: neuron.latch(),
    "unrolling": lambda run: layer.unrolling(),
    "two-orders": lambda run: layer.two_orders(),
    "temperature": language.temperature,
    "training-clock": language.training_clock,
    "blame-back": lambda run: blame.blame_back(),
    "step-sizes": lambda run: blame.step_sizes(),
    "truncation-window": lambda run: truncation.truncation_window(),
    "gradient-flow": lambda run: vanishing.gradient_flow(),
    "activation-slopes": lambda run: vanishing.activation_slopes(),
    "first-input-left": lambda run: vanishing.first_input_left(),
    "loss-cliff": lambda run: taming.loss_cliff(),
    "remedies": lambda run: remedies.remedies(),
    "shorter-steps": lambda run: strides.shorter_steps(),
    "four-steps": lambda run: lstm.four_steps(),
    "gates": lambda run: lstm.gates(),
    "carousel": lambda run: carousel.carousel(),
    "misprints": lambda run: misprints.misprints(),
    "gates-over-text": lambda run: inside.gates_over_text(reader(run)),
    "tracking-cell": lambda run: tracked(reader(run)),
    "forget-bias": lambda run: lifetime.forget_bias(),
    "counting": lambda run: counting.counting(),
    "peepholes": lambda run: counting.seeds(results.read("peepholes")),
    "gru-steps": lambda run: gru.gru_steps(),
    "gates-over-letters": lambda run: letters.gates_over_letters(
        letters.train(run.data, steps=1, rng=np.random.default_rng(4))
    ),
    "two-grus": lambda run: layouts.two_grus(),
    "race-adding": lambda run: contest.race("adding"),
    "race-temporal-order": lambda run: contest.race("temporal_order"),
    "race-copy-memory": lambda run: contest.race("copy_memory"),
    "three-gradients": lambda run: contest.three_gradients(),
    "leaning": lambda run: connectivity.leaning(
        {cell: connectivity.train(cell, H=8, steps=1, seed=4) for cell in contest.CELLS}
    ),
    "four-ways": lambda run: deep.four_ways(),
    "depth-gradient": lambda run: ladders.depth_gradient(),
    "depth-race-recall": lambda run: runners.depth_race("recall"),
    "depth-race-names": lambda run: runners.depth_race("names"),
    "gap": lambda run: gap.gap(readers()),
    "two-readings": lambda run: directions.two_readings(),
    "which-inputs": lambda run: directions.which_inputs(readers()),
    "decode-steps": lambda run: decode.decode_steps(translators()),
    "length-accuracy": lambda run: attend.length_accuracy(translators().problem),
    "attention-map": lambda run: attend.attention_map(translators()),
    "fold-tree": lambda run: folding.fold_tree(deeper.train("tree", steps=5)),
    "deeper-trees": lambda run: deeper.deeper_trees(
        {name: deeper.train(name, steps=5) for name in deeper.H}
    ),
    "tree-gradient": lambda run: treepaths.tree_gradient(),
    "walk-forward": lambda run: intervals.walk_forward(),
    "horizon-error": lambda run: forecast.horizon_error(),
    "coverage": lambda run: intervals.coverage(),
    "gate-layout": lambda run: gate_layout.gate_layout(),
    "seven-bugs": lambda run: bug_runs.seven_bugs(),
    "who-catches-it": lambda run: catches.who_catches_it(),
}


def reader(run):
    return inside.train(run.data, H=8, steps=1, rng=np.random.default_rng(4))


def tracked(reader):
    return tracking.tracking_cell(reader, tracking.search(reader, rng=np.random.default_rng(0)))


@cache
def readers():
    return {name: around.train(name, steps=1, seed=4) for name in around.UNITS}


@cache
def translators():
    problem = tasks.NumberWords(rng=np.random.default_rng(0))
    return translate.train(problem, H=32, steps=5, seed=0)


def tables(figure, state):
    figure.draw(state)
    return figure._tables


def some_states(figure):
    every = list(states(figure._controls))
    return {"default": figure.state, "first": every[0], "last": every[-1]}.items()


@pytest.mark.parametrize("name", FIGURES)
def test_every_state_has_readable_tables(name, run):
    figure = FIGURES[name](run)
    assert figure._drawing.name == name
    for which, state in some_states(figure):
        found = tables(figure, state)
        assert found, which
        for table in found:
            columns, rows = table["columns"], table["rows"]
            assert 2 <= len(columns) <= MOST_COLUMNS, (which, columns)
            assert len(set(columns)) == len(columns), (which, columns)
            assert not {"x", "y"} & set(columns), (which, "a column without a name of its own")
            assert 1 <= len(rows) <= MOST_ROWS, (which, columns)
            for row in rows:
                assert len(row) == len(columns), which
                assert all(isinstance(v, str) or math.isfinite(v) for v in row), (which, row)


# the axes and the line, by their places in the figure, and the column that says the same
DRAWN = {
    "shapes": (1, 0, "own at each step"),
    "influence": (0, 2, "trained RNN"),
    "latch": (1, 3, "state h"),
    "unrolling": (1, 1, "shared weights"),
    "training-clock": (0, -2, "held-out text"),
    "blame-back": (1, 0, "all so far"),
    "truncation-window": (1, 0, "angle to the true gradient, degrees"),
    "gradient-flow": (0, 3, "measured"),
    "loss-cliff": (1, 1, "loss"),
    "remedies": (0, 2, "remedy"),
    "shorter-steps": (1, 2, "network, median"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_column_is_what_the_line_shows(name, run):
    figure = FIGURES[name](run)
    axes, place, column = DRAWN[name]
    line = figure._drawing.fig.axes[axes].lines[place]
    for which, state in some_states(figure):
        table = next(t for t in tables(figure, state) if column in t["columns"])
        x, y = ([row[k] for row in table["rows"]] for k in (0, table["columns"].index(column)))
        shown = np.array(line.get_data(), float)[:, : len(x)]  # the cliff repeats its last point
        np.testing.assert_allclose([x, y], shown, rtol=6e-4, err_msg=which)


def test_the_arrows_are_as_thick_as_the_column_says(run):
    figure = FIGURES["unrolled"](run)
    for which, state in some_states(figure):
        (table,) = tables(figure, state)
        _, arrows, *_ = figure._drawing.fig.axes[0].collections
        thick = [np.ptp(path.vertices[:, 1]) for path in arrows.get_paths()]
        said = np.array([row[1] for row in table["rows"]])
        expected = unrolled.FULL * np.minimum(said[:-1], unrolled.WIDEST)
        np.testing.assert_allclose(thick, expected, rtol=6e-4, err_msg=which)
