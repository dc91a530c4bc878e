"""Chapter 18's bugs, their training, and which check catches which: each against a way of its own."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from rnn_teach import checks, convert, plots, tasks
from rnn_teach.cells import GRU, LSTM, RNN
from rnn_teach.figures import bug_runs, bugs, catches
from rnn_teach.functional import sigmoid
from rnn_teach.live.controls import states

NOTEBOOK = Path(__file__).parents[1].joinpath("notebooks", "18_debugging.ipynb").read_text("utf-8")
PAGE = "\n".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK)["cells"])
T, N, D, H = 5, 3, 4, 3


def layer(code: str):
    """A layer of that name, no number of it zero."""
    cell, rng = bugs.CELLS[code](D, H, rng=np.random.default_rng(0)), np.random.default_rng(1)
    for p in cell.parameters.values():
        p[...] = rng.normal(size=p.shape)
    return cell


def inputs() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(T, N, D))


def start() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(N, H))


def step_by_step(code: str) -> np.ndarray:
    """The states by the equation of the page."""
    cell, h, c, out = layer(code), start(), start(), []
    p = cell.parameters
    for x in inputs():
        if code == "tanh":
            i, f, g, o = np.split(x @ p["W_x"] + h @ p["W_h"] + p["b"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * c
        elif code == "flipped":
            from_x, from_h = np.split(x @ p["W_x"] + p["b"], 3, 1), np.split(h @ p["W_h"], 3, 1)
            r, z = (sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            n = np.tanh(from_x[2] + r * (from_h[2] + p["b_hn"]))
            h = z * n + (1 - z) * h
        else:
            old = start() if code == "carried" else h
            h = np.tanh(x @ p["W_x"] + old @ p["W_h"] + p["b"])
        out.append(h)
    return np.array(out)


@pytest.mark.parametrize("code", ["tanh", "flipped", "carried", "summed", "handed"])
def test_a_bug_computes_what_its_equation_says(code):
    state = (start(), start()) if code == "tanh" else start()
    np.testing.assert_allclose(
        layer(code).forward(inputs(), state).h, step_by_step(code), rtol=1e-12
    )


@pytest.mark.parametrize("code", ["tanh", "flipped", "carried"])
def test_a_wrong_forward_pass_has_its_own_right_gradient(code):
    cell, x, weight = layer(code), inputs(), np.random.default_rng(4).normal(size=(T, N, H))
    grads = cell.backward(cell.forward(x), weight)
    for name, p in cell.parameters.items():
        place = (0,) * p.ndim
        old, ends = p[place], []
        for move in (1e-6, -1e-6):
            p[place] = old + move
            ends.append((cell.forward(x).h * weight).sum())
        p[place] = old
        assert grads[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6), name


def test_written_over_leaves_the_first_step_and_handed_to_nobody_each_step_alone():
    x, weight = inputs(), np.random.default_rng(4).normal(size=(T, N, H))
    right = RNN(D, H, rng=np.random.default_rng(0))
    trace = right.forward(x, start())
    alone = [right.backward(right.forward(x[t : t + 1], trace.h_prev[t]), weight[t : t + 1])
             for t in range(T)]  # fmt: skip
    handed = bugs.NotHandedBack(D, H, rng=np.random.default_rng(0))
    grads = handed.backward(handed.forward(x, start()), weight)
    for name in ("W_x", "W_h", "b"):
        np.testing.assert_allclose(grads[name], sum(g[name] for g in alone), rtol=1e-12)

    summed = bugs.NotSummed(D, H, rng=np.random.default_rng(0))
    grads = summed.backward(summed.forward(x, start()), weight)
    whole = right.backward(trace, weight)
    da = whole["h"][0] * (1 - trace.h[0] ** 2)
    np.testing.assert_allclose(grads["W_x"], x[0].T @ da)
    np.testing.assert_allclose(grads["W_h"], start().T @ da)
    np.testing.assert_array_equal(grads["b"], whole["b"])


def test_from_a_state_of_zeros_the_recurrent_weights_get_no_gradient_at_all():
    cell = layer("summed")
    assert not cell.backward(cell.forward(inputs()), np.ones((T, N, H)))["W_h"].any()


def test_without_the_root_the_scale_is_one_over_the_square():
    grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    clipped = bugs.clip_without_root(grads, 1.0)
    assert [clipped[name].item() for name in "ab"] == pytest.approx([3 / 25, 4 / 25])
    short = {"a": np.array([0.5])}
    np.testing.assert_array_equal(bugs.clip_without_root(short, 1.0)["a"], short["a"])


@pytest.mark.parametrize("bug", bugs.BUGS)
def test_a_bug_starts_from_the_numbers_of_the_right_code(bug):
    wrong, right = (
        bugs.CELLS[code](D, H, rng=np.random.default_rng(5)) for code in (bug, bugs.BUGS[bug].right)
    )
    for name, p in wrong.parameters.items():
        np.testing.assert_array_equal(p, right.parameters[name])


# Caught ---------------------------------------------------------------------------------------


def test_the_stored_numbers_are_those_that_pytorch_computes_here():
    x = torch.from_numpy(catches.inputs(6))
    for name, cell in {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}.items():
        module = getattr(torch.nn, name)(2, 3).double()
        given = catches.fresh(name)
        assert isinstance(given, cell)
        weights = {key: torch.from_numpy(a) for key, a in convert.to_torch(given).items()}
        module.load_state_dict(weights)
        found = module(x)[0].detach().numpy()[:, 0, 0]
        np.testing.assert_allclose(found, catches.TORCH[name], rtol=0, atol=1e-10)


LONG = {  # without the two that need training: which checks object with two steps or more
    "none": set(),
    "tanh": {"PyTorch’s numbers", "|h| is at most 1", "rnn_teach.checks"},
    "reset": {"PyTorch’s numbers", "rnn_teach.checks"},
    "flipped": {"PyTorch’s numbers", "rnn_teach.checks"},
    "carried": {"PyTorch’s numbers", "first input counts", "rnn_teach.checks"},
    "clipping": {"clipped length", "rnn_teach.checks"},
    "summed": {"gradient check", "rnn_teach.checks"},
    "handed": {"gradient check", "rnn_teach.checks"},
}
LOST = {  # with one step
    "tanh": {"|h| is at most 1"},
    "reset": {"PyTorch’s numbers"},
    "carried": {"PyTorch’s numbers", "first input counts"},
    "summed": {"gradient check"},
    "handed": {"gradient check"},
}
TRAINED = ("the loss falls", "it beats a bigram")


@pytest.mark.parametrize("T", catches.LENGTHS)
@pytest.mark.parametrize("bug", bugs.BUGS)
def test_each_check_catches_what_the_page_says(bug, T):
    untrained = {name: check for name, check in catches.CHECKS.items() if name not in TRAINED}
    said = {name for name, check in untrained.items() if check(bug, T)}
    assert said == (LONG[bug] - LOST.get(bug, set()) if T == 1 else LONG[bug])


NAMED = {
    "tanh": "the output tanh is missing",
    "reset": "the reset stands before the product",
    "flipped": "z is flipped",
    "carried": "the state is not carried over",
    "clipping": "the root is missing",
    "summed": "the gradient is not summed over time",
    "handed": "nothing is carried back",
}


@pytest.mark.parametrize("bug", NAMED)
def test_the_check_names_the_bug(bug):
    verdict = catches.verdict(bug)
    assert isinstance(verdict, checks.Verdict) and f"Most likely: {NAMED[bug]}" in verdict.message


def test_right_and_wrong_are_far_from_the_limit():
    gradient = {bug: catches.gradient_error(bug, 6) for bug in bugs.BUGS}
    wrong = [gradient.pop("summed"), gradient.pop("handed")]
    assert max(gradient.values()) < catches.LIMIT / 10 and min(wrong) > 0.1
    apart = [catches.distance_to_torch(bug, 6) for bug in ("tanh", "reset", "flipped", "carried")]
    assert min(apart) > 1e-4


# Trained and shown ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short():
    """The figure with every training cut to 30 updates of two seeds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bug_runs, "UPDATES", 30)
        patch.setattr(bug_runs, "MOMENTS", np.arange(0, 31, bug_runs.EVERY))
        patch.setattr(bug_runs, "SEEDS", (0, 1))
        for kept in (bug_runs.trained, catches.catches):
            kept.cache_clear()
        yield bug_runs.seven_bugs()
    for kept in (bug_runs.trained, catches.catches):
        kept.cache_clear()


