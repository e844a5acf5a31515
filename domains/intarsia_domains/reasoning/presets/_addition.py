"""Addition by columns, with carries."""

from intarsia_domains.reasoning._problem import Problem


def addition(digits: int, a: int | None = None, b: int | None = None, total: int | None = None) -> Problem:
    """a + b = total for numbers of so many digits, the total with one more.

    Variables `a1`, `b1`, `s1`, … are digits from the lowest place up, `c1` is the carry out of place 1.

    Args:
        digits: places of a and b.
        a: given, with leading zeros; None leaves its digits open.
        b: likewise.
        total: likewise.

    Raises:
        ValueError: there are no digits, or a number is negative or too long.
    """
    if digits < 1:
        raise ValueError(f"an addition needs at least one digit, got {digits}")
    places = range(1, digits + 1)
    ten, two = range(10), range(2)
    domains = {f"{letter}{i}": ten for letter in "ab" for i in places}
    domains |= {f"s{i}": ten for i in places} | {f"s{digits + 1}": two} | {f"c{i}": two for i in places}
    problem = Problem(domains, domains, title=f"addition of {digits} digits", kind="addition")
    for i in places:
        weights = {f"a{i}": 1, f"b{i}": 1, f"s{i}": -1, f"c{i}": -10}
        problem.linear(weights if i == 1 else {**weights, f"c{i - 1}": 1}, "==", 0, name=f"place {i}")
    problem.equal([f"s{digits + 1}", f"c{digits}"], name="last carry")
    given: dict[str, int] = {}
    for letter, number, size in (("a", a, digits), ("b", b, digits), ("s", total, digits + 1)):
        given |= {} if number is None else _digits(letter, number, size)
    return problem.observe(given) if given else problem


def _digits(letter: str, number: int, size: int) -> dict[str, int]:
    if not 0 <= number < 10**size:
        raise ValueError(f"{number} has no {size} digits; give a number from 0 to {10**size - 1}")
    return {f"{letter}{i}": number // 10 ** (i - 1) % 10 for i in range(1, size + 1)}
