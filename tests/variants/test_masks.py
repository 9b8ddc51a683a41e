"""Masks by hand, the same from NumPy and torch positions, and what each may reach."""

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.registry import options
from attn_cli.variants.masks import MASKS, as_matrix, from_matrix, is_of_vectors, reach

POSITIONAL = [name for name in MASKS if not is_of_vectors(MASKS[name])]
# Options for the masks that have no defaults, and some more for those that have.
SPECS = [
    *(name for name in POSITIONAL if all(p.default is not p.empty for p in options(MASKS[name]).values())),
    "padding:length=3",
    "prefix:length=3",
    "document:lengths=2+3",
    "window:size=5,ahead=2",
    "dilated:size=3,gap=3,ahead=1",
    "block:size=3",
    "global:tokens=1+4",
    "strided:stride=3",
    "fixed:stride=3,summary=2",
    "random:share=0.5,seed=3",
    "bigbird:block=2,window=3,first=1,share=0.3",
]


def rows(spec, n_query, n_key):
    return [
        "".join(".x"[int(allowed)] for allowed in row) for row in as_matrix(MASKS.parse(spec), n_query, n_key)
    ]


DRAWN = [
    ("causal", ["x...", "xx..", "xxx.", "xxxx"]),
    ("padding:length=2", ["xx..", "xx..", "xx..", "xx.."]),
    ("prefix:length=2", ["xx..", "xx..", "xxx.", "xxxx"]),
    ("document:lengths=1+2", ["x...", ".xx.", ".xx.", "...x"]),
    ("window:size=2", ["x...", "xx..", ".xx.", "..xx"]),
    ("window:size=3,ahead=1", ["xx..", "xxx.", ".xxx", "..xx"]),
    ("dilated:size=2,gap=2", ["x...", ".x..", "x.x.", ".x.x"]),
    ("dilated:size=3,gap=2,ahead=1", ["x.x.", ".x.x", "x.x.", ".x.x"]),
    ("block:size=2", ["xx..", "xx..", "..xx", "..xx"]),
    ("global:tokens=1", [".x..", "xxxx", ".x..", ".x.."]),
    ("strided:stride=2", ["x.....", "xx....", "xxx...", ".xxx..", "x.xxx.", ".x.xxx"]),
    ("fixed:stride=3,summary=1", ["x.....", "xx....", "xxx...", "..xx..", "..xxx.", "..xxxx"]),
    ("bigbird:window=3,first=1,share=0", ["xxxx", "xxx.", "xxxx", "x.xx"]),
    ("bigbird:block=2,window=1,first=1,share=0", ["xxxx", "xxxx", "xxxx", "xxxx"]),
    ("bigbird:block=2,window=1,first=0,share=0", ["xx..", "xx..", "..xx", "..xx"]),
    ("random:share=1", ["xx", "xx"]),
    ("random:share=0", ["..", ".."]),
]


@pytest.mark.parametrize(("spec", "drawn"), DRAWN)
def test_by_hand(spec, drawn):
    assert rows(spec, len(drawn), len(drawn)) == drawn


def test_every_mask_has_been_drawn_by_hand():
    assert {spec.partition(":")[0] for spec, _ in DRAWN} == set(POSITIONAL)


def test_with_more_keys_than_queries_the_ends_align():
    assert rows("causal", 2, 3) == ["xx.", "xxx"]
    assert rows("causal", 3, 1) == [".", ".", "x"]
    assert rows("window:size=2", 2, 4) == [".xx.", "..xx"]


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_a_window_of_size_n_sees_n_keys_itself_included(size):
    for ahead in range(size):
        seen = as_matrix(MASKS.parse(f"window:size={size},ahead={ahead}"), 20, 20)
        assert (seen[6:-6].sum(axis=1) == size).all()
        assert seen.diagonal().all()


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(("n_query", "n_key"), [(1, 1), (4, 4), (3, 17), (17, 3)])
def test_torch_positions_give_the_same(spec, n_query, n_key):
    mask = MASKS.parse(spec)
    query, key = torch.arange(n_key - n_query, n_key)[:, None], torch.arange(n_key)[None, :]
    with_torch = mask(query, key)
    assert with_torch.dtype == torch.bool
    assert with_torch.expand(n_query, n_key).tolist() == as_matrix(mask, n_query, n_key).tolist()