def test_the_same_names_in_the_same_order_whatever_the_bug(short):
    right, wrong = bug_runs.trained("RNN", 0), bug_runs.trained("handed", 0)
    assert right.held_out[0] == wrong.held_out[0], "the same weights"
    assert bug_runs.trained("RNN", 1).held_out[0] != right.held_out[0], "another seed"
    data = bug_runs.names()
    assert {*data.kept} | {*held(data)} == {*tasks.given_names()}
    assert not {*data.kept} & {*held(data)}
    assert len(held(data)) == data.held_out.x.shape[1]


def held(data: bug_runs.Names) -> list[str]:
    read = zip(data.held_out.target.T, data.held_out.lengths, strict=True)
    return [data.vocabulary.decode(codes[: length - 1]) for codes, length in read]


@pytest.mark.parametrize("bug", bugs.BUGS)
def test_the_lines_are_the_runs(short, bug):
    short.value = {"bug": bug, "counted": True}
    wrong, right = bug_runs.both(bug)
    for ax, what in zip(short._drawing.fig.axes, ("seen", "held_out"), strict=False):
        lines = {line.get_label().split(",")[0]: line for line in ax.lines}
        ours, theirs = getattr(right, what), getattr(wrong, what)
        np.testing.assert_array_equal(lines["right"].get_ydata(), np.median(ours, axis=0))
        drawn = lines["_wrong"].get_ydata()
        np.testing.assert_array_equal(drawn[~np.isnan(drawn)], theirs.ravel())
        assert lines["_wrong"].get_visible() == (bug != "none")
        band = ax.patches[0].get_xy()[:-1, 1].reshape(2, -1)
        np.testing.assert_array_equal(band, [ours.min(axis=0), ours.max(axis=0)[::-1]])
        heights = sorted(text.get_position()[1] for text in ax.texts if text.get_text())
        assert np.diff(heights).min(initial=1) > 0.119, "no label on another"
    paid = wrong.held_out[:, -1] - right.held_out[:, -1]
    [dots] = short._drawing.fig.axes[2].lines
    np.testing.assert_array_equal(dots.get_xdata(), paid)
    if bug != "none":
        said = short._picture["sentence"]
        assert f"costs {plots.number(np.median(paid))}" in said and bugs.BUGS[bug].words in said


