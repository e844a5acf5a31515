"""Problems on graphs: colouring and paths."""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from intarsia_domains.reasoning._problem import Problem

Node = Hashable
Edge = tuple[Any, Any]


def colouring(edges: Iterable[Edge], colours: int | Sequence[Any], nodes: Iterable[Node] = ()) -> Problem:
    """A colour for every node, different at both ends of every edge.

    Args:
        edges: pairs of nodes.
        colours: how many, or their names.
        nodes: further nodes that no edge names.

    Raises:
        ValueError: there is no node or no colour, or an edge joins a node to itself.
    """
    pairs = list(dict.fromkeys(_edge(edge) for edge in edges))
    names = dict.fromkeys([*(node for edge in pairs for node in edge), *nodes])
    problem = Problem(
        names, range(1, colours + 1) if isinstance(colours, int) else colours, title="graph colouring", kind="colouring"
    )
    seen: set[frozenset[Any]] = set()
    for one, other in pairs:
        if one == other:
            raise ValueError(f"an edge joins {one!r} to itself, which no colouring allows; leave it out")
        if frozenset((one, other)) not in seen:
            problem.all_different([one, other], name=f"edge {one} {other}")
            seen.add(frozenset((one, other)))
    return problem


def path(edges: Iterable[Edge], source: Node, target: Node, length: int | None = None) -> Problem:
    """A path that visits no node twice; `step 0` is the source and the last step the target.

    Args:
        edges: directed pairs of nodes; give both directions of an undirected edge.
        source: where the path begins.
        target: where it ends.
        length: its number of edges; by default that of a shortest path. Where no path exists, the problem has no
            solution.

    Raises:
        ValueError: source or target is on no edge, or the length is negative.
    """
    pairs = list(dict.fromkeys(_edge(edge) for edge in edges))
    names = list(dict.fromkeys(node for edge in pairs for node in edge))
    for node in (source, target):
        if node not in names:
            raise ValueError(f"{node!r} is on no edge; a path needs its source and its target in the graph")
    if length is not None and length < 0:
        raise ValueError(f"the length of a path must not be negative, got {length}")
    shortest = _distance(pairs, source, target)
    steps = len(names) - 1 if length is None and shortest is None else (shortest if length is None else length)
    positions = [f"step {i}" for i in range((steps or 0) + 1)]
    problem = Problem(positions, names, title=f"path from {source} to {target}", kind="path")
    problem.all_different(positions, name="no node twice")
    for one, other in pairwise(positions):
        problem.table([one, other], pairs, name=f"edge from {one} to {other}")
    problem.table(positions[:1], [(source,)], name="source")
    return problem.table(positions[-1:], [(target,)], name="target")


def _edge(edge: Any) -> Edge:
    if not isinstance(edge, tuple | list) or len(edge) != 2:
        raise ValueError(f"an edge is a pair of nodes, got {edge!r}")
    return edge[0], edge[1]


def _distance(pairs: Sequence[Edge], source: Node, target: Node) -> int | None:
    """Edges of a shortest path by breadth-first search; None without a path."""
    after: dict[Any, list[Any]] = {}
    for one, other in pairs:
        after.setdefault(one, []).append(other)
    distance = {source: 0}
    queue = deque([source])
    while queue:
        node = queue.popleft()
        for other in after.get(node, ()):
            if other not in distance:
                distance[other] = distance[node] + 1
                queue.append(other)
    return distance.get(target)
