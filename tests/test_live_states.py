"""All states of a figure: the same bytes on any number of cores, kept while what they rest on stands."""

import base64
import json
import os
import sys
import textwrap

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from test_live import figure

from rnn_teach.live import BUILD, Control, interact, kept, payload, reads, states


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv(BUILD, "static")


MANY = {"gain": (0.5, 2.0, 0.05), "cell": ["RNN", "LSTM"]}  # 62 states: worth another process


# ---- on all cores --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 7])
def test_many_processes_draw_the_same_bytes_as_one(static, monkeypatch, count):
    monkeypatch.setattr(states, "cores", lambda: 1)
    alone = figure(**MANY)._html
    forks = []
    fork = os.fork
    monkeypatch.setattr(os, "fork", lambda: (forks.append(1), fork())[1])
    monkeypatch.setattr(states, "cores", lambda: count)
    assert figure(**MANY)._html == alone
    assert len(forks) == count


def test_an_artist_that_only_one_process_moves_has_its_slot_in_all(static, monkeypatch):
    def drawn():
        fig, ax = plt.subplots()
        line, text = ax.plot([0, 1], [0, 1])[0], ax.text(0, 0, "")

        @interact(fig, name="late", a=(0, 49))
        def update(a):
            line.set_linewidth(a)
            if a == 48:
                text.set_text("now")
            elif text.get_text():
                text.set_text("")
            return f"{a}"

        return update

    monkeypatch.setattr(states, "cores", lambda: 1)
    alone = drawn()._html
    monkeypatch.setattr(states, "cores", lambda: 2)
    assert drawn()._html == alone
    pictures, _ = payload.decode(drawn()._packed)
    assert {len(picture) for picture in pictures} == {2}


def test_a_state_that_fails_in_another_process_is_named_here(static, monkeypatch):
    monkeypatch.setattr(states, "cores", lambda: 2)
    with pytest.raises(
        RuntimeError, match=r"'demo': update\(gain=1.55, cell='RNN'\) raised ZeroDivisionError"
    ) as caught:
        figure(fail=True, **MANY)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_what_update_prints_and_warns_comes_out(static, monkeypatch, capsys):
    fig, ax = plt.subplots()
    line = ax.plot([], [])[0]
    monkeypatch.setattr(states, "cores", lambda: 2)

    @interact(fig, name="loud", a=(0, 39))
    def update(a):
        line.set_data([0], [a])
        print("drawing", a)
        print("careful", file=sys.stderr)
        return f"{a}"

    said = capsys.readouterr()
    assert said.out.count("drawing 7\n") == 1
    assert "careful" in said.err


# ---- checked -------------------------------------------------------------------------------------


def test_a_control_that_changes_nothing_is_named(static):
    fig, ax = plt.subplots()
    line = ax.plot([], [])[0]
    with pytest.raises(
        ValueError, match=r"'idle': the control 'cell' changes nothing; .* fixed\(...\)"
    ):

        @interact(fig, name="idle", gain=[1, 2], cell=["RNN", "GRU"])
        def update(gain, cell):
            line.set_data([0, 1], [0, gain])
            return f"{gain}"


def test_an_update_that_depends_on_more_than_its_arguments_is_an_error(static):
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 2), ylim=(-5, 5))
    line, rng = ax.plot([], [])[0], np.random.default_rng(0)
    with pytest.raises(
        ValueError, match=r"'dice': update with .* rng = np.random.default_rng\(0\)"
    ):

        @interact(fig, name="dice", n=[1, 2])
        def update(n):
            line.set_data(range(n), rng.normal(size=n))
            return f"{n}"


def test_a_state_that_depends_on_the_one_before_is_an_error(static):
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 100))
    line, before = ax.plot([], [])[0], []
    with pytest.raises(ValueError, match="'memory': update with the same values drew two"):

        @interact(fig, name="memory", n=(0, 99))
        def update(n):
            line.set_data([0, 1], [n, before[-1] if n == 60 and before else n])
            before.append(n)
            return f"{n}"


# ---- kept ----------------------------------------------------------------------------------------

MODULE = """
HEIGHT = 1.0
"""

CELL = """
import matplotlib.pyplot as plt
from rnn_teach.live import interact
import heights

fig, ax = plt.subplots()
line = ax.plot([], [])[0]
drawn = []

@interact(fig, name="kept", a=[1, 2, 3, 4, 5, 6, 7])
def update(a):
    drawn.append(a)
    line.set_data([0, 1], [0, a * heights.HEIGHT])
    data = open("data.txt").read()
    return f"{a} {data}"

print("drawn", len(drawn))
update
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook as the book's build does; what it printed and the page's piece."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "heights.py").write_text(MODULE)
    (source / "data.txt").write_text("ink")
    made = tmp_path / "_build" / "live"
    (made / "reads").mkdir(parents=True)

    def runs(cell=CELL, first="pass"):
        cells = [nbformat.v4.new_code_cell(text) for text in (first, textwrap.dedent(cell))]
        told = {
            BUILD: "static",
            kept.KEEP: str(made),
            kept.READS: str(made / "reads"),
            kept.ROOTS: str(source),
            kept.STARTUP: reads.__file__,
        }
        notebook = nbformat.v4.new_notebook(cells=cells)
        client = NotebookClient(notebook, resources={"metadata": {"path": str(source)}})
        client.execute(env={**os.environ, **told})
        printed, shown = notebook.cells[1].outputs
        return int(printed.text.split()[1]), shown.data["text/html"]

    runs.source, runs.file = source, made / "kept.json"
    return runs


# the first state twice, for it shows what has a slot; a few once more, to compare; the first picture
ALL, FEW = 1 + 7 + 3 + 1, 3 + 1


def test_states_are_kept_and_the_page_is_the_same(run):
    drawn, page = run()
    assert drawn == ALL
    assert run() == (FEW, page)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run.source / "heights.py").write_text("HEIGHT = 1.00  # as before\n"),
        lambda run: (run.source / "data.txt").write_text("inks"),
        lambda run: run.file.write_text("{"),
        lambda run: run.file.write_bytes(b"\xff\x00"),
        lambda run: run.file.unlink(),
    ],
    ids=["module", "data", "corrupt", "binary", "deleted"],
)
def test_states_fall_with_what_they_rest_on(run, change):
    _, page = run()
    change(run)
    drawn, anew = run()
    assert drawn == ALL
    assert (anew == page) == ((run.source / "data.txt").read_text() == "ink")


def test_states_fall_with_the_code_before_them(run):
    run()
    assert run(first="import heights; heights.HEIGHT = 2")[0] == ALL


def test_kept_states_that_are_not_what_is_drawn_now_are_not_used(run):
    _, page = run()
    entry = json.loads(run.file.read_text())
    pictures, says = payload.decode(base64.b64decode(entry["pictures"]))
    says[3] = "forged"
    forged = payload.encode("kept", [Control(list(range(7)))], pictures, says)
    run.file.write_text(json.dumps(entry | {"pictures": base64.b64encode(forged).decode()}))
    drawn, anew = run()
    assert anew == page
    assert drawn >= ALL


def test_what_rests_on_another_program_is_not_kept(run):
    run(first="import subprocess; _ = subprocess.run(['true'])")
    assert not run.file.exists()


def test_a_new_file_has_no_part_in_it(run):
    run()
    (run.source / "more.py").write_text("")
    assert run()[0] == FEW


def test_the_list_of_reads_holds_modules_and_data(run):
    run()
    names = {path.rpartition("/")[2] for path in json.loads(run.file.read_text())["reads"]}
    assert names == {"heights.py", "data.txt"}
