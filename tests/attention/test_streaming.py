"""Streamed attention is dense attention, pooled: every variant, and what must hold at any length."""

import itertools
import math
import threading

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.attention import layers, streaming
from attn_cli.attention.dense import attention
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.attention.streaming import blocking, kept, rows, stream
from attn_cli.commands.io import progress
from attn_cli.commands.io.environment import environment
from attn_cli.errors import AttnNote, AttnWarning, InputError
from attn_cli.files.fields import to_fields
from attn_cli.records.attention import Attention, cells
from attn_cli.records.encoding import Encoding
from attn_cli.variants.masks import of_vectors
from torch.utils._python_dispatch import TorchDispatchMode

from variants import (
    D_HEAD,
    MASK_SPECS,
    N_HEADS,
    NORMALISATION_SPECS,
    POSITION_SPECS,
    SCORE_SPECS,
    read_arrays,
)  # fmt: skip

SCALED_DOT = Rule()
MASKINGS = [[], *([spec] for spec in MASK_SPECS), ["causal", "window:size=3,ahead=1"]]


def returned(steps):
    """What a generator returns when it has been gone through."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def streamed(heads, rule=SCALED_DOT):
    """The record of some heads, streamed however short it is."""
    return layers.streamed(*layers.of_vectors(heads, rule))


def vectors(n_query, n_key, *, layers=1, dtype=torch.float64, seed=0):
    normal = np.random.default_rng(seed).normal
    sizes = ((n_query, D_HEAD), (n_key, D_HEAD), (n_key, 3))
    return [torch.tensor(normal(size=(layers, N_HEADS, *size))).to(dtype) for size in sizes]


def mean_over(weights, n_rows, n_columns, of=np.mean):
    """The mean of each cell, one after the other, or what else there is of it."""
    rows, columns = (cells(n, k) for n, k in zip(weights.shape[-2:], (n_rows, n_columns), strict=True))
    made = [
        [of(weights[..., r[0] : r[-1] + 1, c[0] : c[-1] + 1], axis=(-1, -2)) for c in columns] for r in rows
    ]
    return np.moveaxis(np.array(made), (0, 1), (-2, -1))


def assert_streams_like_dense(q, k, v, rule, *, within=1e-13):
    got, steps = returned(stream(q, k, v, rule)), attention(q, k, v, rule)
    whole = steps.weights.numpy()
    entropy = -np.where(whole > 0, whole * np.log(np.where(whole > 0, whole, 1)), 0).sum(-1)
    wanted = {
        "weights": mean_over(whole, *got.weights.shape[-2:]),
        "output": steps.output,
        "mass": whole.sum(-2),
        "entropy": entropy,
        "top_weights": np.sort(whole)[..., ::-1][..., : got.top_weights.shape[-1]],
    }
    assert (got.maxima is None) == (got.weights.shape == whole.shape)
    if got.maxima is not None:
        wanted["maxima"] = mean_over(whole, *got.weights.shape[-2:], of=np.max)
        assert (got.maxima >= got.weights - within).all()
    mask = np.ones_like(whole, bool) if steps.mask is None else np.broadcast_to(steps.mask, whole.shape)
    np.testing.assert_array_equal(got.mask, mean_over(mask, *got.weights.shape[-2:], of=np.any))
    for name, expected in wanted.items():
        np.testing.assert_allclose(getattr(got, name), expected, rtol=within, atol=within, err_msg=name)
    there = np.take_along_axis(whole, got.top_keys.clip(0), -1)
    np.testing.assert_allclose(got.top_weights, np.where(got.top_keys < 0, 0, there), rtol=0, atol=within)
    assert ((got.top_keys < 0) == (got.top_weights == 0)).all()


@pytest.fixture
def small(monkeypatch):
    """Cells and blocks so small that short inputs need many of both."""
    monkeypatch.setattr(kept, "MOST_CELLS", 5)
    monkeypatch.setattr(blocking, "CACHED", 2**9)
    monkeypatch.setattr(rows, "CHUNK", 4)
    monkeypatch.setattr(rows, "TILE", 2**7)


# ---- the same as dense -----------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORE_SPECS)
def test_every_score_mask_and_normalisation_streams(small, score):
    for mask, normalise in itertools.product(MASKINGS, NORMALISATION_SPECS):
        rule = Rule.parse(score=score, mask=mask, normalise=normalise, read_arrays=read_arrays)
        assert_streams_like_dense(*vectors(9, 11), rule)


@pytest.mark.parametrize("position", POSITION_SPECS)
def test_every_position_streams(small, position):
    for score, mask in itertools.product(SCORE_SPECS, ([], ["causal", "global:tokens=2|window:size=3"])):
        rule = Rule.parse(score=score, position=position, mask=mask, read_arrays=read_arrays)
        assert_streams_like_dense(*vectors(9, 11), rule)


@pytest.mark.parametrize("numbers", [{"scale": 30.0}, {"temperature": 0.2}, {"softcap": 0.7}, {"top_k": 2}])
def test_scale_temperature_softcap_and_top_k_stream(small, numbers):
    for mask in ([], ["causal"]):
        assert_streams_like_dense(*vectors(9, 9), Rule.parse(mask=mask, **numbers))


@pytest.mark.parametrize(("n_query", "n_key"), [(1, 1), (1, 40), (40, 1), (12, 6), (300, 7), (65, 259)])
def test_any_lengths_stream(small, n_query, n_key):
    for mask in ([], ["causal"], ["window:size=6,ahead=2"]):
        assert_streams_like_dense(*vectors(n_query, n_key), Rule.parse(mask=mask))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_lower_precision_streams_as_it_is_computed_dense(dtype):
    q, k, v = vectors(70, 200, dtype=dtype)
    got, wanted = returned(stream(q, k, v)), attention(q, k, v)
    assert got.output.dtype == dtype
    assert got.weights.dtype == np.float32
    np.testing.assert_allclose(got.weights, wanted.weights, rtol=0, atol=1e-7)
    np.testing.assert_allclose(got.output.double(), wanted.output.double(), rtol=0, atol=1e-2)


@pytest.mark.parametrize(
    "spec", [{}, {"position": "alibi"}, {"mask": ["lsh"]}, {"normalise": "softmax1:sink=0+2"}]
)
def test_layers_and_heads_share_one_pass(small, spec):
    q, k, v = vectors(9, 11, layers=3)
    assert_streams_like_dense(q, k, v, Rule.parse(**spec))


@pytest.fixture
def threads():
    """Sets a number of threads, and sets it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_what_models_compute_is_streamed_by_several_threads_too(threads):
    """Tensors of inference mode could not be filled by threads that were not in it."""
    threads(2)
    with torch.inference_mode():
        x = torch.randn(1, 2, 600, 4)
        several = returned(stream(x, x, x))
    threads(1)
    np.testing.assert_array_equal(several.weights, returned(stream(x, x, x)).weights)


