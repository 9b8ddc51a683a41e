"""Roles of heads in words: the thresholds that name them, and where these come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A head has this role where a column is above a threshold, and no role before it fits."""

    name: str
    column: str
    above: float
    source: str


CLARK = "Clark et al. 2019, arXiv:1906.04341"

# The first that fits is shown. Heads that look everywhere come first: in a text of four tokens they also give each
# token more than any threshold of a sink.
ROLES = (
    Role(
        "broad", "entropy_share", 0.78, f"{CLARK}, General_Analysis.ipynb: 3.8 nats, of ln 128 = 4.85 at most"
    ),
    Role("previous token", "previous", 0.5, f"{CLARK}, §3.1: more than half of the weight"),
    Role("next token", "next", 0.5, f"{CLARK}, §3.1: more than half of the weight"),
    Role("same token", "self", 0.5, "as the previous and the next token"),
    Role(
        "induction",
        "induction",
        0.4,
        "ARENA 1.2, induction_attn_detector; Olsson et al. 2022, arXiv:2209.11895",
    ),
    Role("duplicate token", "duplicate", 0.4, "as induction; Wang et al. 2022, arXiv:2211.00593, §3"),
    Role("special tokens", "special", 0.6, f"{CLARK}, General_Analysis.ipynb: heads on [CLS] or [SEP]"),
    Role("sink", "sink", 0.3, "Gu et al. 2025, arXiv:2410.10781, §3.1: ε = 0.3, there of the first key"),
)
