"""Models by the names that they have on the Hugging Face hub, in the local cache of it: nothing is fetched.

The cache keeps `models--ORG--NAME/snapshots/REVISION/FILE`; `refs/main` names the revision of today's branch.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_CONFIG = "config.json"


def is_name(text: str) -> bool:
    """Whether it could be a model's name on the hub.

    >>> is_name("bert-base-uncased"), is_name("google-t5/t5-small"), is_name("./bert"), is_name("runs/a/b")
    (True, True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def home() -> Path:
    """The folder of the cache: HF_HUB_CACHE, else `hub` in HF_HOME, else the one in the user's own cache."""
    if hub := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(hub).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "hub"


def find(name: str) -> Path | None:
    """The directory of a cached model, by its whole name or, where one organisation alone has it, without that.

    None where there is none, or nothing of it but single files.
    """
    if not is_name(name):
        return None
    folders = [home() / f"models--{name.replace('/', '--')}"]
    if "/" not in name:
        folders += sorted(home().glob(f"models--*--{name}"))
    found = [there for folder in folders if (there := _snapshot(folder)) is not None]
    exact = bool(found) and found[0].parent.parent == folders[0]
    return found[0] if exact or len(found) == 1 else None


def _snapshot(folder: Path) -> Path | None:
    """The revision that `main` names, else the one that was fetched last."""
    ref = folder / "refs" / "main"
    try:
        named = [folder / "snapshots" / ref.read_text(encoding="utf-8").strip()] if ref.is_file() else []
        others = sorted((folder / "snapshots").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return None
    inside = [path for path in (*named, *others) if path.parent == folder / "snapshots"]
    return next((path for path in inside if (path / _CONFIG).is_file()), None)
