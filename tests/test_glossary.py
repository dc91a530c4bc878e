"""The glossary: one sentence a word, and the chapter where it first appears."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "book" / "glossary.md").read_text("utf-8")
FIRST = re.compile(r"First in \{doc\}`/notebooks/(\w+)`\.")
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")
# words so common that no chapter links them; they must stand in the chapter all the same
UNLINKED = {"cell", "norm", "ReLU"}


def entries() -> dict[str, list[str]]:
    """The lines below each word."""
    listed = re.search(r"^```\{glossary\}\n(.*?)\n```$", GLOSSARY, re.MULTILINE | re.DOTALL)
    parts = (entry.splitlines() for entry in listed[1].split("\n\n"))
    return {word: [line.strip() for line in lines] for word, *lines in parts}


def chapters() -> dict[str, str]:
    """The prose of each chapter, in the order of the book."""
    return {
        path.stem: "\n".join(
            cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"
        )
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    }


ENTRIES = entries()


def first_uses() -> dict[str, str]:
    """The first chapter that links each word."""
    found: dict[str, str] = {}
    for chapter, text in chapters().items():
        for word in TERM.findall(text):
            found.setdefault(" ".join(word.split()).lower(), chapter)
    return found


def is_one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"[^\s].*\.", text)) and not re.search(r"[.!?]\)? +[A-Z{]", text[:-1])


@pytest.mark.parametrize("word", ENTRIES)
def test_an_entry_is_a_sentence_and_a_link(word: str) -> None:
    assert len(ENTRIES[word]) == 2, f"{word}: expected a definition and a line 'First in ...'"
    definition, link = ENTRIES[word]
    assert is_one_sentence(definition), definition
    assert FIRST.fullmatch(link), link


def test_the_link_leads_to_the_first_use() -> None:
    first, texts = first_uses(), chapters()
    for word, (*_, link) in ENTRIES.items():
        chapter = FIRST.fullmatch(link)[1]
        if word in UNLINKED:
            assert word.lower() not in first and re.search(rf"\b{word}\b", texts[chapter]), word
        else:
            assert chapter == first.get(word.lower()), word


def test_words_stand_in_order_and_once() -> None:
    words = [word.lower() for word in ENTRIES]
    assert words == sorted(set(words))
    assert len(words) > 100


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("A number that training changes.", True),
        ("Half of it, e.g. this, `f(w h_{t-1} + b)` {cite}`elman1990`.", True),
        ("A number. It changes.", False),
        ("Is it a number? It is.", False),
        ("A number", False),
        ("See this. {term}`weight` too.", False),
    ],
)
def test_a_sentence_is_told_from_two(text: str, is_one: bool) -> None:
    assert is_one_sentence(text) == is_one
