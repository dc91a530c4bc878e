"""Writes down what a page does that a reader's console or network tab would hold against it."""

from __future__ import annotations

from playwright.sync_api import Page, Request


def complaints(page: Page, address: str) -> list[str]:
    """A list that fills as the page loads and lives: errors, failed requests, other hosts.

    Call it before the page goes anywhere; `address` is where the book begins.
    """
    found: list[str] = []

    def heard(problem: bool, text: str) -> None:
        if problem:
            found.append(text)

    def is_foreign(url: str) -> bool:
        return not url.startswith((address, "data:", "blob:"))

    def failed(asked: Request) -> None:
        left = "ERR_ABORTED" in (asked.failure or "")  # the test went to another page meanwhile
        heard(not left, f"failed: {asked.url} {asked.failure}")

    # The theme's own chatter about light and dark is of type "log".
    page.on(
        "console", lambda said: heard(said.type in ("error", "warning"), f"console: {said.text}")
    )
    page.on("pageerror", lambda error: heard(True, f"uncaught: {error}"))
    page.on("request", lambda asked: heard(is_foreign(asked.url), f"foreign: {asked.url}"))
    page.on("requestfailed", failed)
    page.on("response", lambda got: heard(got.status >= 400, f"status {got.status}: {got.url}"))
    return found
