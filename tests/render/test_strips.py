"""Figures of single queries and keys beside the map of a long text."""

import math
from dataclasses import replace

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.figure import strips
from attn_cli.render.figure.maps import attention_maps, lay_out, plan_for
from attn_cli.render.figure.paper import Paper
from attn_cli.render.figure.sheet import Cells
from attn_cli.render.look import PLAIN, Look


def pooled(n=2000, n_heads=2, **changes):
    """What is known of two heads that look at one key alone, and everywhere alike."""
    mass = np.stack([np.eye(n)[3] * n, np.ones(n)])
    known = {
        "entropy": np.stack([np.zeros(n), np.full(n, math.log(n))])[None, :n_heads],
        "top_weights": np.stack([np.ones((n, 1)), np.full((n, 1), 1 / n)])[None, :n_heads],
        "top_keys": np.full((1, n_heads, n, 1), 3),
        "mass": mass[None, :n_heads],
    }
    tokens = tuple(map(str, range(n)))
    return Attention(tokens, tokens, np.full((1, n_heads, 500, 500), 1 / n), pooled=True, **known | changes)


def test_bars_by_hand():
    """Of a key that receives all: log 2000 / 0.01 of as much, its whole length; 1 is 100 of 200,000 times the least."""
    found = strips.strips_of(pooled())
    assert [values.shape for values in found.rows] == [(2, 2000), (2, 2000)]
    assert found.rows[0][:, 0] == pytest.approx([0, 1])
    assert found.rows[1][:, 0] == pytest.approx([1, 1 / 2000])
    assert found.columns[0, [2, 3]] == pytest.approx([0, 1])
    assert found.columns[1, 0] == pytest.approx(math.log(100) / math.log(200_000))
    bars = strips._bars(np.array([[0.0, 0.01, 0.5, 1.0]]), 10, "#777777", Paper())
    assert (bars[0, :, :, 0] == 0x77).sum(axis=1).tolist() == [0, 1, 5, 10]


def test_strips_stand_beside_and_above_each_map_and_cover_nothing():
    plan = plan_for(attention_maps(pooled()))
    marks = [mark for mark in lay_out(attention_maps(pooled())).marks if isinstance(mark, Cells)]
    maps, *bars = marks
    assert len(bars) == 2 * 3
    width, height = plan.grain.panel_width, plan.grain.panel_height
    for x, y in maps.corners:
        for bar in bars:
            (left, top), (_, rows, columns, _) = bar.corners[0], bar.rgb.shape
            right, bottom = left + columns * bar.width, top + rows * bar.height
            assert right <= x or left >= x + width or bottom <= y or top >= y + height
    right = [bar for bar in bars if bar.rgb.shape[1] > bar.rgb.shape[2]]
    assert all(bar.rgb.shape[1] * bar.height == pytest.approx(height) for bar in right)
    assert plan.beside <= width / 5
    assert plan.above <= height / 5
    assert any(
        note.startswith("right of the map, for each query: entropy (grey, 0 to 7.6 nats)")
        for note in plan.notes
    )


@pytest.mark.parametrize("size", [(9, 6), (3, 2), (13, 7)])
def test_strips_fit_the_paper_or_are_left_out(size):
    plan = plan_for(attention_maps(pooled(), Look(size=size, dpi=72)))
    assert plan.beside <= plan.grain.panel_width / 5
    assert plan.x + plan.width <= size[0] * 72
    assert (plan.maps.strips is None) == (size == (3, 2))


def test_where_nothing_is_known_of_single_tokens_there_are_none():
    assert attention_maps(pooled(entropy=None)).strips is None
    assert attention_maps(pooled(), replace(PLAIN, no=("strips",))).strips is None
    assert attention_maps(Attention("ab", "ab", [[np.eye(2)]], entropy=np.zeros((1, 1, 2)))).strips is None
