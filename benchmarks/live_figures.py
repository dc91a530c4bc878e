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

# The slider is set and its event sent; the front end draws in the next frame. A message posted
# from that frame is delivered after the browser has painted it.
MOVES = """async ([name, moves]) => {
  const input = document.querySelector(`#${name} [data-control]`);
  const options = input.max ? +input.max + 1 : input.options.length;
  const took = [];
  for (let k = 0; k < moves; k++) {
    await new Promise((done) => setTimeout(done, 20 + 13 * (k % 3)));
    const start = performance.now();
    input.value = String((k * 7) % options);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(0);
    }));
    took.push(performance.now() - start);
  }
  return took;
}"""


def latency(page: Page, address: str, name: str, slower: int) -> list[float]:
    session = page.context.new_cdp_session(page)
    page.goto(address)
    page.locator(f"#{name}").scroll_into_view_if_needed()
    page.locator(f"#{name}[data-ready]").wait_for()
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    took = sorted(page.evaluate(MOVES, [name, 100]))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return took


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
                for slower in (1, 4):
                    took = latency(page, path.as_uri(), spec["name"], slower)
                    row += f"{statistics.median(took):>6.1f} ({took[94]:.1f})"
                print(row)
        chromium.close()


if __name__ == "__main__":
    main()
