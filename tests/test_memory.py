"""What a pass has freed serves the next pass: the system need not clear it again."""

import platform
import subprocess
import sys

import pytest

PASSES = """
import resource
import numpy as np
import rnn_teach

cell = rnn_teach.{kind}(64, 64, rng=np.random.default_rng(0))
x, dh = np.ones(({T}, {N}, 64)), np.ones(({T}, {N}, 64))

def cleared(passes):
    for _ in range(passes):
        cell.backward(cell.forward(x), dh)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt  # pages that the system handed out

print(cleared(3), cleared(10))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about GNU's C library")
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize(("T", "N"), [(100, 1), (100, 32)])
def test_a_pass_finds_the_memory_of_the_one_before(kind, T, N):
    code = PASSES.format(kind=kind, T=T, N=N)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    warm, later = map(int, run.stdout.split())
    assert later - warm < 100  # ten passes; without the hint in cells/memory.py over 1,400
