"""The systems of the tabular benchmark, one runner each, and the small modules that drive them.

`run_<system>.py` are scripts: each runs in a process (and for the peers in a virtual environment) of its own and
reads a job file. Modules that begin with `_` are the harness and run in the project's own environment, except
`_job`, which the runners import and which needs pandas alone.
"""
