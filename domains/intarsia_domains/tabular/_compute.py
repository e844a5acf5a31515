"""`pyarrow.compute` as type checkers cannot see it: its functions are made when it is imported."""

import importlib
from typing import Any

pc: Any = importlib.import_module("pyarrow.compute")