def test_the_more_maps_the_fewer_cells():
    x = torch.zeros(1, 1, 1100, 2)
    assert returned(stream(x, x, x, n_maps=64)).weights.shape == (1, 1, 512, 512)


def test_any_number_of_threads_gives_the_same_bits(small, threads):
    q, k, v = vectors(150, 150, dtype=torch.float32)
    alone = returned(stream(q, k, v, Rule.parse(mask=["causal"])))
    threads(3)
    together = returned(stream(q, k, v, Rule.parse(mask=["causal"])))
    assert torch.get_num_threads() == 3
    for name in ("weights", "maxima", "output", "entropy", "mass", "top_weights", "top_keys"):
        np.testing.assert_array_equal(getattr(together, name), getattr(alone, name))


def test_what_goes_wrong_in_a_thread_is_raised(threads):
    threads(2)
    with pytest.raises(InputError, match="3 sinks for 2 heads"):
        returned(stream(*vectors(4, 4), Rule.parse(normalise="softmax1:sink=0+1+2")))


def test_whoever_stops_leaves_no_thread_behind(small, threads):
    threads(2)
    before = threading.active_count()
    steps = stream(*vectors(300, 300))
    next(steps)
    assert threading.active_count() > before
    steps.close()
    assert threading.active_count() == before
    assert torch.get_num_threads() == 2


