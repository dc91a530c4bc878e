"""Runs notebooks for the build, several at once, and keeps what they said for as long as it stands.

With ``nb_execution_mode = "cache"`` MyST-NB reads outputs from a jupyter-cache, whose own key is the
notebook's text alone. So the cache is made anew in each build, of results that were computed now or
still stand: the same code cells, the same packages, and every file that the kernel has read, modules
and data alike, the same as then. Prose is no part of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_client.kernelspec import NoSuchKernel
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from ..live import kept
from ..live.states import cores

MOST = 4  # kernels at once, for each holds a chapter's arrays in memory
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # the last digits may depend on them
WIDGET = "application/vnd.jupyter.widget-view+json"

_log = logging.getLogger(__name__)


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The pages to be read again because what they were made of has changed."""
    if app.config.nb_execution_mode != "cache":
        return []
    pages = _notebooks(app, env, env.found_docs - added - changed)
    return [page for page, notebook in pages.items() if not _standing(app, page, notebook)]


def execute(app: Sphinx, env: BuildEnvironment, docnames: Sequence[str]) -> None:
    """Hand MyST-NB the outputs of every notebook among the pages that it is about to read.

    Raises ExtensionError with the code and the traceback of each cell that failed.
    """
    if app.config.nb_execution_mode != "cache":
        return
    folder = _folder(app) / "handed-over"
    shutil.rmtree(folder, ignore_errors=True)
    env.mystnb_config = env.mystnb_config.copy(execution_cache_path=str(folder))
    pages = _notebooks(app, env, docnames)
    standing = {page: _standing(app, page, notebook) for page, notebook in pages.items()}
    missing = [page for page, outputs in standing.items() if not outputs]
    if missing:
        _log.info("executing %s", ", ".join(missing))
    with ThreadPoolExecutor(min(cores(), MOST)) as pool:
        failures = list(pool.map(lambda page: _run(app, page, pages[page]), missing))
    if any(failures):
        raise ExtensionError("\n".join(filter(None, failures)))
    cache = get_cache(str(folder))
    for page, notebook in pages.items():
        if outputs := standing[page]:
            notebook.metadata |= nbformat.from_dict(outputs["metadata"])
            for cell, made in zip(_code(notebook), outputs["cells"], strict=True):
                cell.update(nbformat.from_dict(made))
        cache.cache_notebook_bundle(
            CacheBundleIn(notebook, page), check_validity=False, overwrite=True
        )


def _notebooks(app: Sphinx, env: BuildEnvironment, pages: Sequence[str]) -> dict[str, NotebookNode]:
    """Those of the pages that have code to run."""
    found = {}
    for page in sorted(pages):
        path = Path(env.doc2path(page))
        apart = any(
            PurePosixPath(path.as_posix()).match(pattern)
            for pattern in env.mystnb_config.execution_excludepatterns
        )
        text = path.read_text("utf-8")
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader and not apart:
            notebook = reader.read(text)
            mode = notebook.metadata.get(env.mystnb_config.metadata_key, {}).get("execution_mode")
            if mode in (None, "cache"):
                found[page] = notebook
    return found


def _folder(app: Sphinx) -> Path:
    return Path(app.outdir).parent / "executed"


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _key(notebook: NotebookNode) -> str:
    code = [(cell.source, cell.metadata.get("tags", [])) for cell in _code(notebook)]
    return kept.key(code, notebook.metadata.get("kernelspec"), *map(os.environ.get, THREADS))


def _standing(app: Sphinx, page: str, notebook: NotebookNode) -> dict | None:
    return kept.load(_folder(app) / f"{page}.json", _key(notebook))


def _run(app: Sphinx, page: str, notebook: NotebookNode) -> str:
    """Run the notebook in its folder and keep what it said; the error's text, if a cell fails."""
    key, path = _key(notebook), Path(app.env.doc2path(page))
    reads = _folder(app) / "reads" / page
    shutil.rmtree(reads, ignore_errors=True)
    reads.mkdir(parents=True)
    client = NotebookClient(
        notebook,
        kernel_name=notebook.metadata.get("kernelspec", {}).get("name", "python3"),
        resources={"metadata": {"path": str(path.parent)}},
        timeout=app.config.nb_execution_timeout,
        record_timing=False,
    )
    try:
        client.execute(env={**os.environ, kept.READS: str(reads)})
    except (CellControlSignal, DeadKernelError, NoSuchKernel) as error:
        return f"{path}: {type(error).__name__}: {error}"
    shown = (output.get("data", {}) for c in _code(notebook) for output in c.outputs)
    if not any(WIDGET in data for data in shown):
        # a live figure is no widget on a page, and what it was in the kernel has names made by chance
        notebook.metadata.pop("widgets", None)
    lists = [kept.reads(file) for file in reads.glob("*.txt")]
    if lists and None not in lists:
        kept.save(
            _folder(app) / f"{page}.json",
            key,
            sorted({path for paths in lists for path in paths}),
            metadata=notebook.metadata,
            cells=[{k: c[k] for k in ("execution_count", "outputs")} for c in _code(notebook)],
        )
    else:
        _log.info("%s ran another program or asked another machine: it is run in each build", page)
    return ""
