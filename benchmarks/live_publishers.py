"""The same figure as others publish it: compressed size, requests, and from a move to the painted picture.

Run `make bench-live`. It writes book/live.csv, which the chapter on the figures shows.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "benchmarks")]

import matplotlib.pyplot as plt
import publishers
from playwright.sync_api import Browser, sync_playwright

import browser
from rnn_teach.live import BUILD, Control, html, interact

MOVES, SLOWER = 30, 4
TABLE = ROOT / "book" / "live.csv"
# The state is set as each library's own slider sets it.
SET = {
    "live": """(k) => { const inputs = document.querySelectorAll("#waves [data-control]");
      inputs[0].value = k % 16; inputs[0].dispatchEvent(new Event("input", { bubbles: true })); }""",
    "plotly": """(k) => { const plot = document.querySelector(".js-plotly-plot");
      Plotly.animate(plot, [plot._transitionData._frames[(k % 16) * 3].name], { mode: "immediate",
        frame: { duration: 0 }, transition: { duration: 0 } }); }""",
    "bokeh": """(k) => { const sliders = Bokeh.documents.flatMap((held) =>
      [...held._all_models.values()].filter((model) => /Slider/.test(model.type)));
      sliders[0].value = k % 16; }""",
}
SET |= {"panel": SET["bokeh"], "holoviews": SET["bokeh"]}
# Painted is the frame after the last change to an element or stroke on a canvas within 250 ms.
# What our figure says in words comes later on purpose, and is no picture.
TIMES = """async ([set, moves]) => {
  const move = eval(set);
  let last = 0;
  const changed = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { last = performance.now(); };
    channel.port2.postMessage(0);
  });
  const words = ".live-sentence, .live-said, .live-controls, .live-mark";
  const watch = new MutationObserver((all) => {
    const picture = ({ target }) => !(target.closest ? target : target.parentElement)?.closest(words);
    if (all.some(picture)) changed();
  });
  const visit = (root) => {
    watch.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) visit(element.shadowRoot);
  };
  visit(document);
  const stroke = CanvasRenderingContext2D.prototype.stroke;
  CanvasRenderingContext2D.prototype.stroke = function (...path) { changed(); return stroke.apply(this, path); };
  const took = [];
  for (let k = 0; k < moves; k++) {
    const start = performance.now();
    last = 0;
    move((k * 7) % 16);
    await new Promise((done) => setTimeout(done, 250));
    took.push(last ? last - start : null);
  }
  return took.filter((time) => time !== null);
}"""


def live(page: Path) -> float:
    """The page with this package's figure; the seconds that its states took."""
    os.environ[BUILD] = "static"
    fig, ax = plt.subplots(figsize=(5, 2.4))
    ax.set(xlim=(0, 10), ylim=(-2, 2))
    lines = [ax.plot(publishers.T, publishers.T)[0] for _ in range(publishers.LINES)]
    start = time.perf_counter()

    @interact(
        fig,
        name="waves",
        gain=Control(publishers.GAINS, kind="slider"),
        shift=Control(publishers.SHIFTS, kind="slider"),
    )
    def update(gain: float = 1.0, shift: int = 0) -> str:
        for k, line in enumerate(lines):
            line.set_ydata(publishers.wave(gain, shift, k))
        return f"Gain {gain}, shift {shift}."

    took = time.perf_counter() - start
    page.write_text(
        f"<!doctype html><meta charset=utf-8><style>{html.style(page=True)}</style>{update._html}"
        f"<script type=module>{html.front_end(page=True)}</script>",
        encoding="utf-8",
    )
    return took


def measure(chromium: Browser, path: Path, name: str, slower: int) -> tuple[list[float], int]:
    """Milliseconds of each move, sorted, and how often the page asked other hosts."""
    page = chromium.new_page()
    foreign: list[str] = []
    page.on("request", lambda asked: asked.url.startswith("http") and foreign.append(asked.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(3000)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    took = page.evaluate(TIMES, [SET[name], MOVES])
    page.close()
    return sorted(took[1:]), len(foreign)


def main() -> None:
    python, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    subprocess.run([python, Path(__file__).with_name("publishers.py"), folder], check=True)
    (folder / "live.txt").write_text(f"{live(folder / 'live.html'):.2f}")
    pins = dict(line.split("==") for line in Path(__file__).with_name("publishers.txt").read_text().split())  # fmt: skip
    texts = {
        "live": "this book",
        "panel": f"Panel {pins['panel']}, `embed`, matplotlib",
        "holoviews": f"HoloViews {pins['holoviews']}, `HoloMap`, Bokeh",
        "plotly": f"Plotly {pins['plotly']}, frames",
        "bokeh": f"Bokeh {pins['bokeh']}, a callback in JavaScript",
    }
    load = os.getloadavg()[0]
    today = datetime.datetime.now(datetime.UTC).date()
    states = len(publishers.GAINS) * len(publishers.SHIFTS)
    head = [
        f"{today}, {os.cpu_count()} cores, load {load:.0f}",
        "states",
        "page, KB compressed",
        "built in, s",
        "requests to other hosts",
        "works from a disk",
        "ms to paint, median (95 %)",
        f"the same, {SLOWER} times slower",
    ]
    rows = []
    program = browser.find_or_install()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"] if sys.platform == "linux" else [],
        )
        for name, text in texts.items():
            path = folder / f"{name}.html"
            row = [
                text,
                states,
                f"{len(gzip.compress(path.read_bytes(), 9)) / 1000:,.0f}",
                (folder / f"{name}.txt").read_text(),
            ]
            cells, foreign = [], 0
            for slower in (1, SLOWER):
                took, foreign = measure(chromium, path, name, slower)
                middle, late = (
                    (statistics.median(took), took[int(0.95 * len(took))]) if took else (0, 0)
                )
                cells.append(f"{middle:.0f} ({late:.0f})" if took else "does not move")
            rows.append([*row, foreign, "no" if "not" in cells[0] else "yes", *cells])
            print(rows[-1], flush=True)
        chromium.close()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main()
