"""`check_domain`: the manners of a scikit-learn style density estimator."""

import copy
import importlib.util
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from intarsia.domain import AbstractDomain
from intarsia.errors import NotFittedError
from intarsia.testing._domain_faults import check_saved_faults
from intarsia.testing._ensure import ensure, ensure_raises, same, untouched, untouched_randomness


def check_domain(
    domain: AbstractDomain,
    raw: Any,
    incomplete: Any = None,
    *,
    y: Any = None,
    given: Any = None,
    n: int = 20,
    seed: int = 0,
) -> None:
    """Fit copies of a domain object on `raw` and check its manners; raises AssertionError at the first failure.

    Construction does no work and keeps its arguments; `get_params`, `set_params` and scikit-learn's `clone` work;
    nothing works before `fit`; the same seed gives the same items and another seed others; saving and loading
    changes nothing, a damaged model is refused and a full disk spoils none; global generators and the caller's data
    stay as they were.

    Args:
        domain: an unfitted domain object with a budget in steps, so that fitting can be repeated.
        raw: training data.
        incomplete: data with missing parts for `complete`; `raw` by default.
        y: second argument of `fit`, where it needs one.
        given: what `sample` is given, where it asks for something.
        n: items of a sample.
        seed: of the draws.
    """
    ensure(not isinstance(domain, type), f"`check_domain` needs an object, got the class {domain}")
    name = type(domain).__name__
    incomplete = raw if incomplete is None else incomplete

    def fit(one: Any) -> Any:
        return one.fit(raw) if y is None else one.fit(raw, y)

    _check_parameters(domain, name)
    with untouched_randomness(name), untouched((raw, incomplete), name):
        _check_unfitted(_copy(domain), raw, given, name)
        fitted = _copy(domain)
        parameters = fitted.get_params()
        ensure(fit(fitted) is fitted, f"`fit` of {name} must return the object itself")
        ensure(same(fitted.get_params(), parameters), f"`fit` of {name} changed a constructor argument")
        learned = [key for key in vars(fitted) if key not in parameters and not key.startswith("_")]
        ensure(bool(learned), f"`fit` of {name} leaves no learned attribute that ends in `_`")
        ensure(all(key.endswith("_") for key in learned), f"learned attributes of {name} must end in `_`: {learned}")
        _check_samples(fitted, n, given, seed, name)
        _check_answers(fitted, raw, incomplete, seed, name)
        again = fit(_copy(domain))
        ensure(
            same(again.sample(n, given=given, seed=seed), fitted.sample(n, given=given, seed=seed)),
            f"{name} fitted twice gives other models",
        )
        _check_saved(fitted, raw, n, given, seed, name)


def _copy(domain: AbstractDomain) -> AbstractDomain:
    return type(domain)(**domain.get_params())


def _check_parameters(domain: AbstractDomain, name: str) -> None:
    parameters = domain.get_params()
    twin = _copy(domain)
    ensure(
        sorted(vars(twin)) == sorted(parameters),
        f"the constructor of {name} must store its arguments and do no work; it sets {sorted(vars(twin))}",
    )
    for key, value in parameters.items():
        ensure(twin.get_params()[key] is value, f"the constructor of {name} changes its argument `{key}`")
    ensure(twin.set_params(**parameters) is twin, f"`set_params` of {name} must return the object itself")
    ensure_raises(ValueError, lambda: twin.set_params(no_such_parameter=1), f"`set_params` of {name} with a wrong name")
    ensure(type(domain).__name__ in repr(domain), f"`repr` of {name} must name the class")
    if importlib.util.find_spec("sklearn") is not None:
        clone: Any = importlib.import_module("sklearn.base").clone
        cloned = cast(AbstractDomain, clone(domain))
        ensure(same(cloned.get_params(), parameters), f"scikit-learn's `clone` of {name} has other parameters")


def _check_unfitted(domain: AbstractDomain, raw: Any, given: Any, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        for what, call in {
            "sample": lambda: domain.sample(1, given=given),
            "complete": lambda: domain.complete(raw),
            "score_samples": lambda: domain.score_samples(raw),
            "save": lambda: domain.save(path),
        }.items():
            ensure_raises(NotFittedError, call, f"`{what}` of {name} before `fit`")
        ensure(not path.exists(), f"`save` of an unfitted {name} leaves something at its path")


def _check_samples(domain: AbstractDomain, n: int, given: Any, seed: int, name: str) -> None:
    first = domain.sample(n, given=given, seed=seed)
    ensure(len(first) == n, f"`sample({n})` of {name} gives {len(first)} items")
    ensure(
        same(first, domain.sample(n, given=given, seed=seed)), f"`sample` of {name} gives other items for the same seed"
    )
    others = [domain.sample(n, given=given, seed=seed + k) for k in (1, 2, 3)]
    ensure(not all(same(first, other) for other in others), f"`sample` of {name} gives the same items for every seed")
    none = domain.sample(0, given=given, seed=seed)
    ensure(len(none) == 0 and type(none) is type(first), f"`sample(0)` of {name} must be empty, of the same type")
    ensure_raises(ValueError, lambda: domain.sample(-1, given=given), f"`sample(-1)` of {name}")
    ensure_raises(TypeError, lambda: domain.sample(cast(int, 2.5), given=given), f"`sample(2.5)` of {name}")


def _check_answers(domain: AbstractDomain, raw: Any, incomplete: Any, seed: int, name: str) -> None:
    filled = domain.complete(incomplete, seed=seed)
    ensure(len(filled) == len(incomplete), f"`complete` of {name} gives {len(filled)} items for {len(incomplete)}")
    ensure(same(filled, domain.complete(incomplete, seed=seed)), f"`complete` of {name} differs for the same seed")
    scores = np.asarray(domain.score_samples(raw))
    ensure(scores.shape == (len(raw),), f"`score_samples` of {name} must give {(len(raw),)}, got {scores.shape}")
    ensure(bool(np.isfinite(scores).all()), f"`score_samples` of {name} is not finite on the training data")


def _check_saved(domain: AbstractDomain, raw: Any, n: int, given: Any, seed: int, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        before = copy.deepcopy(domain.get_params())
        domain.save(path)
        ensure(path.is_dir(), f"`save` of {name} must write a directory")
        loaded = type(domain).load(path)
        ensure(same(domain.get_params(), before), f"`save` of {name} changed a parameter")
        ensure(
            same(loaded.sample(n, given=given, seed=seed), domain.sample(n, given=given, seed=seed)),
            f"a loaded {name} samples differently",
        )
        scores = np.asarray(loaded.score_samples(raw)), np.asarray(domain.score_samples(raw))
        ensure(same(*scores), f"a loaded {name} scores differently")
        domain.save(path)  # over itself
        ensure(sorted(p.name for p in Path(folder).iterdir()) == ["model"], f"`save` of {name} leaves files behind")
        check_saved_faults(domain, path, seed, name)
