"""Every variant that the registries hold, as specs: what the contract tests loop over.

A new entry is found by itself. Only what its signature cannot tell is written here: values for options
that have no default, and the arrays of a file.
"""

import numpy as np
from attn_cli.registry import options
from attn_cli.variants.masks import MASKS
from attn_cli.variants.normalisation import NORMALISATIONS
from attn_cli.variants.posenc import POSITIONS
from attn_cli.variants.scores import SCORES

N_HEADS, D_HEAD = 2, 4

_normal = np.random.default_rng(0).normal

FILES = {
    "general": {"W": _normal(size=(D_HEAD, D_HEAD)) / D_HEAD},
    "additive": {"W_q": _normal(size=(D_HEAD, 3)), "W_k": _normal(size=(D_HEAD, 3)), "v": _normal(size=3)},
    "t5": {"bias": _normal(size=(8, N_HEADS))},
    "xl": {"u": _normal(size=D_HEAD), "v": _normal(size=D_HEAD), "W_R": _normal(size=(D_HEAD, D_HEAD)) / 2},
    "clipped": {"a": _normal(size=(5, D_HEAD))},
}
_needed = {
    "padding": "length=5",
    "prefix": "length=3",
    "document": "lengths=2+3",
    "t5": "buckets=8,farthest=5",
    "clipped": "clip=2",
}


def _specs(registry, *more):
    return [*(_spec(name, registry[name]) for name in registry), *more]


def _spec(name, function):
    file = f"file={name}" if "file" in options(function) else ""
    return f"{name}:{','.join(filter(None, [_needed.get(name, ''), file]))}".rstrip(":")


SCORE_SPECS = _specs(SCORES, "gaussian:sigma=2.5")
POSITION_SPECS = _specs(
    POSITIONS,
    "rope:base=100,partial=0.5",
    "rope:pairing=interleaved",
    "rope:scaling=linear,factor=4",
    "rope:scaling=ntk,factor=4",
    "rope:scaling=yarn,factor=4,original=64,base=50",
    "t5:buckets=8,farthest=5,bidirectional=false,file=t5",
)
MASK_SPECS = _specs(
    MASKS,
    "window:size=3,ahead=1",
    "dilated:size=3,gap=2,ahead=1",
    "global:tokens=0+4",
    "fixed:stride=3,summary=2",
    "random:share=0.4,seed=7",
    "bigbird:block=2,share=0.3,seed=1",
    "lsh:buckets=2,rounds=3,seed=5",
    "window:size=3,ahead=1|global:tokens=0",
    "block:size=3|lsh",
)
NORMALISATION_SPECS = _specs(NORMALISATIONS, "softmax1:sink=-0.5+1.5", "sigmoid:bias=-1")


def read_arrays(name):
    """What stands for reading the file that a spec names."""
    return FILES[name]
