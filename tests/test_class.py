"""The notebooks for a class: every answer is gone, one in another shape is refused, and they run."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

import classroom
import outputs

CHAPTERS = sorted(outputs.NOTEBOOKS.glob("*.ipynb"))
SAMPLE = outputs.NOTEBOOKS / "02_neuron.ipynb"
FOLDED = "```{admonition} Solution\n:class: dropdown\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command writes, as a teacher calls it."""
    out = tmp_path_factory.mktemp("class")
    command = [sys.executable, outputs.ROOT / "tools" / "classroom.py", "--out", out]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"{len(CHAPTERS)} notebooks without answers")
    return out


def hidden(cell: NotebookNode) -> bool:
    return cell.metadata.get("tags") == ["hide-cell"]


def test_every_chapter_is_there_and_no_answer(made: Path) -> None:
    assert [path.name for path in sorted(made.iterdir())] == [path.name for path in CHAPTERS]
    for path in CHAPTERS:
        chapter, text = nbformat.read(path, 4), (made / path.name).read_text("utf-8")
        assert not re.search(r"Solution|- \[[ x]\]|dropdown|For the teacher|hide-cell", text)
        nbformat.validate(nbformat.read(made / path.name, 4))
        given = "\n".join(
            c.source for c in chapter.cells if c.cell_type == "code" and not hidden(c)
        )
        answers = [c.source for c in chapter.cells if hidden(c)]
        assert answers, path.name
        for name in re.findall(r"^def (\w+)", "\n".join(answers), re.MULTILINE):
            assert f"def {name}(" in given or f"def {name}(" not in text, (path.name, name)


def test_what_is_no_answer_stays(made: Path) -> None:
    for path in CHAPTERS:
        chapter, handed_out = nbformat.read(path, 4), nbformat.read(made / path.name, 4)
        text = "\n".join(cell.source for cell in handed_out.cells)
        for kind, option in (("Prediction", ":prediction:\n"), ("Question", "(?!:prediction:)")):
            asked = rf"^:::\{{question\}} .*\n{option}"
            in_chapter = re.findall(asked, "\n".join(c.source for c in chapter.cells), re.MULTILINE)
            assert text.count(f"**{kind}.**") == len(in_chapter), path.name
        ends = next(k for k, c in enumerate(chapter.cells) if "## Exercises" in c.source)
        code = [c.source for c in chapter.cells[:ends] if c.cell_type == "code"]
        assert [c.source for c in handed_out.cells if c.cell_type == "code"][: len(code)] == code
        exercises = len(re.findall(r"^### \d", text, re.MULTILINE))
        assert exercises >= 3 and text.count("# your code") >= exercises


def test_a_question_is_a_list_with_letters(made: Path) -> None:
    cells = nbformat.read(made / SAMPLE.name, 4).cells
    (cell,) = (
        cell for cell in cells if "After how many steps is half of the input left?" in cell.source
    )
    assert cell.source.endswith(
        "After how many steps is half of the input left?\n\n"
        "- **A.** 5\n- **B.** Between 6 and 7\n- **C.** More than 20"
    )


@pytest.mark.parametrize("name", ["02_neuron", "08_lstm"])
def test_they_run_up_to_the_exercises(made: Path, name: str) -> None:
    notebook = nbformat.read(made / f"{name}.ipynb", 4)
    ends = next(k for k, cell in enumerate(notebook.cells) if "## Exercises" in cell.source)
    notebook.cells = notebook.cells[: ends + 2]  # with the first empty cell
    assert notebook.cells[-1].source == "# your code"
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute()


# Answers in other shapes ------------------------------------------------------------------------


def first(chapter: NotebookNode, wanted: Callable[[NotebookNode], bool]) -> int:
    return next(k for k, cell in enumerate(chapter.cells) if wanted(cell))


def solution(chapter: NotebookNode) -> NotebookNode:
    """The first cell with a folded answer."""
    return chapter.cells[first(chapter, lambda cell: FOLDED in cell.source)]


def code(chapter: NotebookNode) -> NotebookNode:
    """The first cell with the code of an answer."""
    return chapter.cells[first(chapter, hidden)]


def as_details(chapter: NotebookNode) -> None:
    cell = solution(chapter)
    opened = cell.source.replace(FOLDED, "<details><summary>Look</summary>\n\n")
    cell.source = opened.replace("\n```", "\n</details>")


def in_longer_fences(chapter: NotebookNode) -> None:
    cell = solution(chapter)
    cell.source = cell.source.replace("```", "````")


def as_a_paragraph(chapter: NotebookNode) -> None:
    solution(chapter).source += "\n\n**Answer.** The slope is $1 - h^2$."


def without_an_answer(chapter: NotebookNode) -> None:
    cell = solution(chapter)
    cell.source = cell.source[: cell.source.index("```{admonition}")]


