"""Runs every notebook and stores its outputs in it, in one form that does not change by itself."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from book import ONE_THREAD, ROOT

NOTEBOOKS = ROOT / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Run the notebook in its own folder and write it back with its new outputs."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
        timeout=600,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    ).execute()
    nbformat.write(normalized(notebook), path)


def normalized(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what differs from machine to machine and from run to run."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        for output in cell.get("outputs", []):
            # A widget's view names a model that died with its kernel.
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


if __name__ == "__main__":
    os.environ |= ONE_THREAD
    for notebook_path in sorted(NOTEBOOKS.glob("*.ipynb")):
        print(notebook_path.name, flush=True)
        refresh(notebook_path)
