"""Finds a Chromium or Chrome for the tests, or installs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ON_THE_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
PLAYWRIGHT = (sys.executable, "-m", "playwright")
NONE_FOUND = """\
No browser was found and none could be installed. The tests of the pages need one:
install Chromium or Google Chrome (on Debian or Ubuntu: apt-get install chromium) and try again."""


def find() -> str | None:
    """The path of a browser that starts, or None; Playwright's own comes first."""
    if not run(*PLAYWRIGHT, "--version"):  # without its driver no browser is of use
        return None
    paths = [downloaded(), *map(shutil.which, ON_THE_PATH), *ELSEWHERE]
    return next((path for path in paths if path and starts(path)), None)


def downloaded() -> str:
    """Where Playwright puts its own Chromium, whether or not it is there."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(path: str) -> bool:
    """Whether there is a browser at `path` and all the libraries it needs are there too."""
    if not Path(path).exists():
        return False
    # Chrome on Windows opens a window when asked for its version.
    return os.name == "nt" or run(path, "--version")


def find_or_install() -> str:
    """The path of a browser, installed first if there is none. Exits with a message if it can't."""
    path = find()
    for attempt in attempts():
        if path:
            break
        run(*attempt)
        path = find()
    return path or sys.exit(NONE_FOUND)


def attempts() -> list[tuple[str, ...]]:
    """Commands that may bring a browser: Playwright's own download, then the system's package."""
    download = (*PLAYWRIGHT, "install", "chromium")
    if shutil.which("apt-get") is None:
        return [download]
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")
    install = (*as_root, "apt-get", "install", "--yes", "--no-install-recommends")
    return [
        download,
        (*as_root, "apt-get", "update"),
        (*install, "libatomic1"),  # Playwright's driver needs it, and a bare system has none
        (*install, "chromium"),
        (*download, "--with-deps"),  # where `chromium` is no real package, as on Ubuntu
    ]


def run(*command: str) -> bool:
    """Whether the command could be run and succeeded."""
    print("$", *command, flush=True)
    try:
        return subprocess.run(command, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    print(find_or_install())
