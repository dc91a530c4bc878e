"""What a reader does with the live figures of a page, in any of the three engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engines import Window

UNTIL = """(condition, selector, wanted) => new Promise((done, failed) => {
  const test = { ready: (element) => element.hasAttribute("data-ready"),
    says: (element) => element.textContent === wanted,
    named: (element) => element.getAttribute("aria-label") === wanted,
    at: (element) => +element.value === wanted,
    past: (element) => +element.value > wanted,
    there: () => true }[condition];
  let tries = 0;
  const ask = () => {
    const element = document.querySelector(selector);
    if (element && test(element)) done(element.textContent);
    else if (++tries > 1000) failed(new Error(`${selector}: ${condition} ${wanted}: ` +
      (element ? element.textContent.slice(0, 200) : "not there")));
    else setTimeout(ask, 20);
  };
  ask();
})"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"
VALUES = """(name) => Array.from(document.querySelectorAll(`#${name} [data-control]`),
  (input) => input.type === "checkbox" ? +input.checked : +input.value)"""


@dataclass
class Reader:
    """A reader of the pages that begin at ``address``."""

    window: Window
    address: str

    def open(self, page: str, *figures: str) -> None:
        """Go to a page and wait until these figures have their states."""
        self.window.open(self.address + page)
        for name in figures:
            self.window.run(
                """(name) => document.getElementById(name).scrollIntoView({ block: "center" })""",
                name,
            )
            self.until("ready", f"#{name}")

    def until(self, condition: str, selector: str, wanted: Any = None) -> str:
        """Wait until an element is as wanted; its text."""
        return self.window.run(UNTIL, condition, selector, wanted)

    def says(self, name: str, sentence: str) -> None:
        """Wait for the sentence of a figure."""
        self.until("says", f"#{name} .live-sentence", sentence)

    def values(self, name: str) -> list[int]:
        """The places of a figure's controls."""
        return self.window.run(VALUES, name)

    def settle(self) -> None:
        self.window.run(SETTLED)

    def focus(self, selector: str) -> None:
        self.window.run("(selector) => document.querySelector(selector).focus()", selector)

    def ask(self, selector: str, what: str) -> Any:
        """A property of the first element."""
        return self.window.run(
            "(selector, what) => document.querySelector(selector)[what]", selector, what
        )
