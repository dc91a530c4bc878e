"""Finds the browsers for the tests, or installs them: Chromium or Chrome, Firefox, and WebKit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from glob import glob
from pathlib import Path

from playwright.sync_api import sync_playwright

ENGINES = ("chromium", "firefox", "webkit")
ON_THE_PATH = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "firefox": ("firefox-esr", "firefox"),
    "webkit": (),
}
ELSEWHERE = {
    "chromium": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
    "firefox": ("/Applications/Firefox.app/Contents/MacOS/firefox",),
    # WebKitGTK's small browser, which its driver steers; found only where the driver is, too
    "webkit": ("/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser"),
}
PACKAGES = {
    "chromium": ("libatomic1", "chromium"),  # Playwright's driver needs libatomic1
    "firefox": ("firefox-esr",),
    "webkit": ("webkit2gtk-driver", "xvfb"),  # it has no headless form: a screen that nobody sees
}
PLAYWRIGHT = (sys.executable, "-m", "playwright")
NONE_FOUND = """\
No {engine} was found and none could be installed. The PDF and the tests of the pages need it:
{advice} and try again."""
ADVICE = {
    "chromium": "install Chromium or Google Chrome (on Debian or Ubuntu: apt-get install chromium)",
    "firefox": "install Firefox (on Debian: apt-get install firefox-esr)",
    "webkit": "run python -m playwright install webkit (or on Debian: "
    "apt-get install webkit2gtk-driver xvfb)",
}


def find(engine: str = "chromium") -> str | None:
    """The path of a browser that starts, or None; Playwright's own comes first."""
    if not run(*PLAYWRIGHT, "--version"):  # without its driver no browser is of use
        return None
    system = [shutil.which(name) for name in ON_THE_PATH[engine]]
    if engine != "webkit" or shutil.which("WebKitWebDriver") and shutil.which("Xvfb"):
        system += [path for pattern in ELSEWHERE[engine] for path in glob(pattern)]
    return next((p for p in (downloaded(engine), *system) if p and starts(p, engine)), None)


def downloaded(engine: str) -> str:
    """Where Playwright puts its own browser, whether or not it is there."""
    with sync_playwright() as playwright:
        return getattr(playwright, engine).executable_path


def starts(path: str, engine: str) -> bool:
    """Whether there is a browser at `path` and all the libraries it needs are there too."""
    if not Path(path).exists():
        return False
    # Chrome on Windows opens a window when asked for its version, and MiniBrowser needs a screen.
    return os.name == "nt" or engine == "webkit" or run(path, "--version")


def find_or_install(engine: str = "chromium") -> str:
    """The path of a browser, installed first if there is none. Exits with a message if it can't."""
    path = find(engine)
    for attempt in attempts(engine):
        if path:
            break
        run(*attempt)
        path = find(engine)
    return path or sys.exit(NONE_FOUND.format(engine=engine, advice=ADVICE[engine]))


def attempts(engine: str) -> list[tuple[str, ...]]:
    """Commands that may bring a browser: Playwright's own download, then the system's package."""
    download = (*PLAYWRIGHT, "install", engine)
    if shutil.which("apt-get") is None:
        return [download]
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")
    install = (*as_root, "apt-get", "install", "--yes", "--no-install-recommends")
    return [
        download,
        (*as_root, "apt-get", "update"),
        *((*install, package) for package in PACKAGES[engine]),
        (*download, "--with-deps"),  # where the package is no real one, as on Ubuntu
    ]


def run(*command: str) -> bool:
    """Whether the command could be run and succeeded."""
    print("$", *command, flush=True)
    try:
        return subprocess.run(command, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    for engine in ENGINES:
        print(find_or_install(engine))
