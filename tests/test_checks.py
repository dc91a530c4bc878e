"""Right functions pass however they are spelled, and every misconception is named."""

import numpy as np
import pytest
from exercises import CHECKS, LEARNERS, TASKS
from learners import edited, function

from rnn_teach import checks as check

RIGHT = [
    (name, source)
    for name, learner in LEARNERS.items()
    for source in (learner.right, *learner.also)
]
WRONG = [(name, *edits) for name, learner in LEARNERS.items() for edits in learner.wrong]

over_tasks = pytest.mark.parametrize("name", TASKS)


def misconception(name: str, beginning: str) -> str:
    """The whole misconception; a beginning that fits two stands for the shorter one."""
    return min((words for words in TASKS[name].wrong if words.startswith(beginning)), key=len)


@pytest.mark.parametrize(("name", "source"), RIGHT)
def test_right_functions_pass_however_they_are_spelled(name, source):
    verdict = CHECKS[name](function(source))
    assert verdict, verdict
    assert verdict == (True, f"{TASKS[name].name} is right.")


@pytest.mark.parametrize(("name", "beginning", "edits"), [(n, b, e) for n, b, *e in WRONG])
def test_a_misconception_is_named(name, beginning, edits):
    verdict = CHECKS[name](function(edited(LEARNERS[name].right, *edits)))
    assert not verdict
    first, where, call = verdict.message.splitlines()
    words = misconception(name, beginning)
    assert first == f"{TASKS[name].name} is wrong. Most likely: {words}."
    assert where.split("[")[0].split(" ")[0] in TASKS[name].results
    assert "expected" in where
    assert call.startswith(f"Called as {TASKS[name].name}(")


@over_tasks
def test_every_misconception_has_a_learner_and_two_spellings_are_right(name):
    learner = LEARNERS[name]
    named = [misconception(name, beginning) for beginning, *_ in learner.wrong]
    assert sorted(named) == sorted(TASKS[name].wrong)
    assert len(learner.also) >= 1


def test_every_check_has_a_task_and_learners():
    assert {task.name for task in TASKS.values()} == set(check.__all__) - {"Verdict"}
    assert LEARNERS.keys() == TASKS.keys()


@over_tasks
def test_the_lines_say_the_same_as_the_package(name):
    task = TASKS[name]
    assert CHECKS[name](lambda *arguments: task.computed(arguments))


@over_tasks
def test_no_misconception_hides_another(name):
    task = TASKS[name]
    for words, changed in task.wrong.items():
        verdict = CHECKS[name](lambda *a, changed=changed: task.computed(a, **changed))
        assert f"Most likely: {words}.\n" in verdict.message


@over_tasks
def test_nothing_is_random(name):
    once, again = TASKS[name].cases(), TASKS[name].cases()
    for case, same in zip(once, again, strict=True):
        for a, b in zip(case, same, strict=True):
            if not isinstance(a, dict):
                assert np.array_equal(a, b)
    wrong = function(edited(LEARNERS[name].right, *LEARNERS[name].wrong[0][1:]))
    assert CHECKS[name](wrong) == CHECKS[name](wrong)
