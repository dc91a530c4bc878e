"""The same figure in JupyterLab, ours beside plain ipywidgets.interact: from the key to the painted picture.

Run by `make bench-live`, after live_publishers.py, to whose book/live.csv it adds two rows.
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "benchmarks")]

import ipywidgets
from live_publishers import SLOWER, TABLE
from playwright.sync_api import Page, sync_playwright

import browser
import lab

MOVES = 40
BEGIN = f"""
import sys
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
import matplotlib.pyplot as plt
import publishers
"""
OURS = """
from rnn_teach.live import Control, interact

fig, ax = plt.subplots(figsize=(5, 2.4))
ax.set(xlim=(0, 10), ylim=(-2, 2))
lines = [ax.plot(publishers.T, publishers.T)[0] for _ in range(publishers.LINES)]

@interact(fig, name="waves", gain=Control(publishers.GAINS, kind="slider"), shift=publishers.SHIFTS)
def update(gain=1.0, shift=0):
    for k, line in enumerate(lines):
        line.set_ydata(publishers.wave(gain, shift, k))
    return f"Gain {gain}, shift {shift}."

update
"""
THEIRS = """
import ipywidgets

def draw(gain, shift):
    fig, ax = plt.subplots(figsize=(5, 2.4))
    ax.set(xlim=(0, 10), ylim=(-2, 2))
    for k in range(publishers.LINES):
        ax.plot(publishers.T, publishers.wave(gain, shift, k))
    plt.show()

gain = ipywidgets.SelectionSlider(options=publishers.GAINS, value=1.0)
ipywidgets.interact(draw, gain=gain, shift=publishers.SHIFTS);
"""
ROWS = {  # what it is called: its notebook, what takes the key, what the picture is in
    "this book, in JupyterLab": (OURS, "figure.live input[type=range]", ".live-picture"),
    f"ipywidgets {ipywidgets.__version__}, `interact`, in JupyterLab": (
        THEIRS,
        ".widget-slider .noUi-handle",
        ".jp-OutputArea-output .jp-OutputArea",
    ),
}
# A picture is new when its elements, or an image's bytes, have changed; the frame after that is painted.
WATCH = """(picture) => {
  window.took = [];
  let start = 0, last = 0;
  addEventListener("keydown", () => { start = performance.now(); last = 0; }, true);
  const painted = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { last = performance.now() - start; };
    channel.port2.postMessage(0);
  });
  const drawn = (node) => node.nodeName === "IMG" || node.querySelector?.("img") || node.closest?.("svg");
  new MutationObserver((all) => {
    if (all.some((change) => [change.target, ...change.addedNodes].some(drawn))) painted();
  }).observe(document.querySelector(picture), {
    subtree: true, childList: true, attributes: true, characterData: true });
  window.stop = () => { if (last) took.push(last); };
}"""


def measure(page: Page, slider: str, picture: str, slower: int) -> str:
    """Milliseconds from a key to the painted picture: the median and, of a hundred, the 95th."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.evaluate(WATCH, picture)
    page.locator(slider).first.focus()
    for k in range(MOVES):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(400 if slower == 1 else 800)
        page.evaluate("stop()")
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    took = sorted(page.evaluate("took"))[: MOVES - 1]
    if len(took) < MOVES // 2:
        raise SystemExit(f"{slider}: {len(took)} of {MOVES} keys moved the picture")
    return f"{statistics.median(took):.0f} ({took[int(0.95 * len(took))]:.0f})"


def main() -> None:
    program = browser.find_or_install()
    with TABLE.open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    rows = [row for row in rows if "JupyterLab" not in row[0]]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        for k, (code, *_) in enumerate(ROWS.values()):
            lab.write_notebook(folder / f"row{k}.ipynb", BEGIN + code)
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.name == "posix" else []
        )
        with lab.serving(folder) as address:
            for k, (text, (_, slider, picture)) in enumerate(ROWS.items()):
                page = chromium.new_page()
                lab.run(page, address, f"row{k}")
                page.locator(slider).first.wait_for(timeout=60_000)
                page.wait_for_timeout(2000)
                cells = [measure(page, slider, picture, slower) for slower in (1, SLOWER)]
                rows.append([text, "48", "", "", "a kernel", "", *cells])
                print(rows[-1], flush=True)
                page.close()
        chromium.close()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main()
