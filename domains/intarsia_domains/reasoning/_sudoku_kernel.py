"""Complete search over boards of all-different units: bit masks, naked and hidden singles, fewest candidates first.

Candidates of a cell are the bits of an integer. `cand[level]` holds them after `level` guesses; `fixed[level]` says
which cells have been struck from their peers already. A unit has as many cells as there are values, so each value
has to appear in it; what is different without being such a unit (a cage, a diagonal of queens) is in `peers` alone.
"""

import numpy as np

from intarsia._compiled import compiled

SOLVED, EXHAUSTED, STOPPED = 0, 1, 2
"""How a search ended: at its limit of solutions, after everything, or at its limit of nodes."""


@compiled("reasoning")
def propagate(cand, fixed, units, peers, full):
    """Naked and hidden singles up to a fixed point, in place; False at a contradiction."""
    changed = True
    while changed:
        changed = False
        for c in range(cand.shape[0]):
            bit = cand[c]
            if fixed[c] or bit & (bit - 1):
                continue
            if bit == 0:
                return False
            fixed[c] = True
            for p in peers[c]:
                if p < 0:
                    break
                if cand[p] & bit:
                    cand[p] &= ~bit
                    if cand[p] == 0:
                        return False
                    changed = True
        if changed:
            continue
        for u in range(units.shape[0]):
            once, twice, taken = 0, 0, 0
            for c in units[u]:
                bits = cand[c]
                twice |= once & bits
                once |= bits
                if fixed[c]:
                    taken |= bits
            if once != full:
                return False
            hidden = once & ~twice & ~taken
            if hidden == 0:
                continue
            for c in units[u]:
                only = cand[c] & hidden
                if only and not fixed[c]:
                    if only & (only - 1):
                        return False
                    cand[c] = only
                    changed = True
    return True


@compiled("reasoning")
def _pick(cand, fixed, weights):
    """The cell with fewest candidates, of those the one whose best value weighs most; -1 if none is open."""
    best, fewest, heaviest = -1, 99, -1.0
    for c in range(cand.shape[0]):
        if fixed[c]:
            continue
        bits, count, heavy = cand[c], 0, 0.0
        while bits:
            low = bits & -bits
            bits ^= low
            count += 1
            if weights.shape[0]:
                heavy = max(heavy, weights[c, _position(low)])
        if count < fewest or (count == fewest and heavy > heaviest):
            best, fewest, heaviest = c, count, heavy
            if count == 2 and weights.shape[0] == 0:
                break
    return best


@compiled("reasoning")
def _position(bit):
    k = 0
    while bit > 1:
        bit >>= 1
        k += 1
    return k


@compiled("reasoning")
def _next_bit(rest, cell, weights):
    """The heaviest of the remaining values, or the lowest without weights."""
    if weights.shape[0] == 0:
        return rest & -rest
    best, heaviest = 0, -1.0
    while rest:
        low = rest & -rest
        rest ^= low
        weight = weights[cell, _position(low)]
        if weight > heaviest:
            best, heaviest = low, weight
    return best


@compiled("reasoning")
def search(cand, fixed, units, peers, full, weights, limit, max_nodes, out):
    """All solutions of the candidates in `cand[0]`, up to `limit`.

    Args:
        cand: (cells + 1, cells) integers, of which the first row is read.
        fixed: (cells + 1, cells) Booleans, of which the first row is read.
        units: (units, values) cells.
        peers: (cells, most) cells, padded by -1.
        full: the bits of all values.
        weights: (cells, values), tried in descending order; (0, 0) for the natural order.
        limit: where to stop counting.
        max_nodes: where to give up; a node is a value that is tried in a cell.
        out: (keep, cells): the candidate bits of the first solutions are written here.

    Returns:
        Solutions, nodes and how it ended.
    """
    cells = cand.shape[1]
    branch = np.empty(cells + 1, np.int64)
    rest = np.empty(cells + 1, np.int64)
    count, nodes, level = 0, 0, 0
    if not propagate(cand[0], fixed[0], units, peers, full):
        return count, nodes, EXHAUSTED
    while True:
        branch[level] = _pick(cand[level], fixed[level], weights)
        if branch[level] >= 0:
            rest[level] = cand[level, branch[level]]
        else:
            if count < out.shape[0]:
                for c in range(cells):
                    out[count, c] = cand[level, c]
            count += 1
            if count == limit:
                return count, nodes, SOLVED
            rest[level] = 0
        while True:
            while level >= 0 and rest[level] == 0:
                level -= 1
            if level < 0:
                return count, nodes, EXHAUSTED
            if nodes == max_nodes:
                return count, nodes, STOPPED
            nodes += 1
            bit = _next_bit(rest[level], branch[level], weights)
            rest[level] ^= bit
            for c in range(cells):
                cand[level + 1, c] = cand[level, c]
                fixed[level + 1, c] = fixed[level, c]
            cand[level + 1, branch[level]] = bit
            if propagate(cand[level + 1], fixed[level + 1], units, peers, full):
                level += 1
                break


@compiled("reasoning")
def search_many(start, units, peers, full, weights, limit, max_nodes, out, counts, nodes, ends):
    """`search` of many boards.

    Args:
        start: (batch, cells) candidates; further arguments are those of `search`.
        weights: (batch, cells, values), or (0, 0, 0) for the natural order.
        out: (batch, keep, cells).
        counts: solutions, written, (batch,).
        nodes: written, (batch,).
        ends: how each ended, written, (batch,).
        units: see `search`.
        peers: see `search`.
        full: see `search`.
        limit: see `search`.
        max_nodes: see `search`.
    """
    cells = start.shape[1]
    cand = np.empty((cells + 1, cells), np.int64)
    fixed = np.empty((cells + 1, cells), np.bool_)
    none = np.empty((0, 0), np.float32)
    for b in range(start.shape[0]):
        for c in range(cells):
            cand[0, c] = start[b, c]
            fixed[0, c] = False
        own = weights[b] if weights.shape[0] else none
        counts[b], nodes[b], ends[b] = search(cand, fixed, units, peers, full, own, limit, max_nodes, out[b])


@compiled("reasoning")
def dig(solution, order, clues, units, peers, full, limit, max_nodes):
    """Remove clues while the solution stays unique.

    A clue can go if no solution has another value in its cell.

    Args:
        solution: the bits of a full grid, (cells,).
        order: in which cells are tried.
        clues: stop at so many.
        units: see `search`.
        peers: see `search`.
        full: see `search`.
        max_nodes: a clue that takes more to prove stays.
        limit: 1; not a constant here, which would compile the search again.

    Returns:
        The bits of the clues, 0 where removed, (cells,).
    """
    cells = solution.shape[0]
    cand = np.empty((cells + 1, cells), np.int64)
    fixed = np.empty((cells + 1, cells), np.bool_)
    out = np.empty((0, cells), np.int64)
    none = np.empty((0, 0), np.float32)
    kept, left = solution.copy(), cells
    for c in order:
        if left <= clues:
            break
        for i in range(cells):
            cand[0, i] = kept[i] if kept[i] else full
            fixed[0, i] = False
        cand[0, c] = full & ~solution[c]
        count, _, end = search(cand, fixed, units, peers, full, none, limit, max_nodes, out)
        if count == 0 and end == EXHAUSTED:
            kept[c] = 0
            left -= 1
    return kept
