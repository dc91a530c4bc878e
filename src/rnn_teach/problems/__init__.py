"""Sequences to learn from, each with its source and its trivial baseline; their door is `rnn_teach.tasks`.

A problem has D inputs and K outputs; `batch(N, rng=...)` draws N sequences; `options` says how `bptt`
and `fit` must ask about them; `baseline()` is the loss, under those options, that needs no learning.
"""