def test_heaviest_keys_are_found_among_many():
    normal = np.random.default_rng(1).normal
    for n in (1, 4, 63, 64, 320, 321, 385, 1000):
        weights = torch.tensor(normal(size=(2, 3, n))).abs()
        found, wanted = rows.in_tiles(weights, weights[..., :0]).heaviest(min(5, n)), weights.topk(min(5, n))
        assert found[0].equal(wanted.values)
        assert found[1].equal(wanted.indices)


@pytest.mark.parametrize("mask", [[], ["causal"], ["window:size=3"], ["random:share=0.3"]])
def test_a_softmax_of_many_tiles_is_that_of_whole_rows(monkeypatch, mask):
    """Scores whose largest stands in any tile, tiles in which nothing is permitted, and rows without any key."""
    monkeypatch.setattr(rows, "CHUNK", 4)
    monkeypatch.setattr(rows, "TILE", 1)
    for scale in (0.1, 1.0, 300.0):
        rule = Rule.parse(mask=mask, scale=scale)
        assert_streams_like_dense(*vectors(40, 43), rule, within=1e-12)


def test_a_score_of_ones_own_may_have_another_precision():
    def precise(query, key):
        return query.double() @ key.double().mT

    q, k, v = vectors(9, 11, dtype=torch.float32)
    got, wanted = (
        returned(stream(q, k, v, Rule.parse(score=precise))),
        attention(q, k, v, Rule.parse(score="dot")),
    )
    assert got.weights.dtype == np.float32
    np.testing.assert_allclose(got.weights, wanted.weights, atol=1e-6)


def test_a_value_that_is_not_finite_counts_where_it_is_looked_at_in_any_tile(monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 4)
    monkeypatch.setattr(rows, "TILE", 1)
    q, k, v = vectors(12, 12)
    v[..., 7, 1] = torch.nan
    output = returned(stream(q, k, v, Rule.parse(mask=["causal"]))).output
    assert output[..., :7, :].isfinite().all()
    assert output[..., 7:, 1].isnan().all()
    assert output[..., [0, 2]].isfinite().all()


# ---- by hand ---------------------------------------------------------------------------------------


def test_by_hand_four_alike(monkeypatch):
    """Four keys alike: each weight ¼, so each cell's mean; entropy ln 4; each key receives 4 · ¼."""
    monkeypatch.setattr(kept, "MOST_CELLS", 2)
    zero, values = torch.zeros(1, 1, 4, 1), torch.tensor([0.0, 2.0, 4.0, 6.0]).reshape(1, 1, 4, 1)
    got = returned(stream(zero, zero, values))
    assert got.weights.tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]
    assert got.output.flatten().tolist() == [3, 3, 3, 3]
    assert got.entropy.flatten() == pytest.approx([math.log(4)] * 4)
    assert got.mass.flatten().tolist() == [1, 1, 1, 1]


def test_by_hand_causal(monkeypatch):
    """Rows [1], [½ ½], [⅓ ⅓ ⅓]: the cells 0 | 1–2 are 1, 0 above (½ + ⅓) / 2 and (½ + 0 + ⅓ + ⅓) / 4."""
    monkeypatch.setattr(kept, "MOST_CELLS", 2)
    zero = torch.zeros(1, 1, 3, 1, dtype=torch.float64)
    got = returned(stream(zero, zero, zero, Rule.parse(mask=["causal"])))
    np.testing.assert_allclose(got.weights[0, 0], [[1, 0], [5 / 12, 7 / 24]], rtol=1e-15)
    np.testing.assert_allclose(got.mass[0, 0], [11 / 6, 5 / 6, 1 / 3], rtol=1e-15)
    assert got.top_keys[0, 0, 0].tolist() == [0, -1, -1]
    assert got.mask[0, 0].tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("mask", [None, "causal", "window:size=40"])
