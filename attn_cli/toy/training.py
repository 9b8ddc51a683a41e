"""Training as a generator of steps, which can stop after any of them and go on as if nothing had happened.

Nothing here prints or writes: whoever iterates decides what to show. All that is random in a step comes from
the seed and the step's number alone, so the state of a training is its weights, the optimiser's moments and
a few figures (`resuming.py`): continued from there on the same machine with the same threads, every number is
the same.
"""

from __future__ import annotations

import contextlib
import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..errors import InputError
from ..transformer.model import Config, Transformer
from .batches import IGNORED, Numbered, order
from .evaluation import evaluate
from .film import Frame, Watched, filmed
from .optimizer import Optimizer
from .schedules import SCHEDULES
from .settings import Extension, Machine, Options, Step, Team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jaxtyping import Float

    from .batches import Batch
    from .evaluation import Evaluation
    from .examples import Dataset, Example, Recipe


def new_model(config: Config, seed: int) -> Transformer:
    """An untrained model: torch's initial values from this seed, its global generator left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Transformer(config)
        if config.unembedding == "tied":  # as logits are made of it too, which should begin about 1
            nn.init.normal_(model.embedding.get_parameter("weight"), std=config.d_model**-0.5)
    return model


class Training:
    """A model on its way: what it has learned so far, and all that the next step needs.

    >>> from attn_cli.toy.tasks import draw, recipe, reverse
    >>> dataset = draw(reverse, 200, seed=0)
    >>> model = new_model(Config(10, dataset.longest, d_model=8, n_heads=2, n_layers=1, d_ff=16), seed=0)
    >>> training = Training(model, dataset, recipe(reverse), Options(steps=2, lr=0.01, seed=0))
    >>> [step.step for step in training.run()]
    [1, 2]
    """

    def __init__(
        self,
        model: Transformer,
        dataset: Dataset,
        recipe: Recipe,
        options: Options,
        machine: Machine | None = None,
        team: Team | None = None,
    ) -> None:
        self.model, self.dataset, self.recipe, self.options = model, dataset, recipe, options
        self.machine, self.team = machine or Machine(), team or Team()
        self.model.to(self.machine.device)
        self.data = self.numbered(dataset.train)
        if (most := min(options.batch, len(self.data))) < self._pieces:
            raise InputError(
                f"--accumulate {self._pieces} is more than the batch of {most}", hint="give a larger --batch"
            )
        self.optimizer = Optimizer(model, weight_decay=options.weight_decay, clip=options.clip)
        self.factor = SCHEDULES.parse(options.schedule)
        self.done = 0
        self.extended: list[Extension] = []
        self.history: list[Step] = []
        self.mean = copy.deepcopy(model).eval() if options.average else None
        self.best, self.stale = math.inf, 0  # lowest loss on held-out examples, and evaluations since
        self.best_weights: dict[str, Tensor] = {}
        self.best_head: tuple[int, int] | None = None  # as far as was measured
        self.stopping = False  # whoever iterates is to stop after this step, as one process was told to
        self.watched = Watched(dataset, recipe)
        self.frames: list[Frame] = []
        self._forward = self._parallel()
        self._ordered: tuple[int, list[np.ndarray]] = (-1, [])

    def numbered(self, examples: Sequence[Example]) -> Numbered:
        """Examples as the model reads and writes them."""
        return Numbered(examples, self.dataset, writes=self.recipe.stack == "both")

    @property
    def over(self) -> bool:
        """Whether there is no step left, or no hope that another one helps."""
        return self.done >= self.options.steps or 0 < self.options.patience <= self.stale

    def run(self) -> Iterator[Step]:
        """Train in place, one step for each item, until it is over.

        Raises InputError when the loss is no longer a number.
        """
        self._shoot()
        while not self.over:
            self.done += 1
            lr = self.options.lr * self.factor(self.done, self.options.steps)
            loss = self._compiled_step(lr) if self.machine.compile else self._step(lr)
            if not math.isfinite(loss):
                raise InputError(
                    f"the loss is {loss} after {self.done} steps", hint="give a smaller --lr or --dim"
                )
            step = Step(self.done, loss, lr)
            if self.measures(self.done):
                step = self._measured(step)
            self.history.append(step)
            self._shoot()
            yield step

    def measures(self, step: int) -> bool:
        """Whether this step is measured on held-out examples."""
        return step % self.options.evaluate_every == 0 or step == self._steps_then(step)

    def filmed(self, step: int) -> bool:
        """Whether the film has a frame after this step."""
        return self.options.film and step in filmed(self._steps_then(step))

    def _steps_then(self, step: int) -> int:
        """How many steps the training was to have when it did this one."""
        return next((begun.steps for begun in self.extended if step <= begun.until), self.options.steps)

    def finish(self) -> Evaluation:
        """Give the model the weights that are to be kept, and measure it."""
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)
        elif self.mean is not None:
            self.model.load_state_dict(self.mean.state_dict())
        self.model.eval()
        if self.options.film:
            self.frames = [frame for frame in self.frames if frame.step < self.done]
            self.frames.append(Frame(self.done, self.watch(), self.watched.answer(self.kept)))
        return evaluate(self.model, self.dataset, self.recipe)

    @property
    def kept(self) -> Transformer:
        """The model as it would be kept now."""
        return self.model if self.mean is None else self.mean

    def watch(self) -> Float[np.ndarray, "layer head query key"]:
        """The attention to one held-out example, as it is now."""
        return self.watched.weights(self.kept)

    def _shoot(self) -> None:
        if self.filmed(self.done) and self.done not in (frame.step for frame in self.frames[-1:]):
            self.frames.append(Frame(self.done, self.watch(), self.watched.answer(self.kept)))

    # ---- a step ----

    def _compiled_step(self, lr: float) -> float:
        """A step of a model that torch compiles in the first one, if it can."""
        try:
            return self._step(lr)
        except RuntimeError as problem:
            said = str(problem).strip().partition("\n")[0]
            hint = "install a C++ compiler, or leave --compile out"
            raise InputError(f"torch cannot compile the model ({said})", hint=hint) from None

    def _step(self, lr: float) -> float:
        chosen = self._chosen()
        asked = int(self.data.asked[chosen].sum())
        if not self.model.training:  # saying so to each part of it takes a while
            self.model.train()
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.machine.device)
        for i in range(self.options.accumulate):
            first = self.team.rank * self.options.accumulate + i
            piece = chosen[first :: self._pieces]
            with self._randomness(first):
                loss = self._loss(self.data.packed(piece).to(self.machine.device)) / asked
                # Data parallel training takes the mean over processes, and this is a sum.
                (loss * self.team.size).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        self.optimizer.step(lr)
        if self.mean is not None:
            self._average(self.mean)
        return self._shared(total) if self.team.size > 1 else total.item()

    def _shared(self, total: Tensor) -> float:
        """The loss of all processes; and if one of them is to stop, all are."""
        both = torch.stack([total, total.new_tensor(float(self.stopping))])
        torch.distributed.all_reduce(both)
        loss, stopping = both.tolist()
        self.stopping |= stopping > 0
        return loss

    @property
    def _pieces(self) -> int:
        """How many pieces a batch is computed in, by all processes together."""
        return self.options.accumulate * self.team.size

    def _chosen(self) -> np.ndarray:
        """The examples of this step: all are seen once before any is seen again."""
        epoch, place = divmod(self.done - 1, max(1, len(self._order(0))))
        return self._order(epoch)[place]

    def _order(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch; as many in every one."""
        if self._ordered[0] != epoch:
            self._ordered = epoch, order(self.data, self.options.batch, self.options.seed, epoch)
        return self._ordered[1]

    def _loss(self, batch: Batch) -> Tensor:
        """The sum over all tokens asked."""
        bfloat16 = self.machine.dtype == "bfloat16"
        with torch.autocast(self.machine.device, torch.bfloat16, enabled=bfloat16):
            logits = self._forward(  # [batch, out, vocab]
                batch.source,
                batch.padding_mask,
                target=batch.written,
                document_ids=batch.document_ids,
                target_document_ids=batch.target_document_ids,
            )
        return cross_entropy(
            logits.flatten(0, 1).float(),
            batch.wanted.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.options.label_smoothing,
            reduction="sum",
        )

    def _parallel(self) -> Callable[..., Tensor]:
        """The model, compiled if wanted, and shared among the processes of a team."""
        model: nn.Module = self.model
        if self.machine.compile:
            model = torch.compile(model)  # type: ignore[assignment]
        return nn.parallel.DistributedDataParallel(model) if self.team.size > 1 else model

    @contextlib.contextmanager
    def _randomness(self, piece: int) -> Iterator[None]:
        """What dropout leaves out depends on seed, step and piece of the batch, and on nothing that came before."""
        if not self.model.config.dropout:
            yield
            return
        devices = [torch.cuda.current_device()] if self.machine.device == "cuda" else []
        seed = np.random.SeedSequence((self.options.seed, self.done, piece))
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(seed.generate_state(1, np.uint64)[0]))
            yield

    @torch.no_grad()
    def _average(self, mean: Transformer) -> None:
        """A running mean of the weights, which is surer than the last of them. Izmailov et al. 2018, arXiv:1803.05407."""
        decay = min(self.options.average, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(list(mean.parameters()), list(self.model.parameters()), 1 - decay)

    def _measured(self, step: Step) -> Step:
        """The same step with what the model, as it would be kept, does on held-out examples."""
        model = self.kept.eval()
        reached = evaluate(model, self.dataset, self.recipe, most=_GLANCE)
        if self.options.patience:
            self.stale = 0 if reached.loss < self.best else self.stale + 1
            if reached.loss < self.best:
                self.best = reached.loss
                self.best_weights = {name: x.clone() for name, x in model.state_dict().items()}
        if reached.expected_mass is not None:
            self.best_head = reached.best_head
        mass = None if reached.expected_mass is None else float(reached.expected_mass.max())
        return replace(step, held_out_loss=reached.loss, exact_match=reached.exact_match, expected_mass=mass)


_GLANCE = 512  # examples that are enough to see how it goes
