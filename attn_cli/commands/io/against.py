"""What is different about the second of two: `--against MODEL`, `--against mask=causal`, `--against layer=5`."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...registry import nearest
from .inputs import is_said
from .source_options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .resolve import Source


def changed(source: Source, changes: Sequence[str]) -> Source:
    """The same source with these options changed: `KEY=VALUE`, or a model alone.

    Raises InputError for an option that there is not, and for a value that is no number where one is wanted.
    """
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name.replace("-", "_") not in OPTIONS:
            if equals and "/" not in name:
                known = [key.replace("_", "-") for key in OPTIONS]
                raise InputError(
                    f"--against {change}: no option {name!r}",
                    hint=f"give MODEL or KEY=VALUE{nearest(name, known)}",
                )
            if is_said(change) and not os.path.exists(change):
                raise InputError(
                    f"--against {change!r} is a text, and no model or option",
                    hint="give MODEL or KEY=VALUE, as mask=causal; of two texts compare .npy files: "
                    "attn attend --text TEXT --model mini --layer 1 --head 2 -o a.npy",
                )
            name, value = "model", change
        source = _with(source, name.replace("-", "_"), value)
    return source


def _with(source: Source, name: str, value: str) -> Source:
    for part in dataclasses.fields(source):
        group = getattr(source, part.name)
        if name in (f.name for f in dataclasses.fields(group)):
            return dataclasses.replace(
                source, **{part.name: dataclasses.replace(group, **{name: _read(name, value)})}
            )
    raise InputError(f"--against cannot change {name!r}", hint="change an option of the source")


def _read(name: str, value: str) -> Any:
    """A value as the option takes it."""
    kind = str(OPTIONS[name].kind)
    try:
        if "list" in kind:
            return (value,)
        if "bool" in kind:
            return {"true": True, "yes": True, "false": False, "no": False}[value.lower()]
        if "int" in kind:
            return int(value)
        return float(value) if "float" in kind else value
    except (ValueError, KeyError):
        raise InputError(f"--against {name}={value}: {value!r} does not fit", hint="see --help") from None
