"""Maximum flow beside networkx, whose algorithms take up to seconds for each pair of query and key.

Seconds of processor time, so that whatever else runs on the machine counts for neither.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAYERS, TOKENS, SAMPLE = 12, 64, 8


def maps(*, causal: bool) -> np.ndarray:
    """Attention of a model of 12 layers × 4 heads that was never trained."""
    scores = np.random.default_rng(0).normal(size=(LAYERS, 4, TOKENS, TOKENS)) * 2
    e = np.exp(scores) * (np.tri(TOKENS) if causal else 1)
    return e / e.sum(axis=-1, keepdims=True)


def ours(weights: np.ndarray, queries: list[int]) -> float:
    """Seconds for all pairs: where all have equally many tokens between, those of these queries tell."""
    from attn_cli.interpret.flow import flow_from

    start = time.process_time()
    flow_from(queries, weights)
    return (time.process_time() - start) / len(queries) * TOKENS


def networkx(weights: np.ndarray, pairs: list[tuple[int, int]], algorithm: Callable[..., object]) -> float:
    """Seconds for each of these pairs, without the time that it takes to build the graph."""
    import networkx as nx
    from attn_cli.interpret.rollout import with_residual

    graph = nx.DiGraph()
    for i, layer in enumerate(with_residual(weights, 0.5)):
        for query, key in np.argwhere(layer > 0).tolist():
            graph.add_edge((i + 1, query), (i, key), capacity=layer[query, key])
    start = time.process_time()
    for query, key in pairs:
        nx.maximum_flow_value(graph, (LAYERS, query), (0, key), flow_func=algorithm)
    return (time.process_time() - start) / len(pairs)


def rows() -> Iterator[str]:
    """A line for each mask: seconds for all pairs of 64 tokens, ours and theirs, from a sample of both."""
    from networkx.algorithms.flow import edmonds_karp, preflow_push

    for causal in (False, True):
        weights = maps(causal=causal)
        draw = np.random.default_rng(1).integers
        pairs = [(query, int(draw(query + 1))) for query in draw(8, TOKENS, SAMPLE).tolist()]
        n = TOKENS * (TOKENS + 1) // 2 if causal else TOKENS**2  # pairs with a way
        mine = ours(weights, list(range(TOKENS)) if causal else list(range(0, TOKENS, 8)))
        quick = networkx(weights, pairs, preflow_push) * n
        authors = networkx(weights, pairs[:1], edmonds_karp) * n
        name = f"flow, {LAYERS} × {TOKENS} tokens{', causal' if causal else ''}"
        yield (
            f"{name:44} {mine:7.1f} s; networkx preflow_push {quick:7.0f} s, {quick / mine:4.0f} ×; "
            f"edmonds_karp, the authors' {authors:7.0f} s, {authors / mine:5.0f} ×"
        )


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
