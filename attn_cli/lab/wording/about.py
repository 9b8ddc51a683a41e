"""All that there is to say of one mistake, as a short text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..mistakes.made_by import MADE_BY
from . import group_of, mistake_text, say

if TYPE_CHECKING:
    from ..exercise import Exercise


def about(name: str, language: str, x: Exercise) -> str:
    """What a mistake computes, why it is wrong, how it shows, what to do, and who made it; sizes are those of x.

    >>> from attn_cli.lab.exercise import proposed
    >>> about("softmax_over_queries", "en", proposed()).splitlines()[0]
    'softmax_over_queries: The softmax runs over the queries, not over the keys'
    """
    text = mistake_text(language, name)
    facts = {size: getattr(x, size) for size in ("n_query", "n_key", "n_heads", "d_head", "d_model")}
    parts = {"computes": text.computes, "why": text.why, "see": text.see, "fix": text.fix_with(facts)}
    if name in MADE_BY:
        parts["made_by"] = say(language, "list_comma").join(MADE_BY[name])
    parts["page"] = f"docs/{'zh/' * (language == 'zh')}mistakes/{group_of(name)}.md#{name}"
    lines = [
        f"{name}: {text.title}",
        *(say(language, f"about_{part}", {"text": x}) for part, x in parts.items()),
    ]
    return "\n".join(lines)
