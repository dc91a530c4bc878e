"""Shows in the built pages what a further command has added to the site; until then its links are hidden."""

from __future__ import annotations

from pathlib import Path

# book/_templates/offers.html writes their links; `make lite` and `make pdf` make them true
OFFERS = ("lite", "pdf")


def show(html: Path, offer: str) -> int:
    """Show an offer's links in all pages of the built book `html`; the number of pages that have one.

    Raises ValueError for an offer that no page makes.
    """
    if offer not in OFFERS:
        raise ValueError(f"offer: expected one of {', '.join(OFFERS)}, got {offer!r}")
    shown, hidden = f'data-offer="{offer}"', f'data-offer="{offer}" hidden'
    pages = 0
    for path in html.rglob("*.html"):
        page = path.read_text("utf-8")
        if hidden in page:
            page = page.replace(hidden, shown)
            path.write_text(page, "utf-8")
        pages += shown in page
    return pages
