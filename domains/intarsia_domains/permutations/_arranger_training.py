"""Training of an arranger, and the choice between one step and all steps."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from intarsia.training import Budget, Settings, Trained, Watch, train
from intarsia_domains.permutations._arranger_chain import Chain, Greedy
from intarsia_domains.permutations._arranger_inputs import Fixed, Fresh, Source, read_orders
from intarsia_domains.permutations._arranger_network import ArrangerNetwork
from intarsia_domains.permutations._arranger_shapes import AbstractShape
from intarsia_domains.permutations._encoders import AbstractEncoder
from intarsia_domains.permutations._encoders_items import Items, take

HELD_OUT = 128
"""Most sets on which a model is measured while it trains."""

ENDLESS = 2**40
"""Epochs of sets that are always new."""

Chains = Callable[[int, ArrangerNetwork], Chain]
Sets = tuple[Items, Tensor]


def split(raw: Any, orders: Any, read: Callable[[Any], Items], seed: int) -> tuple[Fixed | Fresh, Sets]:
    """Training sets, and sets to measure on: a tenth of those that are given, at most 128."""
    if orders is None:
        if not callable(raw):
            raise ValueError("give the orders of the sets, or a function that makes sets and orders")
        fresh = Fresh(cast(Source, raw), read)
        return fresh, fresh.draw(HELD_OUT, seed + 2**32)
    items = read(raw)
    known = read_orders(orders, len(items), items.shape[1])
    if len(items) < 2:
        raise ValueError(f"an arranger learns from at least two sets, got {len(items)}")
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed))
    out = min(HELD_OUT, max(1, len(items) // 10))
    held, kept = order[:out], order[out:]
    return Fixed(take(items, kept), known[kept]), (take(items, held), known[held])


def fit_arranger(
    network: ArrangerNetwork,
    chains: Chains,
    shape: AbstractShape,
    encoder: AbstractEncoder,
    data: Fixed | Fresh,
    held: Sets,
    budget: Budget,
    settings: Settings,
    seed: int,
    watch: Watch | None,
) -> tuple[Trained, dict[str, Any], bool]:
    """Train in place; what came of it, also as JSON, and whether all steps are better than one."""
    curve: list[list[float]] = []
    held = held[0].to(network.device), held[1].to(network.device)
    start = time.monotonic(), time.process_time()

    def loss(model: nn.Module, rows: Tensor, rng: torch.Generator) -> Tensor:
        assert isinstance(model, ArrangerNetwork)
        items, orders = data.batch(rows, rng)
        items, orders = items.to(network.device), orders.to(network.device)
        items, orders = shape.mixed(encoder.augment(items, rng), orders, rng)
        x0 = shape.free(shape.canonical(items, orders))
        chain = chains(items.shape[1], model)
        return chain.loss(model.encode(items), x0, rng) / x0.shape[1]  # gradients of one size at every n

    def held_out(model: nn.Module) -> float:
        assert isinstance(model, ArrangerNetwork)
        nats, good = measure(chains(held[0].shape[1], model), held, seed)
        curve.append([time.monotonic() - start[0], time.process_time() - start[1], nats, good])
        return nats

    endless = isinstance(data, Fresh)
    rows = settings.batch_size if endless else len(data.items)
    own = replace(settings, max_epochs=ENDLESS) if endless else settings
    trained = train(network, loss, rows, held_out, budget, own, seed=seed, watch=watch)
    chain = chains(held[0].shape[1], network)
    one, all_of_them = (greedy_quality(chain, held, seed, all_steps=x) for x in (False, True))
    summary = {
        "steps": trained.steps,
        "seconds": trained.seconds,
        "held_out_nats": curve[-1][2] if curve else math.nan,
        "held_out_one_step": one,
        "held_out_all_steps": all_of_them,
        "interrupted": trained.interrupted,
        "curve": [[step, *point] for (step, _), point in zip(trained.history, curve, strict=True)],
    }
    return trained, summary, chain.predicts_moves or all_of_them > one


def measure(chain: Chain, held: Sets, seed: int) -> tuple[float, float]:
    """Nats per set of held-out sets (of one noise each) and the quality of greedy orders."""
    items, orders = held
    rng = torch.Generator(orders.device).manual_seed(seed)
    x0 = chain.shape.free(orders)
    encoded = chain.network.encode(items)
    if chain.predicts_moves:
        nats = float(chain.loss(encoded, x0, rng).mean())
    else:
        x = chain.process.prior(tuple(x0.shape), rng)
        pred = chain.predict(encoded, x, torch.ones(len(x), device=x.device))
        nats = float(chain.law.log_prob(pred, x0).neg().mean())
    return nats, greedy_quality(chain, held, seed, all_steps=False)


def greedy_quality(chain: Chain, held: Sets, seed: int, *, all_steps: bool) -> float:
    """The share of held-out sets in their right order; of tours minus the mean length."""
    items, orders = held
    rng = torch.Generator(orders.device).manual_seed(seed)
    with torch.no_grad():
        x = chain.process.prior((len(orders), orders.shape[1] - chain.shape.pinned), rng)
        looks = chain.looks(all_steps=all_steps)
        free, _ = Greedy().run(chain, chain.network.encode(items), x, looks, rng)
    found = chain.shape.whole(free[:, 0])
    cost = chain.shape.cost(items, found[:, None])
    return float((found == orders).all(1).double().mean()) if cost is None else -float(cost.mean())
