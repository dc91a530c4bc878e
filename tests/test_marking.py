"""How a learner's function is marked, whatever it does, and what the message says."""

import numpy as np
import pytest
from exercises import CHECKS, LEARNERS, TASKS
from IPython.lib.pretty import pretty
from learners import edited, function

from rnn_teach import checks as check

over_tasks = pytest.mark.parametrize("name", TASKS)


def plain(x, h_prev, W_x, W_h, b):
    return np.tanh(x @ W_x + h_prev @ W_h + b)


def test_the_message_names_task_misconception_first_number_and_call():
    def my_step(x, h_prev, W_x, W_h, b):
        h = plain(x, h_prev, W_x, W_h, b)
        h[1:] = (x @ W_x + h_prev @ W_h + b)[1:]
        return h

    x, h_prev, W_x, W_h, b = TASKS["rnn_step"].cases()[0]
    a = (x @ W_x + h_prev @ W_h + b)[1, 0]
    assert str(check.rnn_step(my_step)) == (
        "rnn_step is wrong. No misconception known here fits.\n"
        f"h[1, 0] is {a:.8g}, expected {np.tanh(a):.8g}.\n"
        "Called as rnn_step(x (3, 3), h_prev (3, 3), W_x (3, 3), W_h (3, 3), b (3,))."
    )


def test_a_verdict_is_shown_as_its_message_and_is_true_or_false():
    right, wrong = check.rnn_step(plain), check.rnn_step(lambda *arguments: arguments[0])
    assert right.right is True and bool(right) and not wrong.right and not wrong
    for verdict in (right, wrong):
        assert repr(verdict) == str(verdict) == pretty(verdict) == verdict.message
    with pytest.raises(AssertionError, match="rnn_step is wrong"):
        assert wrong, wrong


def test_two_mistakes_at_once_the_first_result_is_explained():
    source = LEARNERS["rnn_step_backward"].right
    both = edited(source, "W_h.T", "W_h", "da.sum(axis=0)", "da.mean(axis=0)")
    verdict = check.rnn_step_backward(function(both))
    assert "Most likely: W_h is not transposed on the way back" in verdict.message
    assert "\ndh_prev[0, 0] is" in verdict.message


def troubled(theirs, name="rnn_step") -> str:
    verdict = CHECKS[name](theirs)
    assert not verdict
    assert f"\nCalled as {TASKS[name].name}(" in verdict.message
    return verdict.message


def test_a_function_that_raises_shows_its_own_error_and_line():
    def my_step(x, h_prev, W_x, W_h, b):
        return x @ W_x + h_prev @ W_h + bias  # noqa: F821

    message = troubled(my_step)
    assert "rnn_step is wrong: it raised NameError: name 'bias' is not defined\n" in message
    assert "in your line: return x @ W_x + h_prev @ W_h + bias" in message
    assert "it raised TypeError: " in troubled(lambda x: x)
    assert "it raised RecursionError: " in troubled(lambda *a: my_endless(*a))
    assert "it raised KeyError: 'h'" in troubled(lambda *a: {}["h"])


def my_endless(*arguments):
    return my_endless(*arguments)


def test_what_was_right_before_an_error_still_counts():
    def only_square(x, h_prev, W_x, W_h, b):
        return np.tanh(x @ W_x.T + h_prev @ W_h + b)

    def only_three(x, h_prev, W_x, W_h, b):
        return plain(x, h_prev, W_x, W_h, b).reshape(3, 3)

    assert "Most likely: W_x is transposed" in troubled(only_square)
    message = troubled(only_three)
    assert "it raised ValueError: cannot reshape" in message
    assert "Called as rnn_step(x (4, 2)" in message


def test_a_misconception_that_fits_only_square_weights_is_no_obstacle():
    def my_step(x, h_prev, W_x, W_h, b):
        square = W_x.shape == W_h.shape
        return plain(x, h_prev, W_x.T if square else 0 * W_x, W_h, b)

    assert "No misconception known here fits." in troubled(my_step)


def test_a_function_may_print(capsys):
    def chatty(*arguments):
        print("computing ...")
        return plain(*arguments)

    assert check.rnn_step(chatty)
    assert "computing ..." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "it returned None: is the return missing?"),
        ("h", "h is a str, expected real numbers"),
        ([[1.0, 2.0], [3.0]], "h is no array of numbers"),
        (np.zeros((3, 3), complex), "h is an array of shape (3, 3) and dtype complex128, expected"),
        (np.full((3, 3), None), "h is an array of shape (3, 3) and dtype object, expected"),
        ((np.zeros((3, 3)), None), "h is no array of numbers"),
        ({1, "h"}, "h is no array of numbers ('<' not supported"),
        ((k for k in range(3)), "h is a generator, expected real numbers"),
        (print, "h is a builtin_function_or_method, expected real numbers"),
        (np.zeros((3, 3, 1)), "h has shape (3, 3, 1), expected (3, 3)."),
        (0.5, "h has shape (), expected (3, 3)."),
        (np.full((3, 3), np.nan), "h[0, 0] is nan (something overflowed, or 0 was divided by 0)"),
        ({"h": np.zeros((3, 3))}, "h is missing."),
    ],
)
def test_what_is_no_answer_gets_a_message_of_its_own(answer, said):
    assert said in troubled(lambda *arguments: answer)


