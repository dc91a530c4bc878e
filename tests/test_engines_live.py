"""The tiny book's figures in Chromium, Firefox and WebKit: address, links, play, groups, numbers."""

from __future__ import annotations

import pytest
from engines import Window
from reader import Reader

CURRENT = """() => document.querySelector("a.live-set").getAttribute("aria-current")"""


@pytest.fixture
def reader(window: Window, tiny_address: str) -> Reader:
    window.resize(1280, 800)
    return Reader(window, tiny_address)


def test_an_address_opens_a_state(reader: Reader) -> None:
    reader.open("first.html#wave?gain=1.7&shape=cosine")
    reader.until("ready", "#wave")
    reader.says("wave", "A cosine with gain 1.7 rises to 1.70.")
    assert reader.values("wave") == [12, 1]
    assert reader.ask("#wave .live-note", "textContent") == ""
    assert reader.window.run(
        """() => { const { top } = document.querySelector("#wave").getBoundingClientRect();
        return top >= 0 && top < innerHeight; }"""
    )


def test_an_address_that_asks_too_much_is_told(reader: Reader) -> None:
    reader.open("first.html#wave?gain=9")
    reader.until("ready", "#wave")
    note = "The address asks for gain=9; the figure goes from 0.5 to 2.0."
    reader.until("says", "#wave .live-note", note)
    reader.says("wave", "A sine with gain 2.0 rises to 2.00.")


def test_a_sentence_sets_its_figure(reader: Reader) -> None:
    reader.open("first.html", "wave")
    assert reader.values("wave") == [5, 0]
    reader.focus("a.live-set")
    reader.window.press("Enter")
    reader.says("wave", "A sine with gain 1.5 rises to 1.50.")
    assert reader.values("wave") == [10, 0]
    assert reader.window.run(CURRENT) == "true"
    reader.focus("#wave input")
    reader.window.press("ArrowRight")
    reader.says("wave", "A sine with gain 1.6 rises to 1.60.")
    assert reader.window.run(CURRENT) is None


def test_the_keyboard_plays_pauses_and_steps(reader: Reader) -> None:
    reader.open("first.html", "wave")
    reader.focus("#wave .live-play")
    reader.window.press("k")
    reader.until("named", "#wave .live-play", "Pause gain")
    reader.until("past", "#wave input", 6)
    reader.window.press("k")
    reader.until("named", "#wave .live-play", "Play gain")
    there = reader.values("wave")[0]
    for _ in range(3):
        reader.settle()
    assert reader.values("wave")[0] == there
    reader.focus("#wave .live-back")
    reader.window.press("Enter")
    reader.until("at", "#wave input", there - 1)
    reader.focus("#wave .live-next")
    reader.window.press("Space")
    reader.until("at", "#wave input", there)


def test_figures_of_a_group_move_together(reader: Reader) -> None:
    reader.open("more.html", "whole", "half")
    reader.focus("#whole input")
    reader.window.press("Home")
    reader.says("whole", "From 1.0 to 0.0000 in 20 steps.")
    reader.says("half", "From 0.5 to 0.0000 in 20 steps.")
    reader.focus("#half input")
    reader.window.press("ArrowRight")
    reader.says("whole", "From 1.0 to 0.0011 in 20 steps.")
    assert reader.values("whole") == reader.values("half") == [1]


def test_a_letter_is_a_control(reader: Reader) -> None:
    reader.open("more.html", "letters")
    reader.focus("#letters .live-mark")
    reader.window.press("ArrowRight")
    reader.says("letters", "Letter 2 is e.")
    assert reader.values("letters") == [1]
    box = """() => { const { x, y, width, height } =
      document.querySelector('[id="letters-at-at-4"]').getBoundingClientRect();
      return [x + width / 2, y + height / 2]; }"""
    x, y = reader.window.run(box)
    reader.window.drag((x, y))
    reader.says("letters", "Letter 5 is r.")


def test_the_numbers_are_a_table(reader: Reader) -> None:
    reader.open("more.html", "whole")
    reader.focus("#whole .live-show")
    reader.window.press("Enter")
    reader.until("there", "#whole table")
    rows = """() => Array.from(document.querySelectorAll("#whole tr"), (row) =>
      Array.from(row.cells, (cell) => `${cell.scope}:${cell.textContent}`))"""
    head, first, second, *_, last = reader.window.run(rows)
    assert head == ["col:step", "col:left"]
    assert (first, second) == (["row:1", ":1"], ["row:2", ":0.9"])
    assert last[0] == "row:20"
    assert reader.ask("#whole .live-panel", "hidden") is False
    reader.focus("#whole input")
    reader.window.press("Home")
    reader.until("says", "#whole tbody tr:nth-child(2) td", "0.5")
