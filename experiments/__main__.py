"""Runs all experiments, one after the other, each with the command line that this one was given."""

import subprocess
import sys

from . import ALL

failed = []
for name in ALL:
    command = [sys.executable, "-m", f"experiments.{name}", *sys.argv[1:]]
    try:
        done = subprocess.run(command, check=False)
    except KeyboardInterrupt:  # the experiment was interrupted with us, and has said so
        sys.exit(130)
    if done.returncode:
        failed.append(name)
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
