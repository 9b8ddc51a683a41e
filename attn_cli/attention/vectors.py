"""From vectors to an `Attention` in one call, by the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import layers
from .heads import project as project_heads
from .rules import Rule

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from ..records.attention import Attention, Kind
    from ..records.encoding import Encoding
    from ..variants.normalisation import Normalisation
    from .heads import Projecting
    from .specs import Masks, PositionSpec, ReadArrays, ScoreSpec


def attend(
    query: Encoding | Float[np.ndarray, "query d_query"],
    key: Encoding | Float[np.ndarray, "key d_key"] | None = None,
    value: Encoding | Float[np.ndarray, "key d_value"] | None = None,
    *,
    heads: int = 1,
    kv_heads: int | None = None,
    project: Projecting = "identity",
    score: ScoreSpec = "scaled_dot",
    position: PositionSpec | None = None,
    mask: Masks = (),
    normalise: str | Normalisation = "softmax",
    scale: float | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    top_k: int | None = None,
    memory: Encoding | Float[np.ndarray, "memory d_key"] | None = None,
    seed: int = 0,
    dtype: str | None = None,
    device: str = "cpu",
    kind: Kind = "self",
    read_arrays: ReadArrays = None,
) -> Attention:
    """Multi-head attention from vectors: the command line as one function.

    Every intermediate number is kept where that fits; see `layers.attend`. Options are those of `attn attend`,
    and mean the same; see `heads.project` for the vectors and `Rule.parse` for the specs. Raises InputError when shapes do not fit or an input is not finite.

    >>> import numpy as np
    >>> attend(np.eye(2)).weights.round(3).tolist()  # scores [1, 0] / √2
    [[[[0.67, 0.33], [0.33, 0.67]]]]
    """
    rule = Rule.parse(
        score=score,
        position=position,
        mask=mask,
        normalise=normalise,
        scale=scale,
        temperature=temperature,
        softcap=softcap,
        top_k=top_k,
        seed=seed,
        read_arrays=read_arrays,
    )
    projected = project_heads(
        query,
        key,
        value,
        heads=heads,
        kv_heads=kv_heads,
        project=project,
        memory=memory,
        seed=seed,
        dtype=dtype,
        device=device,
        kind=kind,
    )
    return layers.attend(projected, rule)
