"""The passes over one row in the log domain: for laws under which the constraints are too unlikely for float64.

They are also what the compiled passes are tested against. State of the dynamic programme: the automaton's state and
the count of C and G so far; a sequence ends at a site where the automaton accepts, the count is in the window of that
length, and all sites behind are padding (Rabiner 1989 for the passes; Carter and Kohn 1994 for the draw).
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intarsia_domains.dna._alphabet import BASES, PAD, Bools, Codes

if TYPE_CHECKING:
    from intarsia_domains.dna._rules import Rules

Floats = NDArray[np.float64]


def backward(rules: "Rules", law: Floats) -> Floats:
    """log P(the rest can be kept | state before a site), (length + 1, states + 1, counts + 1).

    The last state is dead and the last count is too many, so that -1 leads there.

    Args:
        rules: automaton, windows.
        law: weights of the four bases and padding at every site, (length, 5).
    """
    states, counts = rules.automaton.states, rules.counts
    log_law, ending = _logs(law), _ending(rules, law)
    table = np.full((rules.length + 1, states + 1, counts + 1), -np.inf)
    for site in range(rules.length, -1, -1):
        here = ending[site]
        if site < rules.length:
            for base in range(BASES):
                after = _shifted(rules, table[site + 1][rules.automaton.step[:, base]], base)
                here = np.logaddexp(here, log_law[site, base] + after)
        table[site, :states, :counts] = here
    return table


def draw(rules: "Rules", law: Floats, table: Floats, u: Floats) -> Codes:
    """Draw a row given its table of `backward`, from uniform numbers (length,)."""
    log_law, ending = _logs(law), _ending(rules, law)
    codes, state, count = np.full(rules.length, PAD, dtype=np.uint8), 0, 0
    for site in range(rules.length):
        weights = np.append(_ahead(rules, log_law, table, site)[:, state, count], ending[site, state, count])
        weights = np.exp(weights - weights.max()).cumsum()
        code = int(np.searchsorted(weights, u[site] * weights[-1], side="right"))
        if code == PAD:
            break
        codes[site] = code
        state, count = int(rules.automaton.step[state, code]), count + _strong(rules, code)
    return codes


def marginals(rules: "Rules", law: Floats, table: Floats) -> Floats:
    """Law of every site given all constraints, (length, 5), from the table of `backward`."""
    log_law, ending, step = _logs(law), _ending(rules, law), rules.automaton.step
    states, counts = rules.automaton.states, rules.counts
    result = np.zeros((rules.length, BASES + 1))
    ahead = np.full((states + 1, counts + 1), -np.inf)
    ahead[0, 0] = 0.0
    ended = 0.0
    for site in range(rules.length):
        here = ahead[:states, :counts]
        joint = here + _ahead(rules, log_law, table, site)
        result[site, :BASES] = np.exp(joint - table[0, 0, 0]).sum((1, 2))
        ended += float(np.exp(here + ending[site] - table[0, 0, 0]).sum())
        result[site, PAD] = ended
        after = np.full_like(ahead, -np.inf)
        for base in range(BASES):
            moved = np.full((states, counts + 1), -np.inf)
            strong = _strong(rules, base)
            moved[:, strong : counts + strong] = (here + log_law[site, base])[:, : counts + 1 - strong]
            np.logaddexp.at(after, step[:, base], moved)
        ahead = after
    return result / result.sum(1, keepdims=True)


def _logs(law: Floats) -> Floats:
    return np.where(law > 0, np.log(np.where(law > 0, law, 1.0)), -np.inf)


def _ending(rules: "Rules", law: Floats) -> Floats:
    """Log of the weight of ending before each site, (length + 1, states, counts)."""
    pad = np.append(_logs(law)[:, PAD], 0.0)
    tail = np.cumsum(pad[::-1])[::-1]
    tail[: rules.shortest] = -np.inf
    count = np.arange(rules.counts)
    fits: Bools = (
        (rules.gc[:, :1] <= count) & (count <= rules.gc[:, 1:])
        if rules.counted
        else np.ones((rules.length + 1, 1), dtype=bool)
    )
    return np.where(rules.automaton.accepts[None, :, None] & fits[:, None], tail[:, None, None], -np.inf)


def _strong(rules: "Rules", base: int) -> int:
    return int(rules.counted and base in (1, 2))


def _shifted(rules: "Rules", after: Floats, base: int) -> Floats:
    """Entries (states, counts) of the state that follows, at the count that follows."""
    strong = _strong(rules, base)
    return after[:, strong : rules.counts + strong]


def _ahead(rules: "Rules", log_law: Floats, table: Floats, site: int) -> Floats:
    """log of the weight of each base at a site and of what follows it, (4, states, counts)."""
    return np.stack(
        [
            log_law[site, base] + _shifted(rules, table[site + 1][rules.automaton.step[:, base]], base)
            for base in range(BASES)
        ]
    )
