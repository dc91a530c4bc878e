"""What PyTorch, Keras and ONNX make of chapter 17's layers, for where they are not installed.

    python -m experiments.frameworks

writes src/rnn_teach/data/frameworks.npz; it needs all three.
"""

from pathlib import Path

import numpy as np

from rnn_teach.figures import frameworks, language

if __name__ == "__main__":
    rng = np.random.default_rng(4)
    data = language.names(rng)
    network = frameworks.train(data, rng=rng)
    cases = frameworks.small() | {"trained LSTM": (network.cell, data.measured.x[:, :2])}
    frameworks.store(cases, Path(str(frameworks.STORED)))
    print(frameworks.table(frameworks.compare(cases)))
