"""`attn` computes attention exactly and shows it. In a notebook: `import attn_cli as attn`.

>>> import attn_cli as attn
>>> attn.attend([[1.0, 0.0], [0.0, 1.0]], heads=2).weights.shape
(1, 2, 2, 2)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import *  # noqa: F403 (the names of __all__, for editors and type checkers)

__version__ = "0.1.0"
__all__ = [
    "Attention", "Encoding", "Explanation", "Image", "InputError", "LoadedModel", "PositionTable", "Recording", "Series", "Sound", "Table",
    "Trained", "Verdict", "attend", "check", "diff", "encode", "explain", "heatmap", "label", "load", "mask", "page", "posenc", "read",
    "record", "save", "stats", "steps", "train",
]  # fmt: skip


if not TYPE_CHECKING:  # for type checkers a name that is not there is an error, not anything

    def __getattr__(name: str) -> Any:
        """Import on first use, so that `attn --help` waits for neither numpy nor torch."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(".api", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