def without_a_tag(chapter: NotebookNode) -> None:
    code(chapter).metadata = nbformat.from_dict({})


def with_another_tag(chapter: NotebookNode) -> None:
    code(chapter).metadata.tags = ["hide-input"]


def given_away(chapter: NotebookNode) -> None:
    source = code(chapter).source.replace("def half_life", "def an_example")
    place = first(chapter, lambda cell: "## What this chapter claims" in cell.source)
    chapter.cells.insert(place, nbformat.v4.new_code_cell(source))


def printed_in_the_text(chapter: NotebookNode) -> None:
    source = code(chapter).source.split("\n\n")[0]
    solution(chapter).source += f"\n\n```python\n{source}\n```"


def under_another_heading(chapter: NotebookNode) -> None:
    cell = solution(chapter)
    cell.source = cell.source.replace("## Exercises", "## To do")


def with_a_marked_list(chapter: NotebookNode) -> None:
    solution(chapter).source += "\n\n* [x] the first one"


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        (as_details, "has no folded admonition"),
        (in_longer_fences, "this looks like an answer: ````{admonition} Solution"),
        (as_a_paragraph, r"this looks like an answer: \*\*Answer\.\*\*"),
        (without_an_answer, "'### 1. Half-life .* has no folded admonition with its answer"),
        (without_a_tag, "code after the answer needs the tag hide-cell"),
        (with_another_tag, r"expected the tag hide-cell, or none, got \['hide-input'\]"),
        (given_away, "a function of a solution is given away:\nreturn np.log"),
        (printed_in_the_text, "a function of a solution is given away"),
        (under_another_heading, "expected the headings"),
        (with_a_marked_list, "this looks like an answer"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_answer_in_another_shape_is_refused(
    tmp_path: Path, plant: Callable[[NotebookNode], None], complaint: str
) -> None:
    chapter = nbformat.read(SAMPLE, 4)
    plant(chapter)
    nbformat.write(chapter, tmp_path / SAMPLE.name)
    with pytest.raises(ValueError, match=complaint) as refused:
        classroom.write(tmp_path / "class", tmp_path)
    assert SAMPLE.name in str(refused.value)
    assert not (tmp_path / "class").exists(), "nothing is written"


def test_one_bad_chapter_holds_back_all(tmp_path: Path) -> None:
    chapter = nbformat.read(SAMPLE, 4)
    nbformat.write(chapter, tmp_path / "1.ipynb")
    without_a_tag(chapter)
    nbformat.write(chapter, tmp_path / "2.ipynb")
    with pytest.raises(ValueError, match=r"2\.ipynb"):
        classroom.write(tmp_path / "class", tmp_path)
    assert not (tmp_path / "class").exists()


def test_colons_fold_as_well_as_backticks() -> None:
    chapter = nbformat.read(SAMPLE, 4)
    cell = solution(chapter)
    told = cell.source[cell.source.index(FOLDED) + len(FOLDED) :].splitlines()[0]
    cell.source = cell.source.replace("```", ":::")
    made = classroom.without_answers(chapter)
    assert not classroom.answers_left(chapter, made)
    assert all(told not in other.source for other in made.cells)


@pytest.mark.parametrize("pattern", ["FOLDED", "QUESTION", "TEACHER"])
def test_the_check_does_not_trust_what_removes(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    chapter = nbformat.read(SAMPLE, 4)
    monkeypatch.setattr(classroom, pattern, re.compile("(?!)"))
    left = classroom.answers_left(chapter, classroom.without_answers(chapter))
    assert any("belongs to an answer" in what for what in left)


def test_code_that_is_left_is_found() -> None:
    chapter = nbformat.read(SAMPLE, 4)
    made = classroom.without_answers(chapter)
    assert not classroom.answers_left(chapter, made)
    for cell in (cell for cell in chapter.cells if hidden(cell)):
        leaking = copy.deepcopy(made)
        leaking.cells[3].source = cell.source
        assert classroom.answers_left(chapter, leaking), cell.source
    leaking = copy.deepcopy(made)
    output = nbformat.v4.new_output("stream", text="0.949")
    next(c for c in leaking.cells if c.cell_type == "code").outputs = [output]
    assert "has outputs" in "".join(classroom.answers_left(chapter, leaking))


def test_a_hidden_cell_of_the_text_is_no_answer() -> None:
    chapter = nbformat.read(SAMPLE, 4)
    aside = nbformat.v4.new_code_cell("cell.b[:] = 0", metadata={"tags": ["hide-cell"]})
    chapter.cells.insert(5, aside)
    made = classroom.without_answers(chapter)
    assert not classroom.answers_left(chapter, made)
    assert aside.source in [cell.source for cell in made.cells]


def test_no_chapters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no chapters"):
        classroom.write(tmp_path / "class", tmp_path)