def test_several_results_are_counted_and_named():
    def lstm(*arguments):
        return function(LEARNERS["lstm_step"].right)(*arguments)

    one = "it returned an array of shape (3, 3) and dtype float64, expected 2 things: h, c"
    assert one in troubled(lambda *a: lstm(*a)[0], "lstm_step")
    assert "it returned 3 of them, expected 2" in troubled(lambda *a: (*lstm(*a), 0), "lstm_step")
    assert "c is None" in troubled(lambda *a: (lstm(*a)[0], None), "lstm_step")
    assert "c is missing." in troubled(lambda *a: {"h": lstm(*a)[0]}, "lstm_step")
    extra = troubled(lambda *a: {**dict(zip("hc", lstm(*a), strict=True)), "o": 0}, "lstm_step")
    assert "o is not asked for." in extra


@pytest.mark.parametrize("argument", range(5))
def test_changing_an_argument_in_place_is_found(argument):
    def my_step(*arguments):
        h = plain(*arguments)
        a = arguments[argument]
        a *= 0.5
        return h

    name = ("x", "h_prev", "W_x", "W_h", "b")[argument]
    said = f"rnn_step is wrong: it changes {name} in place, and {name} belongs to the caller: look"
    assert said in troubled(my_step)


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("grads['b'] *= 0.5", "grads['b']"),
        ("grads['b'] = grads['b'] * 0.5", "grads['b']"),
        ("grads['b'] = None", "grads['b']"),
        ("del grads['W_h']", "grads['W_h']"),
        ("grads['norm'] = 1.0", "grads['norm']"),
        ("grads['b'].resize(9, refcheck=False)", "grads['b']"),
    ],
)
def test_changing_a_dict_of_arrays_is_found(line, label):
    def my_clip(grads, max_norm):
        exec(line)  # noqa: S102  our own line
        return grads

    assert f"it changes {label} in place" in troubled(my_clip, "clip")


def test_in_place_is_said_even_where_nothing_is_returned():
    def my_clip(grads, max_norm):
        for g in grads.values():
            g *= 0.5

    assert "it changes grads['W_h'] in place" in troubled(my_clip, "clip")


def test_a_function_that_remembers_is_found():
    calls = []

    def my_step(*arguments):
        calls.append(1)
        return plain(*arguments) + (len(calls) > 3)

    assert "Called twice alike, it answers differently" in troubled(my_step)
    rng = np.random.default_rng(0)
    assert not check.rnn_step(lambda *a: plain(*a) + 0.1 * rng.normal())

    def once(*arguments):
        calls.append(1)
        assert len(calls) <= 3
        return plain(*arguments)

    calls.clear()
    assert "it raised AssertionError" in troubled(once)


@pytest.mark.parametrize("name", [name for name in TASKS if "step" in name or name == "bptt"])
def test_who_computes_in_float32_is_right_too(name):
    right = function(LEARNERS[name].right)
    assert CHECKS[name](lambda *arguments: right(*(a.astype(np.float32) for a in arguments)))


def test_an_array_that_is_used_again_is_no_error():
    buffer = np.empty(100)

    def my_difference(f, w, eps):
        for k, e in enumerate(eps * np.eye(len(w))):
            buffer[k] = (f(w + e) - f(w - e)) / (2 * eps)
        return buffer[: len(w)]

    assert check.central_difference(my_difference)


@over_tasks
@pytest.mark.parametrize("what", [None, 3, "h", np.zeros((3, 3))])
def test_the_function_itself_is_expected(name, what):
    with pytest.raises(TypeError, match=f"{TASKS[name].name}: expected your function itself"):
        CHECKS[name](what)


def test_the_place_of_the_reset_is_one_of_two():
    with pytest.raises(ValueError, match="reset: expected one of 'after', 'before', got 'maybe'"):
        check.gru_step(plain, reset="maybe")


@over_tasks
def test_docstrings_say_what_to_write(name):
    doc = CHECKS[name].__doc__ if name != "gru_step_before" else check.gru_step.__doc__
    arguments = doc.split("Arguments: theirs(")[1].split("->")[0]
    for argument in TASKS[name].arguments:
        assert argument in arguments
    for part in ("Returns a `Verdict`.", "Raises TypeError", ">>> "):
        assert part in doc
