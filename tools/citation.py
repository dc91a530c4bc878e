"""How to cite the book: all of it comes from CITATION.cff."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sphinx.application import Sphinx
from sphinx.config import Config


def read(folder: Path) -> dict[str, Any]:
    """What the file CITATION.cff in a folder says."""
    return yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))


def released(citation: dict[str, Any]) -> date:
    return date.fromisoformat(citation["date-released"])


def people(citation: dict[str, Any]) -> list[str]:
    """The authors, a group by its name and a person as `Family, Given`."""
    authors = citation["authors"]
    return [one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in authors]


def bibtex(citation: dict[str, Any]) -> str:
    """The entry for a bibliography.

    >>> print(bibtex({"title": "a_b", "authors": [{"name": "A group"}], "version": "1.0",
    ...               "date-released": "2026-11-22", "url": "https://book.example"}))
    @software{a_b,
      title   = {a\\_b},
      author  = {{A group}},
      year    = {2026},
      version = {1.0},
      url     = {https://book.example},
    }
    """
    group = (f"{{{one}}}" if ", " not in one else one for one in people(citation))
    fields = {
        "title": _escaped(citation["title"]),
        "author": _escaped(" and ".join(group)),
        "year": released(citation).year,
        "version": citation["version"],
    }
    if "url" in citation:
        fields["url"] = citation["url"]
    lines = (f"  {name:7} = {{{value}}},\n" for name, value in fields.items())
    return f"@software{{{citation['title'].partition(':')[0]},\n{''.join(lines)}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_").replace("&", r"\&")


def sentence(citation: dict[str, Any]) -> str:
    """The line for a list of references, or for a slide.

    >>> sentence({"title": "a_b", "authors": [{"name": "A group"}], "version": "1.0",
    ...           "date-released": "2026-11-22"})
    'A group (2026). a_b (version 1.0).'
    """
    where = f" {citation['url']}" if "url" in citation else ""
    who, year = "; ".join(people(citation)), released(citation).year
    return f"{who} ({year}). {citation['title']} (version {citation['version']}).{where}"


def tell(app: Sphinx, config: Config) -> None:
    """Pages may say {{ bibtex }} and {{ cite_as }}; their templates know the version and its date."""
    citation = read(Path(app.srcdir))
    day = released(citation)
    config.myst_substitutions |= {
        "bibtex": f"```bibtex\n{bibtex(citation)}\n```",
        "cite_as": f"> {sentence(citation)}",
    }
    config.html_context |= {
        "book_version": citation["version"],
        "book_date": day.isoformat(),
        "book_day": f"{day:%B} {day.day}, {day.year}",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this; the file lies beside _config.yml."""
    app.connect("config-inited", tell, priority=400)  # MyST reads its settings at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
