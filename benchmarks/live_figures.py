"""Measures the built book's live figures: states, bytes, and from the slider's input to the painted picture."""

from __future__ import annotations

import json
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools")]

from playwright.sync_api import Page, sync_playwright

import browser

HTML = ROOT / "_build" / "html"

# From the slider's event to the painted picture. The front end draws in the next frame, and a
# message posted from that frame is delivered after the browser has painted it. A browser hands out
# a pointer's moves at the start of a frame, so there is no frame to wait for, as there is for a key.
LISTEN = """(name) => {
  window.took = [];
  document.querySelector(`#${name} ${"%s"}`).addEventListener("input", () => {
    const start = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => took.push(performance.now() - start);
      channel.port2.postMessage(0);
    });
  }, true);
}"""
SLIDER = "input[type=range]"
MOVES = 100


def latency(page: Page, address: str, name: str, slower: int) -> list[float]:
    """Milliseconds of every new state while the first slider is dragged to and fro, from short to long."""
    session = page.context.new_cdp_session(page)
    page.goto(address)
    slider = page.locator(f"#{name} {SLIDER}").first
    slider.scroll_into_view_if_needed()
    page.locator(f"#{name}[data-ready]").wait_for()
    box = slider.bounding_box()
    page.evaluate(LISTEN.replace("%s", SLIDER), name)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    for k in range(1, MOVES + 1):
        page.mouse.move(box["x"] + 8 + (box["width"] - 16) * (k * 7 % 23) / 22, middle)
        page.wait_for_timeout(30)
    page.mouse.up()
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return sorted(page.evaluate("took"))


def main() -> None:
    path = browser.find_or_install()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if sys.platform == "linux" else []
        )
        page = chromium.new_page()
        print(
            f"{'figure':22}{'states':>7}{'KB gz':>7}   ms to paint, median (p95): full speed, 4 times slower"
        )
        for path in sorted(HTML.rglob("*.html")):
            for text in re.findall(r'class="live-spec">(.*?)</script>', path.read_text("utf-8")):
                spec = json.loads(text)
                states = 1
                for control in spec["controls"]:
                    states *= len(control["texts"])
                packed = re.search(
                    r'detail:"([^"]*)"', (path.parent / spec["src"]).read_text()
                ).group(1)
                row = f"{spec['name']:22}{states:>7}{len(packed) * 3 / 4 / 1000:>7.1f}   "
                page.goto(path.as_uri())
                for slower in (1, 4) if page.locator(f"#{spec['name']} {SLIDER}").count() else ():
                    took = latency(page, path.as_uri(), spec["name"], slower)
                    row += f"{statistics.median(took):>6.1f} ({took[int(0.95 * len(took))]:.1f})"
                print(row, flush=True)
        chromium.close()


if __name__ == "__main__":
    main()
