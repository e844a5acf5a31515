"""The search for the first grid in reading order among all symmetric ones."""

import numpy as np

from intarsia._compiled import compiled


@compiled("reasoning")
def _lowest(grid, columns, first, best):
    """Lower `best` (81,) if the grid with this first row and this order of columns comes before it.

    Args:
        grid: (9, 9).
        columns: (9,).
        first: the row that comes first.
        best: the lowest so far; its first entry is 0 while there is none.
    """
    name = np.empty(10, np.int64)
    for j in range(9):
        name[grid[first, columns[j]]] = j + 1
    band = first // 3
    lead = columns[0]
    rows = np.empty(9, np.int64)
    rows[0] = first
    a, b = 3 * band + (first + 1) % 3, 3 * band + (first + 2) % 3
    if name[grid[a, lead]] > name[grid[b, lead]]:
        a, b = b, a
    rows[1], rows[2] = a, b
    lower = best[0] == 0
    for i in range(1, 3):
        for j in range(9):
            value = name[grid[rows[i], columns[j]]]
            if not lower:
                if value > best[9 * i + j]:
                    return
                lower = value < best[9 * i + j]
            if lower:
                best[9 * i + j] = value
    _sort_rest(grid, name, lead, band, rows)
    for i in range(3, 9):
        for j in range(9):
            value = name[grid[rows[i], columns[j]]]
            if not lower:
                if value > best[9 * i + j]:
                    return
                lower = value < best[9 * i + j]
            if lower:
                best[9 * i + j] = value
    for j in range(9):
        best[j] = j + 1


@compiled("reasoning")
def _sort_rest(grid, name, lead, band, rows):
    """Rows of the other bands by their first cells, and the band with the lower first cell first."""
    at = 3
    for other in range(3):
        if other == band:
            continue
        for i in range(3):
            rows[at + i] = 3 * other + i
        for i in range(1, 3):
            k = i
            while k and name[grid[rows[at + k], lead]] < name[grid[rows[at + k - 1], lead]]:
                rows[at + k], rows[at + k - 1] = rows[at + k - 1], rows[at + k]
                k -= 1
        at += 3
    if name[grid[rows[3], lead]] > name[grid[rows[6], lead]]:
        for i in range(3):
            rows[3 + i], rows[6 + i] = rows[6 + i], rows[3 + i]


@compiled("reasoning")
def _candidates(grid, first, second, stack, orders, found):
    """Orders of columns, (36, 9), among which the lowest form with these first two rows and first stack is.

    Of the three digits that `second` has in the first stack, at least two stand in `first` in one of the other stacks,
    which comes next: the second row then begins 456, or else 457, and no form begins lower.

    Returns:
        How many orders were written.
    """
    at = np.empty(10, np.int64)
    for c in range(9):
        at[grid[first, c]] = c
    one, two = (stack + 1) % 3, (stack + 2) % 3
    shared = 0
    for c in range(3 * stack, 3 * stack + 3):
        shared += at[grid[second, c]] // 3 == one
    if shared < 2:
        one, two = two, one
    count = 0
    for p in range(6):
        ok = True
        found[count, 6] = -1
        for j in range(3):
            c = 3 * stack + orders[p, j]
            target = at[grid[second, c]]
            found[count, j] = c
            if target // 3 == one:
                found[count, 3 + j] = target
            elif j == 2:
                found[count, 5] = 9 * one + 3 - found[count, 3] - found[count, 4]
                found[count, 6] = target
            else:
                ok = False
        if ok:
            count = _last_stack(found, count, two, orders)
    return count


@compiled("reasoning")
def _last_stack(found, count, last, orders):
    """Complete `found[count]` by every order of the last stack that agrees with it; the new count."""
    begun, seventh = count, found[count, 6]
    for q in range(6):
        if seventh >= 0 and seventh != 3 * last + orders[q, 0]:
            continue
        for j in range(6):
            found[count, j] = found[begun, j]
        for j in range(3):
            found[count, 6 + j] = 3 * last + orders[q, j]
        count += 1
    return count


@compiled("reasoning")
def canonical_many(grids, orders):
    """Canonical forms of grids (batch, 81); `orders` are those of three things, (6, 3)."""
    forms = np.zeros((grids.shape[0], 81), np.int64)
    found = np.empty((37, 9), np.int64)
    grid = np.empty((9, 9), np.int64)
    for b in range(grids.shape[0]):
        for turn in range(2):
            for i in range(9):
                for j in range(9):
                    grid[i, j] = grids[b, 9 * j + i] if turn else grids[b, 9 * i + j]
            for first in range(9):
                for k in range(1, 3):
                    second = 3 * (first // 3) + (first + k) % 3
                    for stack in range(3):
                        count = _candidates(grid, first, second, stack, orders, found)
                        for i in range(count):
                            _lowest(grid, found[i], first, forms[b])
    return forms
