"""What the build tells its kernels, through their environment: compute all states, and keep what stands."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files
from pathlib import Path

from sphinx.application import Sphinx

from ..live import BUILD, kept


def tell(app: Sphinx) -> None:
    """Kernels started from now on compute every state of their figures and note what they read."""
    package = Path(str(files("rnn_teach")))
    made = Path(app.outdir).parent / "live"
    reads = made / "reads"
    shutil.rmtree(reads, ignore_errors=True)
    reads.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        BUILD: "static",
        kept.KEEP: str(made),
        kept.READS: str(reads),
        kept.ROOTS: os.pathsep.join((str(app.srcdir), str(package))),
        kept.STARTUP: str(package / "live" / "reads.py"),
    }
