"""Audits the built book as professionals do: Lighthouse's mobile preset and axe-core, every page, both themes."""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import shutil
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import book
import browser

LIGHTHOUSE = "12.8.2"  # the last for Node 18 and 20
OUT = book.ROOT / "_build" / "audit"
SCORES = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
LIMITS = {"KB": 350, "FCP s": 1.8, "LCP s": 2.5, "CLS": 0.02, "task ms": 50, "axe": 0}
MEASURES = {
    "FCP s": "first-contentful-paint",
    "LCP s": "largest-contentful-paint",
    "CLS": "cumulative-layout-shift",
    "TBT ms": "total-blocking-time",
}
NONE = 1e6  # where Lighthouse has no number the page did not load, and that is no pass
RUNS = 3  # one measurement alone is off by some points
SLOWER = 4  # how much slower than this machine Lighthouse takes a phone to be
# The preset's 4 is for a fast desktop. What Lighthouse's guide to throttling says of other machines, by the
# index that it measures before each page: https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
CALIBRATED = {150: 1, 800: 2, 1300: 3, 1533: SLOWER}
NO_NODE = """\
make audit runs Lighthouse, which needs Node 18.16 or newer and npm; no {missing} was found.
Install Node (https://nodejs.org or the system's packages) and try again. Nothing else here needs it."""
TEXT = (".html", ".js", ".css", ".svg", ".json", ".txt", ".xml")

# every stretch in which one of our own scripts kept the page from answering, and whose script
LONG = """
window.ours = [];
new PerformanceObserver((list) => {
  for (const frame of list.getEntries())
    for (const script of frame.scripts)
      if (!/_static\\/(?!live)/.test(script.sourceURL)) ours.push([script.duration, script.invoker]);
}).observe({ type: "long-animation-frame", buffered: true });
"""

# a page without the theme's scripts, such as 404, follows the system by itself
SHOWN = """document.documentElement.dataset.theme ??
  (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")"""


class Compressed(book.Pages):
    """Hands out the pages as hosts do: compressed, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        packed = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        return io.BytesIO(packed)


@contextmanager
def serving(html: Path) -> Iterator[str]:
    """The address of the built pages, compressed."""
    handler = partial(Compressed, directory=html)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def pages(html: Path) -> list[str]:
    """Every page of the book by its path without the ending; `index` only leads to the first."""
    apart = ("_static", "lite")
    paths = [path.relative_to(html) for path in sorted(html.rglob("*.html"))]
    found = [path.with_suffix("").as_posix() for path in paths if path.parts[0] not in apart]
    return [name for name in found if name != "index"]


def lighthouse() -> list[str]:
    """The command that runs Lighthouse, installed below the build the first time. Exits without Node."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            sys.exit(NO_NODE.format(missing=program))
    script = OUT / "node_modules" / "lighthouse" / "cli" / "index.js"
    package = script.parents[1] / "package.json"
    if not package.is_file() or json.loads(package.read_text("utf-8"))["version"] != LIGHTHOUSE:
        OUT.mkdir(parents=True, exist_ok=True)
        npm = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--no-save"]
        subprocess.run([*npm, "--prefix", OUT, f"lighthouse@{LIGHTHOUSE}"], check=True)
    return ["node", str(script)]