@pytest.mark.parametrize("spec", SPECS)
def test_reach_holds_every_permitted_key(spec):
    mask, n = MASKS.parse(spec), 23
    for n_query in (n, 5, 29):
        matrix, first = as_matrix(mask, n_query, n), n - n_query
        for lo in range(first, n, 2):
            for hi in range(lo + 1, n + 1, 3):
                reached = np.zeros(n, bool)
                intervals = reach(mask, lo, hi, n)
                for start, end in intervals:
                    assert 0 <= start < end <= n
                    reached[start:end] = True
                assert intervals == sorted(intervals)
                assert not matrix[lo - first : hi - first, ~reached].any()


@pytest.mark.parametrize(
    ("spec", "lo", "hi", "reached"),
    [
        ("causal", 10, 20, [(0, 20)]),
        ("window:size=4", 10, 20, [(7, 20)]),
        ("window:size=4,ahead=3", 10, 20, [(10, 23)]),
        ("dilated:size=4,gap=3", 10, 20, [(1, 20)]),
        ("block:size=8", 10, 16, [(8, 16)]),
        ("document:lengths=12+6+30", 13, 20, [(12, 48)]),
        ("document:lengths=12+6+30", 12, 18, [(12, 18)]),
        ("document:lengths=12+6", 60, 61, [(18, 100)]),
        ("padding:length=30", 50, 60, [(0, 30)]),
        ("prefix:length=30", 10, 20, [(0, 30)]),
        ("global:tokens=3+5", 10, 20, [(3, 4), (5, 6)]),
        ("global:tokens=3+15", 10, 20, [(0, 100)]),
        ("random", 10, 20, [(0, 100)]),
    ],
)
def test_reach_leaves_out_what_it_can(spec, lo, hi, reached):
    assert reach(MASKS.parse(spec), lo, hi, 100) == reached


def test_random_is_a_lot_for_each_pair_and_seed():
    large, other = (as_matrix(MASKS.parse(f"random:share=0.3,seed={seed}"), 300, 300) for seed in (0, 1))
    assert (large[:5, :7] == as_matrix(MASKS.parse("random:share=0.3"), 7, 7)[:5]).all()
    assert abs(large.mean() - 0.3) < 0.01
    assert abs((large & other).mean() - 0.09) < 0.01
    assert abs((large & large.T).mean() - 0.09) < 0.01
    assert np.ptp(large.mean(axis=0)) < 0.25
    assert np.ptp(large.mean(axis=1)) < 0.25


def test_lsh_shares_a_bucket_by_direction_and_more_rounds_permit_more():
    x = torch.tensor(np.random.default_rng(0).normal(size=(2, 40, 8)))
    one, three = (MASKS.parse(f"lsh:buckets=8,rounds={rounds}")(x, x) for rounds in (1, 3))
    assert one.shape == (2, 40, 40)
    assert one.diagonal(dim1=-2, dim2=-1).all()
    assert (one == one.mT).all()
    assert (MASKS.parse("lsh:buckets=8")(3 * x, x) == one).all()
    assert (three | ~one).all()
    assert three.sum() > one.sum()


@pytest.mark.parametrize("bad", [0.5, -np.inf, np.nan, 2])
def test_a_matrix_of_anything_but_0_and_1_is_refused(bad):
    with pytest.raises(InputError, match="row 1, column 0"):
        from_matrix(np.array([[1, 0], [bad, 1]]))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("window:size=0", "a window of size 0"),
        ("dilated:gap=0", "gap 0; give at least 1"),
        ("block:size=0", "size 0"),
        ("strided:stride=0", "stride 0"),
        ("fixed:stride=-1", "stride -1"),
        ("bigbird:block=0", "block 0"),
        ("document:lengths=3+0", "length 0"),
        ("random:share=1.5", "share 1.5"),
        ("padding", "mask 'padding' needs length; write padding:length=VALUE"),
        ("global:tokens=0;5", "'0;5' is not whole numbers with . between them"),
        ("causal:size=3", "mask 'causal' has no option 'size'"),
        ("lsh", "depends on the vectors"),
    ],
)
def test_what_cannot_be_is_refused(spec, message):
    with pytest.raises(InputError, match=message):
        as_matrix(MASKS.parse(spec), 2, 2)


@pytest.mark.parametrize("spec", ["lsh:buckets=3", "lsh:buckets=0", "lsh:rounds=0"])
def test_lsh_wants_pairs_of_buckets(spec):
    with pytest.raises(InputError, match="give an even number and at least 1 round"):
        MASKS.parse(spec)(torch.ones(1, 2), torch.ones(1, 2))
