"""What streaming must keep although no number of a short input shows it: each test once found a broken line."""

import itertools
import threading

import numpy as np
import pytest
import torch
from attn_cli.attention import layers
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.attention.streaming import blocking, kept, stream
from attn_cli.attention.streaming.blocking import Block, in_blocks, in_order
from test_streaming import Sizes, assert_streams_like_dense, mean_over, returned, streamed, vectors

from variants import NORMALISATION_SPECS, SCORE_SPECS, read_arrays

CPU = torch.device("cpu")


@pytest.fixture
def three_threads():
    """Threads to work with, and the number set back."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


# ---- blocks -----------------------------------------------------------------------------------------


def test_a_block_that_reaches_nothing_has_no_keys():
    x = torch.arange(12.0).reshape(2, 3, 2)
    assert Block(slice(0, 1), []).reached(x).shape == (2, 0, 2)
    assert Block(slice(0, 1), [(0, 1), (2, 3)]).reached(x)[0].tolist() == [[0, 1], [4, 5]]


def test_few_keys_make_high_blocks():
    """Under a window of 64 as many rows as ever are taken, although 256 rows of all keys have no room."""
    heights = [
        b.rows.stop - b.rows.start
        for b in in_blocks(Rule.parse(mask=["window:size=64"]), range(4096), 4096, 2**17)
    ]
    assert set(heights) == {256}
    assert {b.rows.stop - b.rows.start for b in in_blocks(Rule(), range(4096), 4096, 2**17)} == {32}


def test_blocks_cover_every_query_once_and_reach_what_they_may():
    for spec in ([], ["causal"], ["window:size=5,ahead=2"], ["padding:length=3", "window:size=2"]):
        rule = Rule.parse(mask=spec)
        blocks = list(in_blocks(rule, range(4, 41), 41, 60))
        assert [i for b in blocks for i in range(b.rows.start, b.rows.stop)] == list(range(37))
        assert all(b.reach == rule.reach(b.rows.start + 4, b.rows.stop + 4, 41) for b in blocks)


# ---- threads ----------------------------------------------------------------------------------------


def test_results_come_in_the_order_of_the_rows(three_threads):
    blocks = list(in_blocks(Rule(), range(100), 100, 100))
    assert [(b, made) for b, made in in_order(lambda block: block.rows, blocks, CPU)] == [
        (b, b.rows) for b in blocks
    ]


def test_no_more_blocks_are_begun_than_threads_need(three_threads):
    """What a block adds is held until its turn comes: of all blocks at once it would be queries × keys."""
    begun = []

    def blocks():
        for block in in_blocks(Rule(), range(100), 100, 100):
            begun.append(block)
            yield block

    for done, _ in enumerate(in_order(lambda block: block, blocks(), CPU)):
        assert len(begun) <= done + 1 + three_threads


def test_threads_of_others_keep_their_number(three_threads):
    """Torch takes the number that any thread sets for that of all threads to come."""
    x, seen = torch.zeros(1, 1, 600, 2), []
    returned(stream(x, x, x))
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [three_threads]


# ---- sums -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalise", NORMALISATION_SPECS)
def test_blocks_in_which_nobody_sees_a_key(monkeypatch, normalise):
    monkeypatch.setattr(blocking, "CACHED", 64)
    rule = Rule.parse(mask=["padding:length=3", "window:size=2"], normalise=normalise)
    assert any(not block.reach for block in in_blocks(rule, range(20), 20, 8))
    assert_streams_like_dense(*vectors(20, 20), rule)


def test_entropy_is_never_below_zero():
    """ln Σ exp(s) − Σ w s of a row with one key that has it all: two large numbers that rounding sets apart."""
    q, k, v = vectors(200, 200, dtype=torch.float32)
    entropy = returned(stream(q, k, v, Rule(scale=1000.0))).entropy
    assert (entropy >= 0).all()
    assert (entropy < 1e-3).mean() > 0.5


@pytest.mark.parametrize("normalise", NORMALISATION_SPECS)
def test_logits_times_1000_stream(monkeypatch, normalise):
    monkeypatch.setattr(kept, "MOST_CELLS", 5)
    monkeypatch.setattr(blocking, "CACHED", 2**9)
    for score, mask in itertools.product(SCORE_SPECS, ([], ["causal"])):
        rule = Rule.parse(score=score, mask=mask, normalise=normalise, scale=1000.0, read_arrays=read_arrays)
        assert_streams_like_dense(*vectors(9, 11), rule, within=1e-11)


def test_sums_are_those_of_float64_rounded_once():
    """1000 times the float32 nearest to 0.1 is 100.0000015, and the float32 nearest to that is 100."""
    zero = torch.zeros(1, 1, 1000, 1)
    got = returned(stream(zero, torch.zeros(1, 1, 10, 1), torch.zeros(1, 1, 10, 1)))
    assert got.mass.dtype == np.float32
    assert (got.mass == 100).all()
    assert (got.weights == np.float32(0.1)).all()


def test_few_queries_with_many_keys_are_pooled_along_the_keys(monkeypatch):
    monkeypatch.setattr(kept, "MOST_CELLS", 5)
    normal = np.random.default_rng(0).normal
    heads = project(normal(size=(3, 4)), normal(size=(12, 4)), kind="cross")
    got = streamed(heads)
    assert got.pooled
    np.testing.assert_allclose(got.weights, mean_over(layers.attend(heads).weights, 3, 5), atol=1e-15)


def test_heads_that_must_go_together_share_the_room(monkeypatch):
    monkeypatch.setattr(blocking, "CACHED", 2**16)
    x = torch.zeros(1, 8, 1500, 2)
    with Sizes() as sizes:
        returned(stream(x, x, x, Rule.parse(position="alibi")))
    assert sizes.largest <= max(2**14, 8 * 1500 * kept.TOP)  # which are kept of every row
