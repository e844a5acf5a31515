"""The cells of the benchmark of the engine: one module for each of its four parts, and what they are made of.

A part has `cells` (which there are, in waves of which one needs the one before), `run` (one cell, in its own process),
`page` (its section of the results) and `verdicts` (the project's targets that it measures).
"""