def test_the_largest_under_each_cell_is_that_of_weights_worked_out_in_numpy(monkeypatch, dtype, within, mask):
    """Four heads that share two of key and value, cells that no block ends with: 130 × 170 in 7 × 7."""
    monkeypatch.setattr(kept, "MOST_CELLS", 7)
    monkeypatch.setattr(blocking, "CACHED", 2**14)
    x, y = (np.random.default_rng(n).normal(size=(n, 16)) for n in (130, 170))
    wide = [np.stack(np.split(each, 4, axis=1)) for each in (x, y)]
    keys = wide[1][[0, 0, 1, 1]]
    exp = np.exp(wide[0] @ keys.swapaxes(1, 2) / 2)
    behind = (np.arange(40, 170)[:, None] - np.arange(170)) if mask else np.zeros((130, 170))
    exp *= (behind >= 0) & (behind < (40 if mask and "window" in mask else 999))
    weights = exp / exp.sum(-1, keepdims=True)
    heads = project(
        Encoding(tuple(map(str, range(130))), x.astype(dtype)),
        Encoding(tuple(map(str, range(170))), y[:, :8].astype(dtype)),
        heads=4,
        kv_heads=2,
    )
    got = streamed(heads, Rule.parse(mask=mask))
    assert got.maxima.dtype == dtype
    np.testing.assert_allclose(got.maxima[0], mean_over(weights, 7, 7, np.max), rtol=0, atol=within)
    np.testing.assert_allclose(got.weights[0], mean_over(weights, 7, 7), rtol=0, atol=within)
    assert (got.maxima >= got.weights).all()


def test_a_single_weight_of_1_among_ten_thousand_is_seen(monkeypatch):
    """Rows look everywhere alike but the 77th, whose score for key 133 is 200: the mean of its cell hardly tells."""
    monkeypatch.setattr(kept, "MOST_CELLS", 2)
    x, y = torch.zeros(2, 1, 1, 200, 1, dtype=torch.float64)
    x[..., 77, 0], y[..., 133, 0] = 20, 10
    got = returned(stream(x, y, y))
    assert got.maxima[0, 0].round(6).tolist() == [[0.005, 1.0], [0.005, 0.005]]
    assert got.weights[0, 0, 0, 1] == pytest.approx((99 * 100 / 200 + 1) / 100**2)


def test_some_keys_alone_have_the_largest_of_their_cells(monkeypatch):
    monkeypatch.setattr(kept, "MOST_CELLS", 3)
    q, k, v = vectors(20, 30)
    columns = [2, 3, 5, 11, 12, 29]
    got = returned(stream(q, k, v, Rule.parse(mask="window:size=9"), columns=columns))
    whole = attention(q, k, v, Rule.parse(mask="window:size=9")).weights.numpy()[..., columns]
    np.testing.assert_allclose(got.maxima, mean_over(whole, 3, 3, np.max), rtol=0, atol=1e-14)


# ---- what is never there, and never read ------------------------------------------------------------


