"""Which query may attend to which key: one function per mask. True = may attend, as in torch's SDPA.

A mask is a predicate over positions. It takes query positions and key positions, integer arrays that
broadcast against each other (NumPy or torch alike), and gives booleans. The last query stands at the
position of the last key, so that with more keys than queries the queries are the end of the sequence.
A mask `of_vectors` takes the vectors in their place. A list of numbers in a spec has + between them.
"""

from .mask import MASKS, Mask, as_matrix, from_matrix, is_of_vectors, manner, of_vectors, reach, reaches
from .simple import block, causal, dilated, document, global_, padding, prefix, window
from .sparse import bigbird, fixed, lsh, random, strided

__all__ = [
    "MASKS",
    "Mask",
    "as_matrix",
    "bigbird",
    "block",
    "causal",
    "dilated",
    "document",
    "fixed",
    "from_matrix",
    "global_",
    "is_of_vectors",
    "lsh",
    "manner",
    "of_vectors",
    "padding",
    "prefix",
    "random",
    "reach",
    "reaches",
    "strided",
    "window",
]  # fmt: skip
