"""Positional encodings against their formulas: the tables, and that scores are made of the same."""

import math

import numpy as np
import pytest
import torch
from attn_cli.attention.rules import Rule
from attn_cli.errors import InputError
from attn_cli.variants.posenc import POSENCS, alibi_slopes, rope_frequencies, sinusoidal, t5_bucket


@pytest.mark.parametrize("name", [name for name in POSENCS if name != "learned"])
@pytest.mark.parametrize(("seq_len", "dim"), [(1, 2), (5, 8), (130, 6)])
def test_every_table_has_a_finite_row_per_position_and_a_column_per_dim(name, seq_len, dim):
    table = POSENCS[name](seq_len, dim)
    assert table.shape == (seq_len, dim)
    assert table.dtype == np.float64
    assert np.isfinite(table).all()
    assert (table[: seq_len // 2 + 1] == POSENCS[name](seq_len // 2 + 1, dim)).all() or name == "sinusoidal2d"


@pytest.mark.parametrize("name", POSENCS)
@pytest.mark.parametrize("arguments", [(0, 4), (4, 0), (-1, 4)])
def test_nothing_to_tabulate_is_refused(name, arguments):
    with pytest.raises(InputError, match="give at least 1 of each"):
        POSENCS[name](*arguments)


# ---- sinusoids ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 7, 8, 512])
@pytest.mark.parametrize("base", [10000.0, 100.0])
def test_sinusoidal_is_the_formula(dim, base):
    table = sinusoidal(5, dim, base=base)
    for pos in range(5):
        for column in range(dim):
            angle = pos / base ** (2 * (column // 2) / dim)
            assert table[pos, column] == pytest.approx((math.sin, math.cos)[column % 2](angle), abs=1e-12)


@pytest.mark.parametrize("dim", [1, 7, 8])
def test_concatenated_has_the_same_columns_in_another_order(dim):
    turns, apart = sinusoidal(9, dim), sinusoidal(9, dim, layout="concatenated")
    assert (apart == np.concatenate([turns[:, 0::2], turns[:, 1::2]], axis=1)).all()
    assert (POSENCS["xl"](9, dim) == apart).all()


def test_moving_by_k_positions_is_a_rotation():
    """Vaswani et al. §3.5: PE(pos + k) is a linear function of PE(pos), here checked through dot products."""
    table = sinusoidal(20, 16)
    products = table @ table.T
    for k in range(5):
        assert products.diagonal(k) == pytest.approx(products[0, k], abs=1e-12)


def test_two_dimensions_are_two_tables_side_by_side():
    table = POSENCS["sinusoidal2d"](12, 8, columns=4).reshape(3, 4, 8)
    assert (table[:, 2, :4] == sinusoidal(3, 4)).all()
    assert (table[1, :, 4:] == sinusoidal(4, 4)).all()
    for seq_len, columns in ((9, 3), (10, 4), (16, 4)):
        square, told = (
            POSENCS["sinusoidal2d"](seq_len, 5),
            POSENCS["sinusoidal2d"](seq_len, 5, columns=columns),
        )
        assert (square == told).all()


@pytest.mark.parametrize("base", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["sinusoidal", "sinusoidal2d", "rope", "xl"])
def test_a_base_must_be_above_zero(name, base):
    with pytest.raises(InputError, match="give a number above 0"):
        POSENCS[name](2, 2, base=base)


# ---- rope -------------------------------------------------------------------------------------------------------


def test_rope_is_cosine_and_sine_of_its_angles():
    angles, table = POSENCS["rope"](6, 8, values="angles"), POSENCS["rope"](6, 8)
    assert angles.shape == (6, 4)
    assert angles[5].tolist() == pytest.approx([5 / 10000 ** (2 * i / 8) for i in range(4)], abs=1e-15)
    assert (table[:, 0::2] == np.cos(angles)).all()
    assert (table[:, 1::2] == np.sin(angles)).all()


@pytest.mark.parametrize(
    "spec", ["rope", "rope:scaling=yarn,factor=8,original=64", "rope:scaling=ntk,factor=3", "rope:base=50"]
)
def test_scores_are_turned_by_the_tables_angles(spec):
    """Unit vectors along the first axis of pair i score cos(distance · θ_i), times yarn's factor squared."""
    dim, at = 8, torch.arange(40)
    theta = POSENCS.parse(f"{spec}{',' if ':' in spec else ':'}values=angles")(2, dim)[1]
    stretch = np.hypot(*POSENCS.parse(spec)(2, dim)[1, :2])
    for pair in range(dim // 2):
        x = torch.zeros(40, dim, dtype=torch.float64)
        x[:, pair] = 1
        scores = Rule.parse(position=spec, score="dot").scores(x, x, at, at)
        assert scores[0].tolist() == pytest.approx(
            stretch**2 * np.cos(np.arange(40) * theta[pair]), abs=1e-12
        )


def test_scaling_reaches_further_in_its_own_way():
    plain = rope_frequencies(64)[0]
    linear, ntk = (rope_frequencies(64, scaling=s, factor=4.0)[0] for s in ("linear", "ntk"))
    yarn, stretch = rope_frequencies(64, scaling="yarn", factor=4.0, original=2048)
    assert (linear == plain / 4).all()
    assert ntk[0] == plain[0]
    assert ntk[-1] == pytest.approx(plain[-1] / 4, rel=1e-12)
    turns = 2048 * plain / (2 * np.pi)
    assert (yarn[turns > 40] == plain[turns > 40]).all()
    assert yarn[turns < 0.9] == pytest.approx(plain[turns < 0.9] / 4, rel=1e-12)
    assert ((plain / 4 <= yarn * (1 + 1e-12)) & (yarn <= plain)).all()
    assert stretch == 0.1 * math.log(4) + 1
    assert rope_frequencies(2, scaling="ntk", factor=4.0)[0].tolist() == [1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 3}, "rope turns pairs of numbers, and 3 are not pairs"),
        ({"dim": 0}, "and 0 are not pairs"),
        ({"dim": 4, "factor": 0.5}, r"factor 0\.5; give at least 1"),
        ({"dim": 4, "scaling": "yarn", "original": 0}, "yarn from a length of 0"),
        ({"dim": 4, "scaling": "yarn", "base": 1.0}, r"with base 1\.0"),
    ],
)
def test_what_rope_cannot_turn_is_named(options, message):
    with pytest.raises(InputError, match=message):
        rope_frequencies(**options)


@pytest.mark.parametrize("partial", [0.0, 1.5])
def test_a_part_is_between_0_and_1(partial):
    x, at = torch.ones(1, 4), torch.zeros(1, dtype=torch.long)
    with pytest.raises(InputError, match="give a number above 0, at most 1"):
        Rule.parse(position=f"rope:partial={partial}").scores(x, x, at, at)


# ---- distances --------------------------------------------------------------------------------------------------


def test_alibi_slopes_by_hand():
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert alibi_slopes(6).tolist() == [2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3]
    assert POSENCS["alibi"](4, 8)[3].tolist() == [-3 * 2.0**-i for i in range(1, 9)]


def test_the_scores_have_the_bias_of_the_table():
    zero, at = torch.zeros(6, 5, 1, dtype=torch.float64), torch.arange(5)
    scores = Rule.parse(position="alibi").scores(zero, zero, at, at)
    assert (scores[:, 4].flip(-1).T.numpy() == POSENCS["alibi"](5, 6)).all()


def test_t5_buckets_by_hand():
    """32 buckets: 0…7 and 16 + 1…7 one each, then 8 for 8…11, 9 for 12…15, 10 for 16…22 and so on."""
    one_way = t5_bucket(-np.arange(130), bidirectional=True).tolist()
    assert one_way[:17] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10]
    assert one_way[22:24] == [10, 11]
    assert one_way[64] == 14
    assert one_way[90:92] == [14, 15]
    assert one_way[129] == 15
    assert t5_bucket(np.array([1, 8, 500])).tolist() == [17, 24, 31]
    assert t5_bucket(np.array([1, 8, 0, -1, -15, -16]), bidirectional=False).tolist() == [0, 0, 0, 1, 15, 16]


def test_a_boundary_between_buckets_is_not_lost_to_rounding():
    """10 buckets up to 160, the last five for 5 · 2^m: log(2) / log(32) · 5 may come out below 1."""
    distance = -np.array([9, 10, 19, 20, 39, 40, 79, 80])
    assert t5_bucket(distance, buckets=10, farthest=160, bidirectional=False).tolist() == [
        5,
        6,
        6,
        7,
        7,
        8,
        8,
        9,
    ]


@pytest.mark.parametrize("options", ["buckets=3", "buckets=2", "farthest=8", "buckets=1,bidirectional=false"])
def test_buckets_that_cannot_be_are_refused(options):
    with pytest.raises(InputError, match="buckets up to a distance of"):
        POSENCS.parse(f"t5:{options}")(4, 4)


def test_tables_by_distance_are_matrices_of_key_minus_query():
    assert POSENCS["clipped"](4, 5, clip=2).tolist() == [
        [0, 1, 2, 2, 2],
        [-1, 0, 1, 2, 2],
        [-2, -1, 0, 1, 2],
        [-2, -2, -1, 0, 1],
    ]
    assert POSENCS["t5"](3, 3, bidirectional=False).tolist() == [[0, 0, 0], [1, 0, 0], [2, 1, 0]]
    with pytest.raises(InputError, match="clip -1"):
        POSENCS["clipped"](2, 2, clip=-1)
    with pytest.raises(InputError, match="a grid of 0 columns"):
        POSENCS["sinusoidal2d"](2, 2, columns=0)


def test_seeded_parameters_are_untrained_and_files_must_fit():
    x, at = torch.ones(2, 3, 4), torch.arange(3)
    for position in ("t5", "xl", "clipped"):
        one, other = (Rule.parse(position=position, seed=seed).scores(x, x, at, at) for seed in (0, 1))
        assert (one != other).any()
    files = {"bias": np.ones((32, 3))}
    with pytest.raises(InputError, match=r"bias \[32, 3\]; give it the shape \[32, 2\]"):
        Rule.parse(position="t5:file=b.npz", read_arrays=lambda _: files).scores(x, x, at, at)