class Sizes(TorchDispatchMode):
    """How many numbers torch computes: at most at once, and as matrix products altogether."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.is_floating_point():
            self.largest = max(getattr(self, "largest", 0), result.numel())
            if function.overloadpacket is torch.ops.aten.bmm:
                self.products = getattr(self, "products", 0) + result.numel()
        return result


def sizes_of(n, spec):
    x = torch.zeros(1, 1, n, 2)
    with Sizes() as sizes:
        returned(stream(x, x, x, Rule.parse(mask=spec)))
    return sizes


def test_queries_by_keys_are_never_held(monkeypatch):
    monkeypatch.setattr(blocking, "CACHED", 2**16)
    assert sizes_of(1500, []).largest <= 2**15
    assert sizes_of(1500, ["causal"]).largest <= 2**15


def test_a_window_costs_in_proportion_to_the_length():
    short, long = (sizes_of(n, ["window:size=64"]).products for n in (2048, 4096))
    assert long == pytest.approx(2 * short, rel=0.05)
    assert long < 4096 * 6 * 64  # of the 64 times as many that there are


def test_vectors_of_keys_that_nobody_may_attend_to_have_no_effect():
    q, k, v = vectors(6, 8)
    written = np.tile([1, 1, 0, 1, 1, 0, 1, 1], (6, 1))  # as a matrix, so that every key is looked at
    rule = Rule.parse(mask=[written])
    clean = returned(stream(q, k, v, rule))
    k[..., [2, 5], :], v[..., [2, 5], :] = torch.nan, torch.inf
    dirty = returned(stream(q, k, v, rule))
    for name in ("weights", "maxima", "output", "entropy", "mass", "top_weights", "top_keys"):
        np.testing.assert_array_equal(getattr(dirty, name), getattr(clean, name))


# ---- the record -------------------------------------------------------------------------------------


def test_the_record_is_that_of_dense_attention_pooled(small):
    heads = project(np.random.default_rng(0).normal(size=(12, 8)), heads=2, project="random")
    rule = Rule.parse(mask=["causal"])
    got, wanted = streamed(heads, rule), layers.attend(heads, rule)
    assert got.pooled
    assert got.query_tokens == wanted.query_tokens
    assert got.provenance == wanted.provenance
    np.testing.assert_allclose(got.weights, mean_over(wanted.weights, 5, 5), atol=1e-14)
    np.testing.assert_allclose(got.output, wanted.output, atol=1e-14)
    np.testing.assert_array_equal(got.mask, mean_over(wanted.mask, 5, 5, of=np.any))
    assert streamed(heads).mask is None  # nothing is forbidden


def test_what_fits_is_not_pooled():
    heads = project(np.eye(7))
    assert not streamed(heads).pooled
    np.testing.assert_allclose(streamed(heads).weights, layers.attend(heads).weights, atol=1e-15)


def test_many_maps_have_fewer_cells_each():
    x = torch.zeros(1, 256, 300, 1)
    assert returned(stream(x, x, x)).weights.shape == (1, 256, 256, 256)


def test_blind_rows_are_zero_and_named_once():
    heads = project(np.eye(6))
    rule = Rule.parse(mask=["window:size=2", "padding:length=2"])
    with pytest.warns(
        AttnWarning, match="query 3 \\(3\\), 4 \\(4\\), 5 \\(5\\) may attend to no key;"
    ) as caught:
        got = streamed(heads, rule)
    assert len(caught) == 1
    assert not got.weights[0, 0, 3:].any()
    assert not got.output[0, 3:].any()
    assert (got.top_keys[0, 0, 3:] == -1).all()


def test_a_row_that_is_blind_in_one_head_is_named():
    @of_vectors
    def where_positive(query, key):
        return (query[..., :1] > 0).expand(*query.shape[:-1], key.shape[-2])

    x = np.array([[1.0, -1.0], [1.0, 1.0], [1.0, 1.0]])
    with pytest.warns(AttnWarning, match="query 0 \\(0\\) may attend to no key"):
        streamed(project(x, heads=2), Rule(masks=((where_positive,),)))


def test_linear_attention_says_how_far_it_is_off():
    heads = project(np.random.default_rng(0).normal(size=(100, 4)))
    with pytest.warns(
        AttnNote, match=r"linear attention approximates scaled_dot: in 50 rows.* off by 0\.0\d+ on"
    ):
        streamed(heads, Rule.parse(score="linear"))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"a mask \[2, 2\] for 3 queries and 3 keys"):
        streamed(project(np.eye(3)), Rule.parse(mask=[np.eye(2)]))


def test_progress_rises_to_the_end(small):
    done = [step.done for step in stream(*vectors(40, 40))]
    assert done == sorted(set(done))
    assert done[-1] == 40
    assert len(done) > 5


POOLED = Attention(
    ("The", "cat", "sat", "…", "注\t", ""),
    tuple("abc"),
    np.arange(8.0).reshape(1, 2, 2, 2) / 7,
    kind="cross",
    provenance="by hand",
    output=np.ones((1, 6, 2)),
    pooled=True,
    entropy=np.ones((1, 2, 6)),
    mass=np.ones((1, 2, 3)),
    top_keys=np.array([2, -1] * 12).reshape(1, 2, 6, 2),
    top_weights=np.ones((1, 2, 6, 2)),
    maxima=np.ones((1, 2, 2, 2)),
)


@pytest.mark.parametrize("name", ["json", "npz", "safetensors"])
def test_a_pooled_record_comes_back_whole(tmp_path, name):
    path = str(tmp_path / f"p.{name}")
    files.write(path, files.FORMATS[name](POOLED))
    read = files.read(path)
    for field, value in vars(POOLED).items():
        np.testing.assert_array_equal(getattr(read, field), value)
    assert read.top_keys.dtype == np.int64


@pytest.mark.parametrize("name", ["tsv", "csv", "tidy"])
def test_a_table_names_the_cells_and_is_read_as_pooled(tmp_path, name):
    path = str(tmp_path / f"p.{name}")
    files.write(path, files.FORMATS[name](POOLED))
    read = files.read(path)
    assert read.pooled
    assert read.query_tokens == ("The", "…", "…", "…", "…", "…")
    assert read.key_tokens == ("a", "b", "…")
    assert (read.weights == POOLED.weights).all()
    assert b"".join(files.FORMATS[name](read)) == b"".join(files.FORMATS[name](POOLED))


def test_a_table_of_cells_by_hand():
    table = b"".join(files.FORMATS["tsv"](POOLED)).decode().splitlines()
    assert table[0] == "layer\thead\tquery_pos\tquery\t0:a\t1-2:b…"
    assert table[1].startswith("0\t0\t0-2\tThe…\t0.0\t")


def test_a_document_names_the_cells():
    lines = b"".join(files.FORMATS["md"](POOLED)).decode().splitlines()
    assert "| query    |      a | 1-2:b… |" in lines
    assert lines[-1].startswith("| 3-5:……")


def test_what_is_not_pooled_is_written_as_ever():
    assert "pooled" not in to_fields(Attention(("a",), ("b",), np.ones((1, 1, 1, 1))))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("0-1:a…\t2-9:b…\n0\t0\t0\tx\t1\t2", "position 0-1, expected 0-4"),
        ("0-1:a…\t1-2:b…\n0\t0\t0\tx\t1\t2", "position 0-1, expected 0-0"),
        ("0:a\n0\t0\t0-99999999\tx\t1", "100,000,000 positions are too many; give at most"),
        ("0:a\n0\t0\t0-99999999999\tx\t1", "position '0-99999999999'"),
        ("0:a\n0\t0\t5-2\tx\t1", "position '5-2'"),
    ],
)
def test_cells_that_no_map_has_are_refused(tmp_path, table, message):
    path = tmp_path / "t.tsv"
    path.write_text(f"layer\thead\tquery_pos\tquery\t{table}\n")
    with pytest.raises(InputError, match=message):
        files.read(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooled": False}, "6 tokens|have 2 along query"),
        ({"weights": np.ones((1, 2, 7, 2))}, "have 7 along query, but there are 6"),
        ({"scores": np.ones((1, 2, 6, 3))}, "cannot be combined with scores"),
        ({"mask": np.ones((1, 1, 6, 3), bool)}, "mask .* does not fit"),
        ({"entropy": np.ones((1, 2, 2))}, "entropy .* do not fit"),
        ({"top_keys": np.ones((1, 2, 6, 2))}, "top_keys of type float64"),
    ],
)
def test_a_pooled_record_is_checked(change, message):
    with pytest.raises(InputError, match=message):
        Attention(**(vars(POOLED) | change))


# ---- the command ------------------------------------------------------------------------------------


def test_the_command_pools_what_is_long_and_says_so(run, monkeypatch):
    whole = run("attend", "--text", "a b c d e", "--format", "json")
    monkeypatch.setattr(kept, "MOST_CELLS", 2)
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 25)
    assert run("attend", "--text", "a b c d e", "--format", "json").output == whole.output
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 24)
    done = run("attend", "--text", "a b c d e")
    assert done.code == 0
    assert done.stderr.startswith("attn: note: 5 × 5 weights are pooled to 2 × 2 cells, mean and max\n")
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert header[4:] == ["0-1:a…", "2-4:c…"]
    means = mean_over(np.array(files.json_.parse(whole.stdout, "-").weights), 2, 2)[0, 0]
    np.testing.assert_allclose(np.array([row[4:] for row in rows], float), means, atol=1e-15)


def test_what_is_long_but_fits_a_picture_keeps_every_weight(run, monkeypatch):
    arguments = ("attend", "--text", "a b c d e", "--heads", "2", "--mask", "causal")
    whole = files.tables.parse(run(*arguments).stdout, "-")
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 49)
    done = run(*arguments)
    assert "pooled" not in done.stderr
    np.testing.assert_allclose(files.tables.parse(done.stdout, "-").weights, whole.weights, atol=1e-15)


@pytest.mark.parametrize("command", [("attend", "--show", "scores"), ("steps",)], ids=" ".join)
def test_what_streaming_does_not_keep_is_refused(run, monkeypatch, command):
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 24)
    done = run(*command, "--text", "a b c d e")
    assert done.code == 2
    assert "25 weights are too many to show every step; give at most 24" in done.stderr


def test_a_picture_of_a_pooled_map_is_drawn(run, monkeypatch, tmp_path):
    monkeypatch.setattr(layers, "MOST_DENSE", 8 * 24)
    monkeypatch.setattr(kept, "MOST_CELLS", 3)
    picture = tmp_path / "x.svg"
    done = run("heatmap", "--text", "a b c d e f g", "--model", "none", "-o", str(picture))
    assert done.code == 0
    assert "each cell is the mean of 3 × 3 weights" in picture.read_text()


# ---- the bar ----------------------------------------------------------------------------------------


def steps(n):
    yield from (streaming.Progress(i + 1, n) for i in range(n))
    return "made"


def test_a_bar_appears_on_a_terminal_for_what_takes_long(monkeypatch, capsys):
    monkeypatch.setattr(environment, "color", "always")
    monkeypatch.setattr(progress, "PATIENCE", -1)
    assert progress.finish(steps(4), "attention") == "made"
    out, err = capsys.readouterr()
    assert out == ""
    assert "attention" in err
    assert "25%" in err


@pytest.mark.parametrize(("color", "patience"), [("always", 60), ("auto", -1)])
def test_no_bar_for_what_is_quick_or_where_nobody_looks(monkeypatch, capsys, color, patience):
    monkeypatch.setattr(environment, "color", color)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    assert progress.finish(steps(4), "attention") == "made"
    assert capsys.readouterr() == ("", "")


def test_a_bar_of_several_parts_begins_anew_for_each(monkeypatch, capsys):
    monkeypatch.setattr(environment, "color", "always")
    monkeypatch.setattr(progress, "PATIENCE", -1)
    with progress.bar("attention") as show, streaming.watched(show):
        assert [streaming.drain(steps(n)) for n in (4, 8)] == ["made", "made"]
    err = capsys.readouterr().err
    assert err.count("100%") == 1  # drawn at its beginning, and as it is left


def test_a_long_text_through_a_model_has_a_bar(run, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1)
    monkeypatch.setattr(layers, "MOST_DENSE", 1)
    result = run("attend", "--text", "a b", "--model", "mini", "--color", "always")
    assert (result.code, "100%" in result.stderr) == (0, True)


def test_an_interrupt_takes_the_bar_away(monkeypatch, capsys):
    def interrupted():
        yield streaming.Progress(1, 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "color", "always")
    monkeypatch.setattr(progress, "PATIENCE", -1)
    with pytest.raises(KeyboardInterrupt):
        progress.finish(interrupted(), "attention")
    assert capsys.readouterr().err.endswith("\x1b[2K")  # the line is empty again
