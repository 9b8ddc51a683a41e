"""Which tokens an output rests on, by several methods at once, each tested beside chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..records.explanation import Explanation
from ..records.progress import Progress, drain
from ..registry import Registry
from .case import Case, example, in_float64  # noqa: F401 (what the examples below explain)
from .faithfulness import judged

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from jaxtyping import Float

    OfTokens = Float[np.ndarray, " token"]

Method = Callable[[Case], Any]

METHODS: Registry[Method] = Registry("method")


@METHODS.register
def rollout(case: Case) -> OfTokens:
    """Rollout of the weights: ½ · A + ½ · I, layer after layer.

    Abnar & Zuidema 2020, arXiv:2005.00928, §4.1.

    >>> rollout(example()).shape
    (3,)
    """
    return case.along(case.weights, "rollout")


@METHODS.register
def flow(case: Case) -> OfTokens:
    """Maximum flow of the weights from the output to each token.

    Abnar & Zuidema 2020, arXiv:2005.00928, §4.2.

    >>> flow(example()).shape
    (3,)
    """
    return case.along(case.weights, "flow")


@METHODS.register
def gradients(case: Case) -> OfTokens:
    """Relevance of max(0, gradient ⊙ weight) by Chefer's rules.

    Chefer et al. 2021, arXiv:2103.15679.

    >>> gradients(example()).shape
    (3,)
    """
    from .gradients import gradients as found

    maps = {kind: in_float64(each) for kind, each in found(case.answer).items()}
    return case.along(maps, "relevance", "gradients")


@METHODS.register
def zeroing(case: Case) -> OfTokens:
    """Rollout of value zeroing, 1 − cos of each layer's output.

    Mohebbi et al. 2023, arXiv:2301.12971.

    >>> zeroing(example()).shape
    (3,)
    """
    from ..transformer.answer import Asked
    from .zeroing import zeroing as found

    if not isinstance(case.answer, Asked):
        raise InputError("value zeroing needs a model that is read natively")
    maps = {kind: in_float64(found(case.answer, kind))[:, None] for kind in case.weights}
    return case.along(maps, "rollout", "zeroing")


@METHODS.register
def norms(case: Case) -> OfTokens:
    """Rollout of ‖weight · value · W_o‖, rows scaled to sum to 1.

    Kobayashi et al. 2020, arXiv:2004.10102.

    >>> norms(example()).shape
    (3,)
    """
    return case.along(case.norms, "rollout")


@METHODS.register
def integrated(case: Case) -> OfTokens:
    """Integrated gradients over the attention of all layers, summed over queries.

    Hao et al. 2021, arXiv:2004.11207.

    >>> integrated(example()).shape
    (3,)
    """
    from .gradients import integrated as found

    read = ("encoder", "cross") if case.answer.both else tuple(case.weights)
    return np.sum(
        [in_float64(maps).sum(axis=(0, 1, 2)) for kind, maps in found(case.answer).items() if kind in read],
        axis=0,
    )


@METHODS.register
def leave_one_out(case: Case) -> OfTokens:
    """How much the probability of the output falls without the token.

    Li et al. 2016, arXiv:1612.08220.

    >>> leave_one_out(example()).shape
    (3,)
    """
    n = int(case.removable.sum())
    p = case.probability(~np.vstack([np.zeros((1, n), dtype=bool), np.eye(n, dtype=bool)]))
    found = np.zeros(len(case.removable))
    found[case.removable] = p[0] - p[1:]
    return found


@METHODS.register
def uniform(case: Case) -> OfTokens:
    """The same for each token: the order of the text.

    >>> uniform(example()).shape
    (3,)
    """
    return np.full(len(case.removable), 1 / case.removable.sum())


@METHODS.register
def random(case: Case) -> OfTokens:
    """Random numbers, of which one draw is shown; its tests are the mean of 20 orders.

    >>> random(example()).shape
    (3,)
    """
    return np.random.default_rng(case.seed).random(len(case.removable))


CHANCE = ("uniform", "random")


def explain(
    case: Case,
    tokens: Sequence[str],
    *,
    output: Sequence[str],
    instead: str,
    provenance: str = "",
    methods: Iterable[str] = METHODS,
) -> Explanation:
    """Each method's number for each token that may be taken away, and what becomes of its ranking when it is tested.

    `uniform` and `random` are always among them. The numbers of two methods cannot be compared; the orders of tokens
    that they give can.

    >>> found = explain(example(), "abc", output=["d"], instead="zeros", methods=["rollout"])
    >>> list(found.methods), found.tests["method"].tolist()
    (['rollout', 'uniform', 'random'], ['rollout', 'uniform', 'random'])
    """
    found = drain(_found(case, [name for name in METHODS if name in (*methods, *CHANCE)]))
    tests = judged(
        {name: numbers for name, numbers in found.items() if name not in CHANCE},
        case.probability,
        int(case.removable.sum()),
        seed=case.seed,
    )
    whole = float(case.probability(np.ones((1, int(case.removable.sum())), dtype=bool))[0])
    return Explanation(
        tuple(token for token, kept in zip(tokens, case.removable, strict=True) if kept),
        tuple(np.flatnonzero(case.removable).tolist()),
        tuple(output),
        tuple(case.answer.rows),
        whole,
        found,
        tests,
        instead,
        provenance,
    )


def _found(case: Case, methods: Sequence[str]) -> Generator[Progress, None, dict[str, OfTokens]]:
    """What each method says; one that does not apply to this model is left out with a note."""
    found: dict[str, OfTokens] = {}
    for done, name in enumerate(methods, start=1):
        try:
            found[name] = METHODS[name](case)[case.removable]
        except InputError as problem:
            note(f"{name} left out: {problem.what}")
        yield Progress(done, len(methods))
    return found
