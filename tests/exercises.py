"""Every exercise by name: its task, the check that a notebook calls, and what learners write."""

import importlib
import pkgutil
from functools import partial

import learners
from learners import Learner

from rnn_teach import checks as check
from rnn_teach.checks.marking import Task

TASKS = {}
for module in pkgutil.iter_modules(check.__path__):
    for value in vars(importlib.import_module(f"{check.__name__}.{module.name}")).values():
        if isinstance(value, Task):
            before = value.name == "gru_step" and "b_hn" not in value.arguments
            TASKS[value.name + "_before" * before] = value
CHECKS = {name: getattr(check, task.name) for name, task in TASKS.items()}
CHECKS["gru_step_before"] = partial(check.gru_step, reset="before")
LEARNERS = {
    name.lower(): learner
    for module in pkgutil.iter_modules(learners.__path__)
    for name, learner in vars(importlib.import_module(f"learners.{module.name}")).items()
    if isinstance(learner, Learner)
}
