"""What papers and projects report, in per cent; none was measured here, and protocols differ."""

from __future__ import annotations

SUDOKU = (
    ("MGDM-6M (arXiv 2410.14157)", "its own test", "100"),
    ("GPT-2 85M, LLaMA-13B (same)", "its own test", "20.7, 32.9"),
    ("RRN (Palm et al. 2018)", "17 clues, own split", "96.6"),
    ("top-margin masked diffusion, 6M (arXiv 2502.06768)", "Shah et al.'s Sudoku", "89.5 (random order 6.9)"),
    ("HRM, 27M (arXiv 2506.21734)", "Sudoku-Extreme", "55.0"),
    ("TRM, 5M (arXiv 2510.04871)", "Sudoku-Extreme", "87.4"),
    ("SE-RRM, 2M (arXiv 2603.02193)", "Sudoku-Extreme, 16 and 128 iterations", "93.7, 98.8; 4x4 zero-shot 95.5"),
    ("EqR, 5M (arXiv 2605.21488)", "Sudoku-Extreme, 128 restarts", "99.8"),
)
COUNTDOWN = (
    ("MGDM 6M", {"cd3": "98.1", "cd4": "52.0", "cd5": "27.0"}),
    ("MGDM 85M", {"cd3": "99.5", "cd4": "91.5", "cd5": "46.6"}),
    ("D3PM 85M, as MGDM reports it", {"cd3": "99.4", "cd4": "83.1", "cd5": "27.6"}),
    ("GPT-2 85M, as MGDM reports it", {"cd3": "95.9", "cd4": "45.8", "cd5": "5.1"}),
)
SAT = (("MGDM and an autoregressive model, 9 variables", "> 85, by exact match"),)
GRIDS = (
    ("GRAM, 10.9M (arXiv 2605.19376)", "99.05 valid in 16 steps"),
    ("DDSM", "100 in 800 steps; its checker never looks at boxes"),
)
