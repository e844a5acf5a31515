"""Problems of well-known kinds, ready to be solved."""

from ._addition import addition as addition
from ._cnf import cnf as cnf
from ._countdown import countdown as countdown
from ._countdown import expression as expression
from ._countdown import read_expression as read_expression
from ._graphs import colouring as colouring
from ._graphs import path as path
from ._queens import nqueens as nqueens
from ._sudoku import irregular as irregular
from ._sudoku import killer as killer
from ._sudoku import latin as latin
from ._sudoku import observe_board as observe_board
from ._sudoku import sudoku as sudoku
from ._sudoku import sudoku_x as sudoku_x
