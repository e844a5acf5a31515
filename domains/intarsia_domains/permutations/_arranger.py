"""`Arranger`: a set of items in, an order of them out."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intarsia.domain import AbstractDomain
from intarsia.errors import RequirementError
from intarsia.persistence import Artifact, load_artifact, rebuilding, save_artifact, state_into
from intarsia.processes import AbstractPermutationHead, Move, PrefixPlackettLuce
from intarsia.progress import shown
from intarsia.report import Report
from intarsia.training import Budget, Settings, own_generator, threads
from intarsia_domains.permutations._arranger_card import card
from intarsia_domains.permutations._arranger_chain import AbstractDecoder, Beam, Chain, Draw, Greedy, law_of, riffles
from intarsia_domains.permutations._arranger_inputs import read_items, read_orders, read_points, read_prefixes
from intarsia_domains.permutations._arranger_network import ArrangerNetwork
from intarsia_domains.permutations._arranger_shapes import AbstractShape, Line, Tour
from intarsia_domains.permutations._arranger_spread import Spread, spread
from intarsia_domains.permutations._arranger_training import fit_arranger, split
from intarsia_domains.permutations._encoders import AbstractEncoder, VectorEncoder
from intarsia_domains.permutations._encoders_items import Items, take
from intarsia_domains.permutations._objects import from_json, to_json

Objective = Callable[[Any, NDArray[np.int64]], Any]
"""`(items, orders (rows, k, n)) -> costs (rows, k)`; the least is taken."""

Polish = Callable[[Any, NDArray[np.int64]], Any]
"""`(items, orders (rows, n)) -> better orders (rows, n)`."""

DECODERS: dict[str, AbstractDecoder] = {"greedy": Greedy(), "beam": Beam(), "sample": Draw()}
BLOCK = 256
"""Sets that are arranged at once; fewer where there are several starts."""


class Arranger(AbstractDomain):
    """Learns to put sets of items in order: sorting, jigsaws, tours.

    Riffle-shuffle diffusion: an order is shuffled to noise, and a network that sees the items in their shuffled order
    predicts the order they came from (SymmetricDiffusers, arXiv 2410.02942). By default it predicts x0, and the exact
    bridge takes the steps; `head=Move(GeneralizedPlackettLuce())` is the published model of one step. The number of
    riffles and the merged steps follow from total variation. How items are numbered does not matter: the network
    never sees their numbers. A model takes sets of other sizes than those it was fitted to.

    Args:
        encoder: how items are read: `VectorEncoder`, `ImageEncoder`, `PointEncoder`.
        shape: what an order is: `Line` or a closed `Tour`.
        head: the law that the network predicts: `PlackettLuce`, `GeneralizedPlackettLuce` or `PrefixPlackettLuce`
            for x0, or one of them in a `Move`.
        width, depth, heads, dropout: of the attention over items.
        minutes: wall-clock budget of `fit`; ignored where `cpu_minutes` or `steps` is given.
        cpu_minutes: budget in CPU minutes of this process.
        steps: budget in optimizer steps; the same steps, seed and threads give the same weights.
        settings: of training.
        threads: torch threads; None leaves torch's own number.
        device: where the network runs.
        progress: show a progress bar; None only on a terminal.
        seed: of fitting.

    >>> rng = np.random.default_rng(0)
    >>> items = rng.normal(size=(500, 4, 1))
    >>> arranger = Arranger(VectorEncoder(), steps=60, progress=False).fit(items, items[..., 0].argsort(1))
    >>> arranger.arrange([[[0.7], [-1.0], [2.0], [0.1]]]).tolist()
    [[1, 3, 0, 2]]
    """

    def __init__(
        self,
        encoder: AbstractEncoder = VectorEncoder(),
        *,
        shape: AbstractShape = Line(),
        head: AbstractPermutationHead | Move = PrefixPlackettLuce(),
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
        minutes: float = 5.0,
        cpu_minutes: float | None = None,
        steps: int | None = None,
        settings: Settings = Settings(batch_size=64, evaluations=10, patience=0),
        threads: int | None = None,
        device: str = "cpu",
        progress: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.shape = shape
        self.head = head
        self.width = width
        self.depth = depth
        self.heads = heads
        self.dropout = dropout
        self.minutes = minutes
        self.cpu_minutes = cpu_minutes
        self.steps = steps
        self.settings = settings
        self.threads = threads
        self.device = device
        self.progress = progress
        self.seed = seed

    def fit(self, raw: Any, orders: Any = None) -> Self:
        """Learn from sets and their orders.

        Args:
            raw: items (rows, n, …) or `Parts`; or a function `(rows, rng) -> (items, orders)` that makes fresh sets
                with a numpy generator.
            orders: (rows, n): which item comes first, second, …; of tours, the cities in the order of the tour. None
                where `raw` is a function.

        Raises:
            ValueError: items or orders are no sets and orders of them, or there are fewer than two sets or items;
                the row is named.
        """
        budget = Budget.of(self.minutes, self.cpu_minutes, self.steps)
        data, held_out = split(raw, orders, self._read, self.seed)
        items, held_orders = held_out
        if items.shape[1] < 2 + self.shape.pinned:
            raise ValueError(
                f"sets of {items.shape[1]} items have nothing to learn; give at least {2 + self.shape.pinned}"
            )
        with own_generator():
            torch.manual_seed(self.seed)
            network = self._network(self.encoder.shape(items)).to(self.device)
        held = items, self.shape.canonical(items, held_orders)
        with threads(self.threads), shown(self.progress, "fit") as watch:
            trained, summary, all_steps = fit_arranger(
                network, self._chain, self.shape, self.encoder, data, held, budget, self.settings, self.seed, watch
            )
        self.item_shape_ = self.encoder.shape(items)
        self.n_items_ = int(items.shape[1])
        self.network_ = network
        self.training_, self.all_steps_ = summary, all_steps
        trained.warn_if_interrupted()
        return self

    def arrange(
        self,
        items: Any,
        *,
        decode: str | AbstractDecoder = "greedy",
        objective: Objective | None = None,
        polish: Polish | None = None,
        all_steps: bool | None = None,
        seed: int = 0,
    ) -> NDArray[np.int64]:
        """Put sets in order.

        Args:
            items: (rows, n, …) or `Parts`; n need not be that of the training sets.
            decode: "greedy", "beam" or "sample", or a decoder with settings: `Greedy`, `Beam`, `Draw`.
            objective: costs by which the best candidate of the decoder is chosen; by default the tour length of
                tours, otherwise the most probable.
            polish: improves the chosen orders; `shorten` is local search for tours.
            all_steps: take every step of the chain, or one from noise to data; None: what was better in `fit` on
                held-out sets.
            seed: of the noise to begin with.

        Returns:
            Orders (rows, n).
        """
        sets, orders, score = self._decoded(items, _decoder(decode), all_steps, seed)
        cost = self.shape.cost(sets, orders) if objective is None else _costs(objective, items, orders)
        best = (score if cost is None else -cost).argmax(1)
        chosen = orders[torch.arange(len(orders)), best].numpy()
        return chosen if polish is None else read_orders(polish(items, chosen), *chosen.shape).numpy()

    def sample(self, n: int, *, given: Any = None, all_steps: bool | None = None, seed: int = 0) -> NDArray[np.int64]:
        """Draw `n` orders of each set of items in `given`: (rows, n, items)."""
        if given is None:
            raise RequirementError("an arranger draws orders of items; say which: sample(n, given=items)")
        if n < 1:
            raise ValueError(f"`n` is the number of orders of each set, at least 1, got {n}")
        return self._decoded(given, Draw(n), all_steps, seed)[1].numpy()

    def uncertainty(self, items: Any, *, n_draws: int = 16, all_steps: bool | None = None, seed: int = 0) -> Spread:
        """How much draws of each set's order differ: marginals of places, their entropy, and Kendall's tau."""
        if n_draws < 2:
            raise ValueError(f"a spread needs at least two draws, got n_draws={n_draws}")
        return spread(self.sample(n_draws, given=items, all_steps=all_steps, seed=seed))

    def complete(self, raw: Any, *, seed: int = 0) -> NDArray[np.int64]:
        """Draw the rest of orders of which a prefix is known, exactly given the prefix and one look at noise.

        Args:
            raw: (items, orders), with -1 at the ranks that are free; of tours the first is item 0.
            seed: of the draws.
        """
        items = self._items(raw[0])
        known = read_prefixes(raw[1], items.shape[0], items.shape[1], self.shape.pinned)
        if isinstance(self.head, Move):
            raise RequirementError("a prefix restricts a law of x0; this model has a head of moves")
        chain, network = self._chain(items.shape[1]), self._fitted("network_")
        items, free, rng = items.to(network.device), known[:, self.shape.pinned :].to(network.device), self._rng(seed)
        mask = free >= 0
        x = chain.process.prior(tuple(free.shape), rng)
        with torch.no_grad(), threads(self.threads):
            pred = chain.predict(network.encode(items), x, torch.ones(len(x), device=x.device))
            values = torch.where(mask, free - self.shape.pinned, 0)
            return self.shape.whole(law_of(self.head).given(values, mask).sample(pred, rng)).cpu().numpy()

    def score_samples(self, raw: Any, *, starts: int = 4, seed: int = 0) -> NDArray[np.float64]:
        """Log-probability of orders in nats, (rows,), when they are made in one step: a mean over noises.

        Args:
            raw: (items, orders). Of tours both directions are one order.
            starts: noises; the mean of logarithms is a lower bound.
            seed: of the noises.
        """
        items = self._items(raw[0])
        orders = self.shape.canonical(items, read_orders(raw[1], *items.shape[:2]))
        chain, rng, network = self._chain(items.shape[1]), self._rng(seed), self._fitted("network_")
        if chain.predicts_moves:
            raise RequirementError("one step from noise needs a law of x0; this model has a head of moves")
        x0 = self.shape.free(orders).to(network.device)
        with torch.no_grad(), threads(self.threads):
            encoded = network.encode(items.to(network.device))
            total = torch.zeros(len(x0), dtype=torch.float64, device=x0.device)
            for _ in range(starts):
                x = chain.process.prior(tuple(x0.shape), rng)
                pred = chain.predict(encoded, x, torch.ones(len(x), device=x.device))
                total += chain.law.log_prob(pred, x0)
        return (total / starts).cpu().numpy()

    def evaluate(self, train: Any, holdout: Any, *, decode: str | AbstractDecoder = "greedy", seed: int = 0) -> Report:
        """Orders of training and held-out sets (each (items, orders)) beside their labels and the trivial floors."""
        from intarsia_domains.permutations._arranger_report import report

        return report(self, train, holdout, decode, seed)

    def save(self, path: str | Path) -> None:
        """Write a saved model; see `intarsia.persistence.save_artifact`.

        Raises:
            TypeError: the encoder or shape is one of your own, which a saved model cannot name.
        """
        config = {
            "parameters": {
                **{name: to_json(getattr(self, name)) for name in ("encoder", "shape", "head", "settings")},
                **{
                    name: getattr(self, name)
                    for name in ("width", "depth", "heads", "dropout", "minutes", "cpu_minutes", "steps", "threads")
                },
                "seed": self.seed,
            },
            "item_shape": list(self._fitted("item_shape_")),
            "n_items": self.n_items_,
            "all_steps": self.all_steps_,
            "training": {k: v for k, v in self.training_.items() if k != "seconds"},
        }
        weights = dict(self.network_.state_dict())
        save_artifact(path, Artifact(self.type_name(), config, {}, weights, card(self)))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            ArtifactError: it is damaged, hostile, or of another type.
        """
        artifact = load_artifact(path, type=cls.type_name())
        with rebuilding(path, "arranger"):
            saved = dict(artifact.config["parameters"])
            for name in ("encoder", "shape", "head", "settings"):
                saved[name] = from_json(saved[name])
            model = cls(saved.pop("encoder"), **saved)
            model.item_shape_ = tuple(int(x) for x in artifact.config["item_shape"])
            model.n_items_, model.all_steps_ = int(artifact.config["n_items"]), bool(artifact.config["all_steps"])
            model.training_ = dict(artifact.config["training"])
            with own_generator():  # the weights that are drawn here are replaced below
                model.network_ = model._network(model.item_shape_)
        state_into(model.network_, artifact.weights, path)
        model.network_.to(model.device).eval()
        return model

    def _read(self, raw: Any) -> Items:
        return (read_points if isinstance(self.shape, Tour) else read_items)(raw, self.encoder)

    def _items(self, raw: Any) -> Items:
        """Items that a fitted model can read."""
        wanted: tuple[int, ...] = self._fitted("item_shape_")
        items = self._read(raw)
        if self.encoder.shape(items) != wanted:
            raise ValueError(f"the model was fitted to items of shape {wanted}, got {self.encoder.shape(items)}")
        return items

    def _network(self, shape: tuple[int, ...]) -> ArrangerNetwork:
        sizes = {"width": self.width, "depth": self.depth, "heads": self.heads, "dropout": self.dropout}
        return ArrangerNetwork(self.encoder, shape, law_of(self.head), **sizes)

    def _chain(self, n: int, network: ArrangerNetwork | None = None) -> Chain:
        """Noise and network for sets of n items."""
        own: ArrangerNetwork = self._fitted("network_") if network is None else network
        return Chain(riffles(n - self.shape.pinned, self.head), own, self.shape)

    def _rng(self, seed: int) -> torch.Generator:
        return torch.Generator(self._fitted("network_").device).manual_seed(seed)

    def _decoded(
        self, raw: Any, decoder: AbstractDecoder, all_steps: bool | None, seed: int
    ) -> tuple[Items, Tensor, Tensor]:
        """Items, candidates (rows, k, n) and their scores (rows, k)."""
        items = self._items(raw)
        rows, n = items.shape[:2]
        if n < 2 + self.shape.pinned or not rows:
            return items, torch.arange(n).expand(rows, decoder.starts, n), torch.zeros(rows, decoder.starts)
        chain, rng = self._chain(n), self._rng(seed)
        looks = chain.looks(all_steps=self.all_steps_ if all_steps is None else all_steps)
        blocks = torch.arange(rows).split(max(1, BLOCK // decoder.starts))
        decode = partial(decode_block, chain, self.encoder, decoder, looks, rng)
        with torch.no_grad(), threads(self.threads):
            found = [decode(take(items, block).to(chain.network.device)) for block in blocks]
        return items, torch.cat([x.cpu() for x, _ in found]), torch.cat([score.cpu() for _, score in found])


def decode_block(
    chain: Chain,
    encoder: AbstractEncoder,
    decoder: AbstractDecoder,
    looks: list[tuple[int, int]],
    rng: torch.Generator,
    items: Items,
) -> tuple[Tensor, Tensor]:
    """Candidates (rows, k, n) of one block of sets and their scores; each start has its own view, where there are."""
    rows, n, shape = len(items), items.shape[1], chain.shape
    orders, scores = list[Tensor](), list[Tensor]()
    first = chain.network.encode(items)
    for start in range(decoder.starts):
        seen = shape.turned(encoder.view(items, start), start) if start else items
        x = chain.process.prior((rows, n - shape.pinned), rng)
        encoded = first if seen is items else chain.network.encode(seen)
        found, score = decoder.run(chain, encoded, x, looks, rng)
        orders.append(shape.turned_back(items, shape.whole(found), start))
        scores.append(score)
    return torch.cat(orders, 1), torch.cat(scores, 1)


def shorten(items: Any, orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tours through points (rows, n, 2) after 2-opt and Or-opt; a `polish` for `Arranger.arrange`."""
    from intarsia_domains.permutations._tours import distance_matrix, local_search

    points = torch.from_numpy(np.asarray(items, dtype=np.float64))
    return local_search(distance_matrix(points), torch.from_numpy(np.asarray(orders))).numpy()


def _decoder(decode: str | AbstractDecoder) -> AbstractDecoder:
    if isinstance(decode, AbstractDecoder):
        return decode
    if decode not in DECODERS:
        raise ValueError(f"`decode` is a decoder or one of {', '.join(DECODERS)}, got {decode!r}")
    return DECODERS[decode]


def _costs(objective: Objective, items: Any, orders: Tensor) -> Tensor:
    cost = torch.from_numpy(np.asarray(objective(items, orders.numpy()), dtype=np.float64))
    if cost.shape != orders.shape[:2]:
        raise ValueError(
            f"an objective gives a cost for each candidate, {tuple(orders.shape[:2])}, got {tuple(cost.shape)}"
        )
    return cost
