"""Opens chapters elsewhere, on Colab, Binder and a JupyterHub: their buttons, and the notebooks for Colab.

All of it only where `repository.url` in _config.yml says where the book can be had.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import nbformat
from sphinx.application import Sphinx
from sphinx.config import Config

import plain

PUBLISHED = "gh-pages"  # the branch with the built pages: .github/workflows/book.yml writes it
# asks for the address of the reader's own hub and makes the link; there is no hub that all have
ANY_HUB = "https://nbgitpuller.readthedocs.io/en/latest/link.html"
SET_UP = """\
# Colab does not bring the book's package; the last two lines let it show the live figures.
%pip install --quiet "rnn_teach[figures] @ git+{repository}@{branch}"
from google.colab import output
output.enable_custom_widget_manager()"""


def places(repository: str, branch: str, launch: dict[str, str], chapter: str) -> dict[str, str]:
    """The addresses at which others run a chapter, by name.

    `launch` has the addresses of the services as Jupyter Book names them; one that is empty has
    no place. Colab reads from GitHub alone.

    >>> places("https://github.com/someone/book", "main",
    ...        {"binderhub_url": "https://mybinder.org"}, "06_vanishing")
    {'Binder': 'https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/notebooks/06_vanishing.ipynb'}
    """
    host, path = urlsplit(repository).netloc, urlsplit(repository).path.strip("/")
    name, file = path.rpartition("/")[2], f"notebooks/{chapter}.ipynb"
    source = {
        "github.com": f"gh/{path}",
        "gitlab.com": f"gl/{quote(path, safe='')}",
    }.get(host, f"git/{quote(repository, safe='')}")
    pulled = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{name}/{file}"}
    colab, binder, hub = (
        launch.get(f"{service}_url", "").rstrip("/")
        for service in ("colab", "binderhub", "jupyterhub")
    )
    found = {}
    if colab and host == "github.com":
        found["Colab"] = f"{colab}/github/{path}/blob/{PUBLISHED}/colab/{chapter}.ipynb"
    if binder:
        found["Binder"] = f"{binder}/v2/{source}/{branch}?urlpath=lab/tree/{file}"
    if hub:
        at = hub if hub == ANY_HUB else f"{hub}/hub/user-redirect/git-pull"
        found["JupyterHub"] = f"{at}?{urlencode(pulled, safe='/')}"
    return found


def settings(app: Sphinx, config: Config) -> None:
    """Take the services' addresses away from the theme, whose buttons know nothing of Colab's copies."""
    config.book_launch = config.html_theme_options.pop("launch_buttons", None) or {}


def add_buttons(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """The buttons go to the pages that are notebooks, in one menu."""
    if not (repository := _repository(app)) or context.get("page_source_suffix") != ".ipynb":
        return
    found = places(repository, _branch(app), app.config.book_launch, page.rpartition("/")[2])
    buttons = [
        {
            "type": "link",
            "url": address,
            "text": name,
            "tooltip": f"Open this chapter on {name}",
            "label": f"launch-{name.lower()}",
        }
        for name, address in found.items()
    ]
    if buttons:
        menu = {
            "type": "group",
            "buttons": buttons,
            "icon": "fas fa-rocket",
            "tooltip": "Open this chapter elsewhere",
            "label": "launch-buttons",
        }
        context["header_buttons"].insert(0, menu)


def write_copies(app: Sphinx, error: Exception | None) -> None:
    """Write every chapter once more, into the folder `colab`, with a first cell that Colab needs."""
    repository = _repository(app)
    if error or not repository or app.builder.format != "html":
        return
    folder = Path(app.outdir, "colab")
    folder.mkdir(exist_ok=True)
    for page in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(page))
        if path.suffix == ".ipynb":
            nbformat.write(for_colab(path, repository, _branch(app)), folder / path.name)


def for_colab(path: Path, repository: str, branch: str) -> nbformat.NotebookNode:
    """The notebook at `path` in plain Markdown, below a cell that installs the package."""
    notebook = plain.chapter(path)
    source = SET_UP.format(repository=repository, branch=branch)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source, id="colab-set-up"))
    return notebook


def _repository(app: Sphinx) -> str:
    return app.config.html_theme_options.get("repository_url", "").rstrip("/").removesuffix(".git")


def _branch(app: Sphinx) -> str:
    return app.config.html_theme_options.get("repository_branch") or "main"


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this: nothing is made where the repository has no address."""
    app.add_config_value("book_launch", {}, "")
    app.connect("config-inited", settings)
    app.connect("html-page-context", add_buttons, priority=502)  # the theme makes its own at 501
    app.connect("build-finished", write_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