@contextmanager
def chromium(theme: str) -> Iterator[tuple[Browser, int]]:
    """A browser on a system of that theme, and the port where Lighthouse finds it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    scheme = {"dark": 0, "light": 1}[theme]  # Blink's own numbers
    args = [f"--remote-debugging-port={port}", f"--blink-settings=preferredColorScheme={scheme}"]
    args += ["--no-sandbox"] * (sys.platform == "linux")
    path = browser.find_or_install()  # it starts Playwright itself
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=args)
        yield opened, port
        opened.close()


def report(
    command: list[str], url: str, port: int, hidden: bool, slower: float = SLOWER
) -> dict[str, Any]:
    """What Lighthouse says of a page, on its mobile preset; one that hides from search may do so."""
    only = f"--only-categories={','.join(SCORES)}"
    skip = ["--skip-audits=is-crawlable"] * hidden
    told = subprocess.run(
        [*command, url, f"--port={port}", "--output=json", "--quiet", only, *skip]
        + [f"--throttling.cpuSlowdownMultiplier={slower:g}"],
        check=True,
        capture_output=True,
    )
    return json.loads(told.stdout)


def row(told: dict[str, Any]) -> dict[str, float]:
    """The numbers of a report that have limits."""
    scores = {name: round(100 * (told["categories"][name]["score"] or 0)) for name in SCORES}
    audits = told["audits"]
    found = {
        name: round(
            audits[audit].get("numericValue", NONE) / (1000 if name.endswith(" s") else 1), 3
        )
        for name, audit in MEASURES.items()
    }
    asked = audits["network-requests"]["details"]["items"]
    sent = sum(one["transferSize"] for one in asked if "_static/live/" not in one["url"])
    slower = told["configSettings"]["throttling"]["cpuSlowdownMultiplier"]
    return {**scores, **found, "KB": round(sent / 1000, 1), "CPU /": slower}


def calibrated(told: dict[str, Any]) -> float:
    """How much slower than this machine a phone is, by the index that Lighthouse has measured; 4 at most."""
    index = told["environment"]["benchmarkIndex"]
    return round(float(np.interp(index, list(CALIBRATED), list(CALIBRATED.values()))), 2)


def causes(told: dict[str, Any]) -> list[str]:
    """The audits that cost a page points where it should have them all."""
    return [
        f"{name}: {told['audits'][part['id']]['title']} ({part['id']})"
        for name, limit in SCORES.items()
        for part in told["categories"][name]["auditRefs"]
        if limit == 100 and part["weight"] and told["audits"][part["id"]]["score"] not in (1, None)
    ]


def visit(opened: Browser, url: str, theme: str, slower: float) -> tuple[float, list[str]]:
    """The longest task of our own scripts, on a phone so much slower, and what axe has against the page."""
    context = opened.new_context(color_scheme="null", viewport={"width": 412, "height": 823})
    page = context.new_page()
    page.add_init_script(LONG)
    phone = context.new_cdp_session(page)
    phone.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(url, wait_until="networkidle")
    if page.evaluate(SHOWN) != theme:
        raise RuntimeError(f"{url} is not {theme}: the theme has changed how it finds out")
    move(page)
    longest = max((took for took, _ in page.evaluate("ours")), default=0.0)
    phone.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    context.close()
    return longest, [
        f"axe: {violation['id']}: {node['target']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def move(page: Page) -> None:
    """Read a page as somebody would: to its end, then every figure's first control."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for figure in page.locator("figure.live").all():
        figure.scroll_into_view_if_needed()
        slider = figure.locator("[data-control]").first
        if slider.get_attribute("type") == "range":
            slider.press("End")
            slider.press("Home")
    page.wait_for_timeout(300)


def failures(found: dict[str, float]) -> list[str]:
    """The measures of a page that are below or above what is allowed."""
    low = [
        f"{name} {found[name]} < {limit}" for name, limit in SCORES.items() if found[name] < limit
    ]
    return low + [
        f"{name} {found[name]} > {limit}" for name, limit in LIMITS.items() if found[name] > limit
    ]


def tried(
    command: list[str],
    opened: Browser,
    port: int,
    url: str,
    theme: str,
    hidden: bool,
    slower: float,
) -> tuple[tuple[dict, list[str]], float]:
    """One try of a page: its row and what is wrong with it; and how much slower a phone is, by this try."""
    told = report(command, url, port, hidden, slower)
    longest, against = visit(opened, url, theme, slower)
    found = row(told) | {"task ms": round(longest), "axe": len(against)}
    return (found, causes(told) + against), calibrated(told)


def audit(
    command: list[str], opened: Browser, port: int, url: str, theme: str, hidden: bool
) -> tuple[dict, list[str]]:
    """A page's row and what is wrong with it: by the preset; if that fails, medians of three for this machine."""
    found, slower = tried(command, opened, port, url, theme, hidden, SLOWER)
    if not failures(found[0]):
        return found
    tries = []
    while len(tries) < RUNS:
        found, slower = tried(command, opened, port, url, theme, hidden, slower)
        tries.append(found)
    rows, wrong = zip(*tries, strict=True)
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return middle, list(dict.fromkeys(chain(*wrong)))


def keep(rows: list[dict[str, Any]]) -> None:
    """Write the table down."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "audit.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"\nThe table is in {OUT / 'audit.csv'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", nargs="+", help="some pages only, such as notebooks/05_bptt")
    parser.add_argument("--themes", nargs="+", choices=["light", "dark"], default=["light", "dark"])
    arguments = parser.parse_args()
    command = lighthouse()
    html = book.build()
    known = pages(html)
    chosen = arguments.pages or known
    if unknown := sorted({*chosen} - {*known}):
        sys.exit(f"--pages: there is no page {unknown[0]!r}; the pages are {', '.join(known)}")
    columns = [*SCORES, *MEASURES, "KB", "CPU /", "task ms", "axe"]
    rows, wrong = [], []
    print(f"{'page':28}{'theme':>6}" + "".join(f"{name[:11]:>12}" for name in columns))
    with serving(html) as address:
        for theme in arguments.themes:
            with chromium(theme) as (opened, port):
                for name in chosen:
                    hidden = 'content="noindex' in (html / f"{name}.html").read_text("utf-8")
                    found, why = audit(
                        command, opened, port, f"{address}{name}.html", theme, hidden
                    )
                    values = "".join(f"{found[column]:>12g}" for column in columns)
                    print(f"{name:28}{theme:>6}{values}", flush=True)
                    rows.append({"page": name, "theme": theme, **found})
                    if failing := failures(found):
                        wrong.append(
                            "\n    ".join([f"{name}, {theme}: " + ", ".join(failing), *why])
                        )
    keep(rows)
    if wrong:
        sys.exit("Below what is asked:\n" + "\n".join(wrong))
    print(f"{len(rows)} audits, and all of them pass.")


if __name__ == "__main__":
    main()
