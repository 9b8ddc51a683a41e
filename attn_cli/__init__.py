"""`attn` computes attention exactly and shows it. In a notebook: `import attn_cli as attn`.

>>> import attn_cli as attn
>>> attn.attend([[1.0, 0.0], [0.0, 1.0]], heads=2).weights.shape
(1, 2, 2, 2)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attention.vectors import attend
    from .models import load
    from .records.attention import Attention
    from .records.encoding import Encoding, PositionTable

__version__ = "0.1.0"
__all__ = ["Attention", "Encoding", "PositionTable", "attend", "load"]

# Imported on first use, so that `attn --help` waits for neither numpy nor torch.
_HOMES = {
    "Attention": "records.attention",
    "Encoding": "records.encoding",
    "PositionTable": "records.encoding",
    "attend": "attention.vectors",
    "load": "models",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module(".notebook", __name__)  # an Attention can then show itself
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
