"""Constraint problems: declared, solved exactly or by a learned model, counted, generated and explained.

The names below are loaded when they are first used, so that declaring a problem does not import the network.
"""

from intarsia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_arrays": ("Arrays", "arrays"),
        "_board": ("draw_board", "format_board", "parse_board"),
        "_calibration": ("Calibration",),
        "_canonical": ("canonical", "held_out"),
        "_check": ("Check", "check", "conflicts"),
        "_constraint": ("AbstractConstraint",),
        "_denoiser": ("Belief", "FactorGraphDenoiser"),
        "_dimacs": ("format_dimacs", "parse_dimacs"),
        "_engines": ("AbstractEngine", "CpEngine", "SatEngine"),
        "_exact": ("Count", "count", "enumerate_solutions", "solve_exact"),
        "_factor_graph": ("FactorGraph",),
        "_files": ("SolutionFile", "read_countdown", "read_puzzles", "write_puzzles"),
        "_generate": ("Puzzles", "generate_sudoku"),
        "_ladder": ("Ladder",),
        "_lessons": ("Examples", "Mix", "Teacher"),
        "_lists": ("read_examples",),
        "_model": ("ReasoningModel",),
        "_problem": ("Problem",),
        "_propagate": ("Propagator",),
        "_proposer": ("Proposal", "Proposer"),
        "_solution": ("Solution", "Status"),
        "_solve": ("solve", "solve_all", "with_trace"),
        "_sudoku": ("search_boards", "singles"),
        "_trace": ("Step", "Trace"),
        "_training": ("Curriculum", "fit_denoiser"),
        "presets": (
            "addition",
            "cnf",
            "colouring",
            "countdown",
            "irregular",
            "killer",
            "latin",
            "nqueens",
            "path",
            "sudoku",
            "sudoku_x",
        ),
    },
)
