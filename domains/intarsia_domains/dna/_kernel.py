"""The passes of `_forward_backward` in machine code and linear float64, many rows at a time.

Entries are probabilities, so nothing overflows; what underflows is smaller than 1e-300, and callers redo rows whose
total is near that in the log domain. Only states that a row can reach are visited, and of counts only the band from
which its window can be met: with more letters known, both shrink, so late steps of a sampler cost little.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intarsia._compiled import compiled
from intarsia_domains.dna._alphabet import BASES, PAD, Codes

if TYPE_CHECKING:
    from intarsia_domains.dna._rules import Rules

Floats = NDArray[np.float64]
_CHUNK = 16  # rows a task


@compiled("dna")
def _reach(law, step, alive, reach):
    """Mark the states that a row can be in before each site, and from which it can still end."""
    length, states = law.shape[0], step.shape[0]
    reach[:] = False
    reach[0, 0] = alive[0, 0]
    for site in range(length):
        for state in range(states):
            if reach[site, state]:
                for base in range(4):
                    after = step[state, base]
                    if law[site, base] > 0.0 and after >= 0 and alive[site + 1, after]:
                        reach[site + 1, after] = True


@compiled("dna")
def _band(law, gc, shortest, counted, low, high):
    """Counts of C and G before each site that can occur and from which the window can still be met."""
    length = law.shape[0]
    low[0], high[0] = 0, 0
    for site in range(length):
        weak = law[site, 0] > 0.0 or law[site, 3] > 0.0
        strong = law[site, 1] > 0.0 or law[site, 2] > 0.0
        low[site + 1] = low[site] + (1 if counted and strong and not weak else 0)
        high[site + 1] = high[site] + (1 if counted and strong else 0)
    if not counted:
        return
    # what the rest has to bring: from the back, the least and the largest count that some end accepts
    least, most = 1 << 30, -1
    for site in range(length, -1, -1):
        if site < length:
            weak = law[site, 0] > 0.0 or law[site, 3] > 0.0
            strong = law[site, 1] > 0.0 or law[site, 2] > 0.0
            most -= 1 if strong and not weak else 0
            least -= 1 if strong else 0
        if site >= shortest:
            least, most = min(least, gc[site, 0]), max(most, gc[site, 1])
        low[site], high[site] = max(low[site], least), min(high[site], most)


@compiled("dna")
def _backward(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table):
    """Fill the table (length + 1, states, counts) where it is reached; returns P(all constraints hold)."""
    length, states = law.shape[0], step.shape[0]
    tail[length] = 1.0
    for site in range(length - 1, -1, -1):
        tail[site] = tail[site + 1] * law[site, 4]
    for site in range(length, -1, -1):
        first, last = low[site], high[site] + 1
        for state in range(states):
            if not reach[site, state]:
                continue
            row = table[site, state]
            for count in range(first, last):
                row[count] = 0.0
            if accepts[state] and site >= shortest and tail[site] > 0.0:
                start, stop = (max(first, gc[site, 0]), min(last, gc[site, 1] + 1)) if counted else (first, last)
                for count in range(start, stop):
                    row[count] = tail[site]
            if site == length:
                continue
            for base in range(4):
                weight, after = law[site, base], step[state, base]
                if weight == 0.0 or after < 0 or not reach[site + 1, after]:
                    continue
                strong = 1 if counted and (base == 1 or base == 2) else 0
                start, stop = max(first, low[site + 1] - strong), min(last, high[site + 1] + 1 - strong)
                if start >= stop:
                    continue
                # views that start at 0 let the compiler use vector instructions
                target, source = row[start:stop], table[site + 1, after, start + strong : stop + strong]
                for k in range(target.shape[0]):
                    target[k] += weight * source[k]
    return table[0, 0, 0] if reach[0, 0] and low[0] <= 0 <= high[0] else 0.0


@compiled("dna")
def _draw(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table, u, codes):
    length, state, total = law.shape[0], 0, 0
    weights = np.empty(5)
    for site in range(length):
        for base in range(4):
            weights[base] = 0.0
            after = step[state, base]
            strong = 1 if counted and (base == 1 or base == 2) else 0
            inside = low[site + 1] <= total + strong <= high[site + 1]
            if law[site, base] > 0.0 and after >= 0 and reach[site + 1, after] and inside:
                weights[base] = law[site, base] * table[site + 1, after, total + strong]
        fits = not counted or gc[site, 0] <= total <= gc[site, 1]
        weights[4] = tail[site] if accepts[state] and site >= shortest and fits else 0.0
        left = u[site] * weights.sum()
        code, taken = 0, -1
        while code < 5:
            if weights[code] > 0.0:
                taken = code  # the last possible one, should rounding leave something over
                left -= weights[code]
                if left < 0.0:
                    break
            code += 1
        if taken == 4 or taken < 0:
            break
        codes[site] = taken
        total += 1 if counted and (taken == 1 or taken == 2) else 0
        state = step[state, taken]


@compiled("dna")
def _forward(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table, ahead, result):
    """Marginals (length, 5) from the table; `ahead` is room for two layers (2, states, counts)."""
    length, states, scale = law.shape[0], step.shape[0], 1.0 / table[0, 0, 0]
    ahead[0, 0, 0] = 1.0
    ended = 0.0
    for site in range(length):
        here, then = ahead[site % 2], ahead[(site + 1) % 2]
        for state in range(states):
            if reach[site + 1, state]:
                then[state, low[site + 1] : high[site + 1] + 1] = 0.0
        for state in range(states):
            if not reach[site, state]:
                continue
            if accepts[state] and site >= shortest and tail[site] > 0.0:
                for count in range(low[site], high[site] + 1):
                    if not counted or gc[site, 0] <= count <= gc[site, 1]:
                        ended += here[state, count] * tail[site] * scale
            for base in range(4):
                weight, after = law[site, base], step[state, base]
                if weight == 0.0 or after < 0 or not reach[site + 1, after]:
                    continue
                strong, mass = 1 if counted and (base == 1 or base == 2) else 0, 0.0
                start = max(low[site], low[site + 1] - strong)
                stop = min(high[site] + 1, high[site + 1] + 1 - strong)
                if start >= stop:
                    continue
                source, target = here[state, start:stop], then[after, start + strong : stop + strong]
                future = table[site + 1, after, start + strong : stop + strong]
                for k in range(source.shape[0]):
                    flow = weight * source[k]
                    target[k] += flow
                    mass += flow * future[k]
                result[site, base] += mass * scale
        result[site, 4] = ended


@compiled("dna")
def _uniform(state, u):
    """Fill `u` with uniform numbers and return the next state (splitmix64; Steele, Lea and Flood 2014)."""
    for k in range(u.shape[0]):
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        u[k] = float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
    return state


@compiled("dna")
def _in_window(codes, gc):
    letters, strong = 0, 0
    for code in codes:
        letters += 1 if code < 4 else 0
        strong += 1 if code == 1 or code == 2 else 0
    return gc[letters, 0] <= strong <= gc[letters, 1]


@compiled("dna")
def _plain_backward(law, after, accepts, shortest, tail, plain):
    """`_backward` without counting, for all states; `after` leads to the last column, which is 0, from dead ends."""
    length, states = law.shape[0], accepts.shape[0]
    tail[length] = 1.0
    for site in range(length - 1, -1, -1):
        tail[site] = tail[site + 1] * law[site, 4]
    for state in range(states):
        plain[length, state] = 1.0 if accepts[state] else 0.0
    plain[:, states] = 0.0
    for site in range(length - 1, -1, -1):
        row, then = plain[site], plain[site + 1]
        a, c, g, t = law[site, 0], law[site, 1], law[site, 2], law[site, 3]
        end = tail[site] if site >= shortest else 0.0
        known = 0 if a == 1.0 else 1 if c == 1.0 else 2 if g == 1.0 else 3 if t == 1.0 else -1
        for state in range(states):
            if known >= 0:
                row[state] = then[after[state, known]]
            else:
                ahead = after[state]
                row[state] = a * then[ahead[0]] + c * then[ahead[1]] + g * then[ahead[2]] + t * then[ahead[3]]
            if accepts[state]:
                row[state] += end
    return plain[0, 0]


@compiled("dna")
def _plain_draw(law, after, accepts, shortest, tail, plain, u, codes):
    """`_draw` without counting."""
    state, weights = 0, np.empty(5)
    for site in range(law.shape[0]):
        total = 0.0
        for base in range(4):
            weights[base] = law[site, base] * plain[site + 1, after[state, base]]
            total += weights[base]
        weights[4] = tail[site] if accepts[state] and site >= shortest else 0.0
        left, taken = u[site] * (total + weights[4]), 4
        for code in range(5):
            if weights[code] > 0.0:
                taken = code  # the last possible one, should rounding leave something over
                left -= weights[code]
                if left < 0.0:
                    break
        if taken == 4:
            break
        codes[site] = taken
        state = np.int64(after[state, taken])


@compiled("dna")
def _lucky(law, after, accepts, gc, shortest, counted, tail, plain, u, state, codes):
    """Draw without counting until the count is right: the same law, and much cheaper where it mostly is."""
    if _plain_backward(law, after, accepts, shortest, tail, plain) < 1e-250:
        return False, state
    for _ in range(64 if counted else 1):
        state = _uniform(state, u)
        codes[:] = 4
        _plain_draw(law, after, accepts, shortest, tail, plain, u, codes)
        if not counted or _in_window(codes, gc):
            return True, state
    return False, state


@compiled("dna")
def _run(laws, step, accepts, gc, shortest, counted, alive, counts, seeds, codes, results, totals):
    """All passes for some rows; codes or results of no rows mean that they are not asked for."""
    length, states = laws.shape[1], step.shape[0]
    table, plain = np.empty((0, states, counts + 1)), np.empty((length + 1, states + 1))
    after = np.where(step < 0, states, step).astype(np.uintp)
    ahead = np.zeros((2, states, counts + 1))
    reach = np.zeros((length + 1, states), dtype=np.bool_)
    low, high = np.zeros(length + 1, dtype=np.int64), np.zeros(length + 1, dtype=np.int64)
    tail, u = np.zeros(length + 1), np.zeros(length)
    for row in range(laws.shape[0]):
        law = laws[row]
        state = seeds[row]
        if codes.shape[0]:
            done, state = _lucky(law, after, accepts, gc, shortest, counted, tail, plain, u, state, codes[row])
            if done:
                totals[row] = 1.0
                continue
            codes[row] = 4
        if table.shape[0] == 0:  # large, and seldom needed for draws
            table = np.empty((length + 1, states, counts + 1))
        _reach(law, step, alive, reach)
        _band(law, gc, shortest, counted, low, high)
        totals[row] = _backward(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table)
        if totals[row] < 1e-290:
            continue
        if codes.shape[0]:
            _uniform(state, u)
            _draw(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table, u, codes[row])
        if results.shape[0]:
            _forward(law, step, accepts, gc, shortest, counted, reach, low, high, tail, table, ahead, results[row])


def totals(rules: "Rules", law: Floats) -> Floats:
    """P(all constraints hold) of laws (rows, length, 5)."""
    return _parallel(rules, law, np.zeros(len(law), dtype=np.uint64), _no_codes(rules), _no_results(rules))


def draw(rules: "Rules", law: Floats, seeds: NDArray[np.uint64]) -> tuple[Codes, Floats]:
    """Draws (rows, length), and totals that are at least 1e-250 where the row was drawn exactly; one seed a row."""
    codes = np.full(law.shape[:2], PAD, dtype=np.uint8)
    return codes, _parallel(rules, law, seeds, codes, _no_results(rules))


def marginals(rules: "Rules", law: Floats) -> tuple[Floats, Floats]:
    """Laws of the sites given all constraints, (rows, length, 5), and the totals."""
    results = np.zeros_like(law)
    return results, _parallel(rules, law, np.zeros(len(law), dtype=np.uint64), _no_codes(rules), results)


def _no_codes(rules: "Rules") -> Codes:
    return np.zeros((0, rules.length), dtype=np.uint8)


def _no_results(rules: "Rules") -> Floats:
    return np.zeros((0, rules.length, BASES + 1))


def _parallel(rules: "Rules", law: Floats, seeds: NDArray[np.uint64], codes: Codes, results: Floats) -> Floats:
    """Rows in chunks over as many threads as torch uses; rows are independent, so the result does not depend on it."""
    machine, out = rules.automaton, np.zeros(len(law))
    fixed = (machine.step, machine.accepts, rules.gc, rules.shortest, rules.counted, rules.alive, rules.counts)

    def work(start: int) -> None:
        part = slice(start, start + _CHUNK)
        _run(law[part], *fixed, seeds[part], codes[part], results[part], out[part])

    _each(work, range(0, len(law), _CHUNK))
    return out


def _each(work: Callable[[int], Any], starts: range) -> None:
    threads = min(torch.get_num_threads(), len(starts))
    if threads <= 1:
        for start in starts:
            work(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, starts))
