"""Files: one reader and writer per format, and one way in and out for all of them.

A format is a function from a record to bytes, registered under its suffix in `FORMATS`.
"""

from ..text.escaping import json_text
from . import delimited, json_, npy, npz, safetensors, typeset  # noqa: F401 (each registers its formats)
from .answers import numbers_of, read_answer
from .decoding import decode, read_text, without_option
from .elsewhere import Given, Vectors, understood
from .formats import FORMATS, format_of, with_digits
from .mask import read_mask
from .memory import limit_memory, most_memory, parse_size
from .ours import made_by_attn, own_name
from .reading import read, read_arrays, read_matrix
from .recording import read_recording, recording_npz
from .series import series_tsv
from .tabular import TABLES
from .tensors import read_attention, read_tokens
from .word_vectors import read_vectors
from .worked import WORKED
from .writers import writers_of
from .writing import write

__all__ = [
    "FORMATS",
    "TABLES",
    "WORKED",
    "Given",
    "Vectors",
    "decode",
    "format_of",
    "json_text",
    "limit_memory",
    "made_by_attn",
    "most_memory",
    "numbers_of",
    "own_name",
    "parse_size",
    "read",
    "read_answer",
    "read_arrays",
    "read_attention",
    "read_mask",
    "read_matrix",
    "read_recording",
    "read_text",
    "read_tokens",
    "read_vectors",
    "recording_npz",
    "series_tsv",
    "understood",
    "with_digits",
    "without_option",
    "write",
    "writers_of",
]
