"""The matrices that a variant would learn: taken from a file, or random and then called untrained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..records.checks import check_finite, shape

if TYPE_CHECKING:
    from torch import Tensor

Arrays = Mapping[str, np.ndarray]


def parameter(
    name: str, sizes: tuple[int, ...], *, spread: float, seed: int, file: Arrays | None, like: Tensor
) -> Tensor:
    """The file's array of that name, else normal numbers of that spread from seed and name; as a tensor like `like`.

    Each name has numbers of its own. Raises InputError when the file has not the array, or in another shape.

    >>> import torch
    >>> parameter("v", (2,), spread=1.0, seed=0, file={"v": np.ones(2)}, like=torch.zeros(1))
    tensor([1., 1.])
    """
    if file is None:
        if seed < 0:
            raise InputError(f"seed {seed}", hint="give 0 or more")
        generator = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
        return like.new_tensor(generator.normal(0, spread, sizes))
    if name not in file:
        raise InputError(f"a file with {', '.join(file) or 'no arrays'}", hint=f"name an array {name}")
    if file[name].shape != sizes:
        raise InputError(f"{name} {shape(file[name])}", hint=f"give it the shape {list(sizes)}")
    check_finite(name, file[name])
    return like.new_tensor(file[name])
