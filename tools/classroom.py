"""Writes the chapters as notebooks for a class, without the answers: python tools/classroom.py [--out FOLDER]"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from book import ROOT
from outputs import NOTEBOOKS, normalized

EXERCISES, QUESTIONS = "## Exercises", "## Three questions"
SOLUTION = "hide-cell"  # the tag of a code cell that answers an exercise
YOURS = "# your code"

# What folds open in the page would lie open in a notebook.
FOLDED = re.compile(r"^(```|:::)\{admonition\}.*\n:class: dropdown\n[^\0]*?^\1$\n?", re.MULTILINE)
QUESTION = re.compile(r"^:::\{question\}.*\n(:prediction:)?([^\0]*?)^:::$", re.MULTILINE)
CHOICE = re.compile(r"^- \[[ x]\] ([^\0]*?)(?=\n\n|\Z)", re.MULTILINE)
TEACHER = re.compile(r"^## For the teacher[^\0]*?(?=^## |\Z)", re.MULTILINE)

# Whoever writes an answer in another way than the chapters do, will most likely say one of these.
TELLING = re.compile(
    r"\bSolutions?\b|\bAnswer[:.]|[-*+] \[[xX ]\]|dropdown|<details|\{question\}|For the teacher"
)


def without_answers(notebook: NotebookNode) -> NotebookNode:
    """The chapter with an empty cell for each solution, and with questions that mark nothing.

    Outputs go as well: what a cell prints answers the prediction that stands before it.
    """
    notebook, kept, heading = normalized(notebook), [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = [heading, *re.findall(r"^## .*", cell.source, re.MULTILINE)][-1]
            cell.source = re.sub(TEACHER, "", re.sub(FOLDED, "", cell.source))
            cell.source = re.sub(QUESTION, as_a_list, cell.source).strip()
        else:
            if heading == EXERCISES and SOLUTION in cell.metadata.get("tags", ()):
                cell.source = YOURS
            if heading == QUESTIONS:  # it proves what the right choice says
                cell.source = ""
            cell.update(outputs=[], execution_count=None, metadata={})
        again = cell.source == YOURS and kept and kept[-1].source == YOURS
        if cell.source and not again:
            kept.append(cell)
    notebook.cells = kept
    return notebook


def as_a_list(question: re.Match[str]) -> str:
    """A question as every notebook shows it: the choices with letters, to vote on."""
    kind, body = "Prediction" if question[1] else "Question", question[2]
    asked = body[: CHOICE.search(body).start()].strip()
    choices = (f"- **{chr(65 + k)}.** {said}" for k, said in enumerate(CHOICE.findall(body)))
    return f"**{kind}.** {asked}\n\n" + "\n".join(choices)


# The check shares no pattern with what it checks: it goes through the chapter line by line.


def answers_left(chapter: NotebookNode, handed_out: NotebookNode) -> list[str]:
    """What gives an answer away, in words; an empty list if nothing does."""
    found = [*unknown_shapes(chapter)]
    secret = secrets(chapter) - {
        line.strip() for code in given(chapter) for line in code.splitlines()
    }
    for cell in handed_out.cells:
        found += [
            f"this looks like an answer: {line}" for line in lines([cell]) if TELLING.search(line)
        ]
        shown = {line.strip() for line in lines([cell])}
        found += [f"this line belongs to an answer: {line}" for line in shown & secret]
        if cell.get("outputs") or cell.get("attachments"):
            found.append(f"cell {cell.id} has outputs or attachments")
    return found


def unknown_shapes(chapter: NotebookNode) -> Iterator[str]:
    """Where a chapter is not built as `without_answers` expects it."""
    headings = [*filter(is_heading, lines(prose(chapter)))]
    if EXERCISES not in headings or headings[headings.index(EXERCISES) + 1 :][:1] != [QUESTIONS]:
        yield f"expected the headings {EXERCISES!r} and then {QUESTIONS!r}, got {headings}"
    exercise, solved = "", True
    for cell in part(chapter, EXERCISES):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("### "):
                    if not solved:
                        yield f"{exercise!r} has no folded admonition with its answer"
                    exercise, solved = line, False
                solved |= line == ":class: dropdown"
        elif tags not in ([], [SOLUTION]):
            yield f"{exercise!r}: expected the tag {SOLUTION}, or none, got {tags}"
        elif not tags and solved:
            yield f"{exercise!r}: code after the answer needs the tag {SOLUTION}: {cell.source}"
    if not solved:
        yield f"{exercise!r} has no folded admonition with its answer"
    hidden = {*bodies(cell.source for cell in answers(chapter))}
    for body in hidden.intersection(bodies(given(chapter))):
        yield f"a function of a solution is given away:\n{body}"


def secrets(chapter: NotebookNode) -> set[str]:
    """Every line of the chapter that a class must not see."""
    secret, fence, teacher = [*lines(answers(chapter))], "", False
    for line in lines(prose(chapter)):
        teacher = line.startswith("## For the teacher") or (teacher and not is_heading(line))
        if line.startswith((":::{question}", "```{admonition}", ":::{admonition}")):
            fence, folded = line, False
        elif line in ("```", ":::"):
            fence = ""
        elif line == ":class: dropdown":
            folded = bool(fence)
        elif teacher or (fence and folded) or ("{question}" in fence and line.startswith("  ")):
            secret.append(line)
    return {line.strip() for line in secret if re.search(r"\w", line)}


def lines(cells: list[NotebookNode]) -> Iterator[str]:
    return (line for cell in cells for line in cell.source.splitlines())


def prose(chapter: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in chapter.cells if cell.cell_type == "markdown"]


def is_heading(line: str) -> bool:
    return line.startswith("## ")


def part(chapter: NotebookNode, heading: str) -> list[NotebookNode]:
    """The cells under a heading, and the one that begins with it."""
    found, here = [], ""
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            here = next(filter(is_heading, reversed(cell.source.splitlines())), here)
        if here == heading:
            found.append(cell)
    return found


def answers(chapter: NotebookNode) -> list[NotebookNode]:
    """The code cells that answer something."""
    code = [cell for cell in chapter.cells if cell.cell_type == "code"]
    exercises, questions = part(chapter, EXERCISES), part(chapter, QUESTIONS)
    hidden = [cell for cell in exercises if SOLUTION in cell.metadata.get("tags", ())]
    return [cell for cell in code if cell in hidden or cell in questions]


def given(chapter: NotebookNode) -> list[str]:
    """All other code, in cells and in the text."""
    hidden = answers(chapter)
    cells = [cell for cell in chapter.cells if cell.cell_type == "code" and cell not in hidden]
    printed = re.findall(
        r"^```python\n([^\0]*?)^```$", "\n".join(lines(prose(chapter))), re.MULTILINE
    )
    return [*(cell.source for cell in cells), *printed]


def bodies(sources: Iterable[str]) -> Iterator[str]:
    """What the functions in some code do, whatever their names."""
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                yield "\n".join(map(ast.unparse, node.body))


def write(out: Path, chapters: Path = NOTEBOOKS) -> list[Path]:
    """Write every chapter without its answers into the folder `out`; the files that it wrote.

    Raises ValueError, and writes nothing, if an answer is left in any of them.
    """
    made, faults = {}, []
    for path in sorted(chapters.glob("*.ipynb")):
        chapter = nbformat.read(path, as_version=4)
        made[out / path.name] = without_answers(chapter)
        left = answers_left(chapter, made[out / path.name])
        faults += [f"{path.name}: {what}" for what in left]
    if faults or not made:
        raise ValueError("\n".join(["nothing is written:", *(faults or ["no chapters"])]))
    out.mkdir(parents=True, exist_ok=True)
    for path, notebook in made.items():
        nbformat.write(notebook, path)
    return list(made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "class", metavar="FOLDER")
    folder = parser.parse_args().out
    try:
        print(f"{len(write(folder))} notebooks without answers in {folder}")
    except ValueError as error:
        parser.exit(1, f"{error}\n")
