"""One command on several processes that torchrun has started: the same record, said once."""

import subprocess
import sys

import numpy as np
import pytest
from attn_cli import files
from attn_cli.attention.rules import Rule
from attn_cli.attention.streaming.blocking import in_blocks
from attn_cli.attention.streaming.shares import Share
from attn_cli.records import fields
from hypothesis import settings

from conftest import run_attn

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def attn_on_two(*arguments, cwd):
    """What the command line does, in two processes that torchrun starts."""
    command = [*TORCHRUN, "-m", "attn_cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_two_processes_make_the_record_that_one_makes(tmp_path):
    """5,120 tokens in float64, more than are held at once; a causal mask, of which each takes every other stripe."""
    np.save(tmp_path / "long.npy", np.random.default_rng(0).normal(size=(5120, 4)))
    command = ("attend", "long.npy", "--mask", "causal", "--heads", "2")
    one = run_attn(*command, "-o", "one.npz", cwd=tmp_path)
    two = attn_on_two(*command, "-o", "two.npz", cwd=tmp_path)
    assert (one.code, two.returncode) == (0, 0), two.stderr
    assert two.stderr == one.stderr  # one of them speaks
    one, two = (files.read(str(tmp_path / name)) for name in ("one.npz", "two.npz"))
    assert one.pooled
    for part, value in fields.held(one):
        if part.kind:
            np.testing.assert_allclose(getattr(two, part.name), value, rtol=0, atol=1e-12, err_msg=part.name)
        else:
            assert getattr(two, part.name) == value


@pytest.mark.parametrize("mask", [None, "causal", "window:size=300"])
def test_every_row_is_of_one_process_with_the_keys_it_has_in_one(mask):
    rule = Rule.parse(mask=mask)
    shares = [list(Share(rank, 3).blocks(rule, range(50, 2050), 2050, 2**18)) for rank in range(3)]
    rows = sorted(row for blocks in shares for b in blocks for row in range(b.rows.start, b.rows.stop))
    assert rows == list(range(2000))
    assert list(Share().blocks(rule, range(9), 9, 20)) == list(in_blocks(rule, range(9), 9, 20))
    for block in (block for blocks in shares for block in blocks):
        assert block.reach == rule.reach(50 + block.rows.start, 50 + block.rows.stop, 2050)


@pytest.mark.skipif(settings.default.max_examples < 1000, reason="only in a thorough run")
def test_what_all_processes_find_wrong_is_said_once(tmp_path):
    np.save(tmp_path / "bad.npy", np.full((3, 2), np.nan))
    done = attn_on_two("attend", "bad.npy", cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.count("attn: error: bad.npy: numbers hold nan at row 0") == 1
