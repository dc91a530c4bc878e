"""Lists the other hosts' pages that the book links to, and asks whether they are still there.

python tools/links.py [--list]. Sphinx has a builder for it, which reads the whole book again, does
not see links in HTML and names one page for each address; this one reads the pages as they are.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urldefrag

import requests
from bs4 import BeautifulSoup

from book import ROOT, build

LIST = ROOT / "_build" / "links.txt"
PATIENCE = 20  # seconds for one answer
AT_ONCE = 8
BROWSER = {"User-Agent": "Mozilla/5.0 (compatible; a book's link check)"}
# These hosts answer people and refuse programs; that says nothing of the page.
REFUSED = (401, 403, 405, 406, 418, 429, 999)


def external(html: Path) -> dict[str, list[str]]:
    """Every address at another host that the built pages link to, with its pages, both in order."""
    pages = defaultdict(set)
    for path in html.rglob("*.html"):
        name = path.relative_to(html).as_posix()
        if not name.startswith(("_static/", "lite/")):
            soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
            for link in soup.select("a[href^=http]"):
                pages[urldefrag(link["href"]).url].add(name)
    return {address: sorted(pages[address]) for address in sorted(pages)}


def fault(address: str, patience: float = PATIENCE) -> str:
    """What is wrong with an address, in words; empty if a reader gets there."""
    try:
        with requests.get(address, headers=BROWSER, timeout=patience, stream=True) as got:
            gone = got.status_code >= 400 and got.status_code not in REFUSED
            return f"{got.status_code} {got.reason}" if gone else ""
    except requests.Timeout:
        return f"no answer in {patience:g} s"
    except requests.RequestException as error:
        return f"{type(error).__name__}: {error}"


def faults(addresses: list[str], patience: float = PATIENCE) -> dict[str, str]:
    """The addresses that have a fault, and which."""
    with ThreadPoolExecutor(AT_ONCE) as askers:
        said = askers.map(lambda address: fault(address, patience), addresses)
        return {address: what for address, what in zip(addresses, said, strict=True) if what}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="ask nobody")
    arguments = parser.parse_args()
    pages = external(build())
    lines = [f"{address}  {', '.join(names)}" for address, names in pages.items()]
    LIST.write_text("\n".join((*lines, "")), "utf-8")
    if arguments.list:
        print(*lines, sep="\n")
        return
    found = faults([*pages])
    for address, what in found.items():
        print(f"{address}: {what}; on {', '.join(pages[address])}")
    print(f"{len(pages)} addresses ({LIST}), {len(found)} of them with a fault")
    parser.exit(bool(found))


if __name__ == "__main__":
    main()