def test_the_models_that_count_can_be_hidden(short):
    for counted in (True, False):
        short.value = {"bug": "carried", "counted": counted}
        ax = short._drawing.fig.axes[1]
        counts = [line for line in ax.lines if line.get_linestyle() == "--"]
        levels = {line.get_ydata()[0]: line.get_visible() for line in counts}
        uniform, *others = bug_runs.names().baselines.values()
        assert levels == dict.fromkeys(others, counted) and uniform not in levels
        assert any("bigram" in text.get_text() for text in ax.texts) == counted


def test_the_table_has_a_mark_for_each_objection(short):
    figure = catches.who_catches_it()
    assert len(list(states(figure._controls))) == 48
    ax, below = figure._drawing.fig.axes
    _, caught, lost = ax.lines
    for bug, T in (("summed", 1), ("tanh", 6), ("none", 2)):
        figure.value = {"bug": bug, "T": T}
        found = {(int(x), int(y)) for x, y in caught.get_xydata()}
        expected = {
            (column, row)
            for row, code in enumerate(bugs.BUGS)
            for column, name in enumerate(catches.CHECKS)
            if catches.catches(code, T)[name]
        }
        assert found == expected and len(lost.get_xydata()) == (6 if T == 1 else 0)
        lit = [row.get_alpha() for row in ax.patches]
        assert lit == [float(code == bug) for code in bugs.BUGS]
        [drawn] = [line.get_ydata() for line in below.lines if line.get_label() == "gradient"]
        np.testing.assert_allclose(drawn, [catches.gradient_error(bug, k) for k in range(1, 7)])
        assert ("no check objects" in figure._picture["sentence"]) == (bug == "none")


LISTED = {  # the lines that a listing marks
    "WithoutTanh.forward": ["h.append(o * c[-1])"],
    "NeverCarried.forward": ["h_prev = h[-1]"],
    "clip_without_root": ["norm = sum"],
    "NotSummed.backward": ['grads["W_x"] =', 'grads["W_h"] ='],
    "NotHandedBack.backward": ["da = dh * dtanh"],
    "forgets_the_first": ["return np.array_equal"],
}


@pytest.mark.parametrize("name", LISTED)
def test_the_page_marks_the_lines_that_matter(name):
    thing = catches if name == "forgets_the_first" else bugs
    for part in name.split("."):
        thing = getattr(thing, part)
    source = inspect.getsource(thing).splitlines()
    listing = PAGE.split(f":pyobject: {name}\n")[1]
    places = re.match(r":emphasize-lines: ([\d, ]+)\n", listing).group(1).split(",")
    marked = [source[int(place) - 1] for place in places]
    for line, part in zip(marked, LISTED[name], strict=True):
        assert part in line
