"""Whether a ranking of tokens holds: how an output changes without its first tokens, or with them alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records.progress import Progress, drain
from ..records.table import Table
from ..registry import Registry

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from jaxtyping import Bool, Float, Int

    # The probability of the output for each choice of tokens; what stands for a token that is not kept is the
    # caller's, who says so.
    Probability = Callable[[Bool[np.ndarray, "choice token"]], Float[np.ndarray, " choice"]]

Test = Callable[..., Any]

TESTS: Registry[Test] = Registry("test")

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the tokens, as in ERASER
ORDERS = 20  # random ones
STEPS = 20  # in which all tokens are taken away, where there are more of these


@TESTS.register
def comprehensiveness(order: Int[np.ndarray, " token"], probability: Probability) -> float:
    """How much the probability falls without the first tokens; higher is better.

    p(all) − p(all but the first s · n tokens), mean over the shares s = 1, 5, 10, 20, 50 %; a share is at least
    one token, and part of a token counts as one. DeYoung et al. 2020, arXiv:1911.03429, §4; their paper divides
    by one share more, their code does not.

    >>> comprehensiveness(np.array([1, 0]), lambda kept: kept[:, 1] * 1.0)  # the answer is all in token 1
    1.0
    """
    return _fall(order, probability, without=True)


@TESTS.register
def sufficiency(order: Int[np.ndarray, " token"], probability: Probability) -> float:
    """How much the probability falls with the first tokens alone; lower is better.

    p(all) − p(the first s · n tokens), mean over the shares s = 1, 5, 10, 20, 50 %. DeYoung et al. 2020,
    arXiv:1911.03429, §4.

    >>> sufficiency(np.array([1, 0]), lambda kept: kept[:, 1] * 1.0)
    0.0
    """
    return _fall(order, probability, without=False)


@TESTS.register
def deletion(order: Int[np.ndarray, " token"], probability: Probability) -> float:
    """Area under the probability while tokens are taken away in order; lower is better.

    Trapezoids over the share of tokens that are gone, from 0 to 1, one token after the other, or in steps of 5 %,
    a part of a token counted as one: four of these are shares of `comprehensiveness` too. Petsiuk et al. 2018, arXiv:1806.07421, §3.2.

    >>> deletion(np.array([1, 0]), lambda kept: kept[:, 1] * 1.0)  # 1, 0, 0: half of the first half
    0.25
    """
    n = len(order)
    steps = min(n, STEPS)
    gone = -(-np.arange(steps + 1) * n // steps)  # rounded up, as the shares above are
    curve = probability(_ranks(order) >= gone[:, None])
    return float(((curve[:-1] + curve[1:]) * np.diff(gone)).sum() / 2 / n)


def _fall(order: Int[np.ndarray, " token"], probability: Probability, *, without: bool) -> float:
    n = len(order)
    sizes = np.array([0, *(max(1, math.ceil(round(share * n, 9))) for share in SHARES)])
    first = _ranks(order) < sizes[:, None]
    kept = ~first if without else first
    kept[0] = True
    p = np.asarray(probability(kept), dtype=np.float64)
    return float((p[0] - p[1:]).mean())


def _ranks(order: Int[np.ndarray, " token"]) -> Int[np.ndarray, " token"]:
    """The place of each token in the order."""
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def order_of(importance: Float[np.ndarray, " token"]) -> Int[np.ndarray, " token"]:
    """The tokens, most important first; of equal ones the earlier, so that `uniform` is the order of the text.

    >>> order_of(np.array([0.25, 0.5, 0.25])).tolist()
    [1, 0, 2]
    """
    return np.argsort(-importance, kind="stable")


def judged(
    methods: Mapping[str, Float[np.ndarray, " token"]], probability: Probability, n: int, *, seed: int = 0
) -> Table:
    """A row per method, a column per test, over n tokens, with `uniform` and `random` always below.

    `random` is the mean of 20 orders and its standard error (ddof 1), in the columns `…_se`. A method that is
    not better than these explains nothing here. Attention is not by itself an explanation: Jain & Wallace 2019,
    arXiv:1902.10186; Wiegreffe & Pinter 2019, arXiv:1908.04626.

    >>> table = judged({"true": np.array([0.0, 1.0])}, lambda kept: kept[:, 1] * 1.0, 2)
    >>> table["method"].tolist(), table["deletion"].tolist()[:2]
    (['true', 'uniform', 'random'], [0.25, 0.75])
    """
    orders = {name: [order_of(np.asarray(numbers))] for name, numbers in methods.items()}
    draw = np.random.default_rng(seed).permutation
    orders |= {"uniform": [np.arange(n)], "random": [draw(n) for _ in range(ORDERS)]}
    return drain(_judging(orders, probability))


def _judging(
    orders: Mapping[str, Sequence[Int[np.ndarray, " token"]]], probability: Probability
) -> Generator[Progress, None, Table]:
    """Each test of each order, one after the other, as long texts take a while."""
    columns: dict[str, Any] = {"method": list(orders)}
    done, total = 0, len(TESTS) * sum(map(len, orders.values()))
    for name, test in TESTS.items():
        columns |= {name: [], f"{name}_se": []}
        for several in orders.values():
            results = []
            for order in several:
                results.append(test(order, probability))
                yield Progress(done := done + 1, total)
            columns[name].append(float(np.mean(results)))
            columns[f"{name}_se"].append(_standard_error(np.array(results)))
    return Table(columns, "faithfulness")


def _standard_error(numbers: Float[np.ndarray, " order"]) -> float:
    return float(numbers.std(ddof=1) / np.sqrt(len(numbers))) if len(numbers) > 1 else math.nan
