"""Laws of processes with finitely many states a site: q, bridge and reverse kernel against enumeration."""

import torch
from torch import Tensor

from intarsia.processes import AbstractFinite
from intarsia.testing._ensure import ensure, ensure_close
from intarsia.testing._enumerate import reverse_rates
from intarsia.testing._finite import FiniteSites, example_sites
from intarsia.testing._process_shapes import full
from intarsia.testing._statistics import MIN_P, chi_square

TIMES = [(0.0, 0.4), (0.2, 0.5), (0.3, 1.0), (0.45, 0.8), (0.6, 0.6)]
DRAWS = 500
EXACT = 1e-11


def random_laws(finite: FiniteSites, seed: int) -> Tensor:
    """A law per site, (sites, classes)."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(finite.sites, max(finite.classes), dtype=torch.float64, generator=rng)
    for site, count in enumerate(finite.classes):
        logits[site, count:] = -torch.inf
    return logits.softmax(-1)


def check_finite(process: AbstractFinite, seed: int) -> None:
    """Closed forms against Bayes' rule to 1e-11, and draws against closed forms by chi-square, p >= 1e-4."""
    finite = FiniteSites(process, example_sites(process))
    laws = random_laws(finite, seed)
    exists = finite.pairs()[2].any(-1)
    for s, t in TIMES:
        where = f"of {process} at s = {s:g}, t = {t:g}"
        q_s, q_t = finite.marginal(s), finite.marginal(t)
        for q in (q_s, q_t):
            total = q.sum(-1)
            ensure_close(total[exists], torch.ones_like(total[exists]), EXACT, f"Σ q(xt | x0) {where}")
        bridge = finite.bridge(s, t)
        possible = q_t > 0
        total = bridge.sum(-1)[possible]
        ensure_close(total, torch.ones_like(total), EXACT, f"Σ q(xs | xt, x0) {where}")
        _check_markov(q_s, q_t, bridge, where)
        recovered = (q_t[..., None] * bridge).sum(2)
        ensure_close(recovered[exists], q_s[exists], EXACT, f"Σ q(xs | xt, x0) q(xt | x0) = q(xs | x0) {where}")
        _check_reverse(finite, laws, bridge, s, t, where, seed)
        _check_draws(finite, q_s, q_t, bridge, s, t, where, seed)
    if process.has_rates:
        _check_rates(finite, laws)
    _check_prior(finite)
    _check_start(finite)


def _check_start(finite: FiniteSites) -> None:
    """Nothing is to be reconstructed at t = 0, and there is no mask where there is none."""
    process = finite.process
    x0, xt, _ = finite.pairs()
    sure = process.prediction(x0, torch.eye(len(x0), dtype=torch.float64))
    left = process.reconstruction(sure, x0, x0)
    ensure_close(left, torch.zeros_like(left), 1e-9, f"`reconstruction` of {process} where xt equals x0")
    if not process.has_mask:
        mask = process.reverse_law(sure, xt, full(len(x0), 0.2), full(len(x0), 0.6))[1]
        ensure(
            bool((mask == -torch.inf).all()),
            f"`reverse_law` of {process} gives the mask a probability, and it has none",
        )


def _check_markov(q_s: Tensor, q_t: Tensor, bridge: Tensor, where: str) -> None:
    """q(xs | xt, x0) q(xt | x0) / q(xs | x0) = q(xt | xs) must be the same for every x0 (Chapman-Kolmogorov)."""
    joint = (q_t[..., None] * bridge).transpose(2, 3)  # (sites, x0, xs, xt)
    crossed = joint[:, :, None] * q_s[:, None, :, :, None]
    ensure_close(crossed, crossed.transpose(1, 2), EXACT, f"q(xt | xs) from two values of x0 {where}")


def _check_reverse(
    finite: FiniteSites, laws: Tensor, bridge: Tensor, s: float, t: float, where: str, seed: int
) -> None:
    """With the posterior of a single site the kernel is q(xs | xt), in closed form and in its draws."""
    post = finite.posterior(laws, t)
    truth = (post.transpose(1, 2)[..., None] * bridge).sum(1)
    reachable = (laws[:, :, None] * finite.marginal(t)).sum(1) > 0
    most = max(finite.states)
    top = torch.tensor(finite.states) - 1
    xt = torch.minimum(torch.arange(most)[:, None], top)
    pred = finite.prediction(post.transpose(0, 1)[torch.arange(most)])
    kernel = finite.kernel(pred, xt, s, t).transpose(0, 1)
    ensure_close(kernel[reachable], truth[reachable], EXACT, f"the reverse kernel of one site {where}")
    rng = torch.Generator().manual_seed(seed + 1)
    rows = torch.arange(most).repeat_interleave(DRAWS)
    drawn = finite.process.reverse(pred[rows], xt[rows], full(len(rows), s), full(len(rows), t), rng)
    counts = _counts(drawn, most, most)
    p = chi_square(counts[reachable], truth[reachable])
    ensure(p >= MIN_P, f"draws of `reverse` {where} do not follow q(xs | xt): p = {p:.2g}, n = {DRAWS} each")


def _check_rates(finite: FiniteSites, laws: Tensor) -> None:
    """`rates` is the slope of the reverse kernel, whose form in closed terms was checked before."""
    most, top = max(finite.states), torch.tensor(finite.states) - 1
    xt = torch.minimum(torch.arange(most)[:, None], top)
    for t in (0.35, 0.85):  # inside the windows of staged schedules
        time = full(most, t)
        pred = finite.prediction(finite.posterior(laws, t).transpose(0, 1)[torch.arange(most)])
        slope, rates = reverse_rates(finite, pred, xt, time), finite.padded(*finite.process.rates(pred, xt, time))
        scale = float(slope.max()) + 1.0
        where = f"`rates` of {finite.process} at t = {t:g} against the slope of its reverse kernel"
        ensure_close(rates / scale, slope / scale, 1e-7, where)


def _check_draws(
    finite: FiniteSites, q_s: Tensor, q_t: Tensor, bridge: Tensor, s: float, t: float, where: str, seed: int
) -> None:
    process, most = finite.process, max(finite.states)
    x0, xt, valid = finite.pairs()
    rng = torch.Generator().manual_seed(seed + 2)
    rows = torch.arange(len(x0)).repeat_interleave(DRAWS)
    before, now = full(len(rows), s), full(len(rows), t)
    possible = valid & (q_t > 0)
    drawn = process.bridge(x0[rows], xt[rows], before, now, rng)
    counts = _counts(drawn, len(x0), most).view(bridge.shape)
    p = chi_square(counts[possible], bridge[possible])
    ensure(p >= MIN_P, f"draws of `bridge` {where} do not follow Bayes' rule: p = {p:.2g}, n = {DRAWS} each")
    # one starting class in blocks of rows: corrupt, then bridge back
    exists = valid.any(-1)
    noised = process.corrupt(x0[rows], now, rng)
    back = process.bridge(x0[rows], noised, before, now, rng)
    for name, states, law in (("corrupt", noised, q_t), ("bridge after corrupt", back, q_s)):
        seen = _counts(states, len(x0), most).view(bridge.shape).sum(2)
        p = chi_square(seen[exists], law[exists])
        ensure(p >= MIN_P, f"draws of `{name}` {where} do not follow q: p = {p:.2g}")


def _check_prior(finite: FiniteSites) -> None:
    """Draws of the prior follow π, and `prior_kl` is Σ q log(q / π) at t = 1."""
    process = finite.process
    pi = finite.prior()
    rng = torch.Generator().manual_seed(4)
    counts = _counts(process.prior((20 * DRAWS, finite.sites), rng), 1, max(finite.states))[:, 0]
    p = chi_square(counts, pi)
    ensure(p >= MIN_P, f"draws of `prior` of {process} do not follow π: p = {p:.2g}, n = {20 * DRAWS}")
    x0, _, valid = finite.pairs()
    q = finite.marginal(1.0)
    kl = torch.where(q > 0, q * (q.clamp(min=1e-300) / pi[:, None].clamp(min=1e-300)).log(), 0.0).sum(-1)
    got = process.prior_kl(x0).T.reshape(valid.shape)[:, :, 0]
    ensure_close(got[valid.any(-1)], kl[valid.any(-1)], EXACT, f"`prior_kl` of {process}")


def _counts(x: Tensor, groups: int, most: int) -> Tensor:
    """How often each state occurs at each site in each of `groups` equal blocks of rows, (sites, groups, most)."""
    blocks = torch.nn.functional.one_hot(x, most).view(groups, -1, x.shape[1], most)
    return blocks.sum(1).transpose(0, 1).double()
