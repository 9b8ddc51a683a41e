"""Two attentions compared: one cell at a time by hand, heads matched beside SciPy, the step at which they part."""

import itertools

import numpy as np
import pytest
from attn_cli.errors import AttnNote, InputError
from attn_cli.interpret.assignment import assignment
from attn_cli.interpret.difference import MEASURES, aligned, difference, largest, matching
from attn_cli.interpret.parting import parting, parting_of_outputs
from attn_cli.records.attention import Attention
from hypothesis import given
from hypothesis import strategies as st


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def some_attention(seed=0, n_layers=2, n_heads=3, n=4, **more):
    tokens = tuple(map(str, range(n)))
    return Attention(
        tokens, tokens, softmax(np.random.default_rng(seed).normal(size=(n_layers, n_heads, n, n))), **more
    )


# ---- the table ---------------------------------------------------------------------------------------------


def test_each_column_is_what_its_definition_says():
    a, b = some_attention(0), some_attention(1)
    table = difference(a, b)
    assert list(table.columns) == ["layer", "head", "max", "mean", "query", "key", "js", "correlation"]
    for row in table.rows():
        ours, theirs = (x.weights[row["layer"], row["head"]] for x in (a, b))
        cells = [(abs(ours[q, k] - theirs[q, k]), q, k) for q in range(4) for k in range(4)]
        top = max(cells)
        assert (row["max"], row["query"], row["key"]) == (pytest.approx(top[0], abs=1e-15), top[1], top[2])
        assert row["mean"] == pytest.approx(sum(cell[0] for cell in cells) / 16, abs=1e-15)
        assert row["correlation"] == pytest.approx(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1], abs=1e-12)
        divergences = [
            sum(
                (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))) / 2
                for p, q in zip(*rows, strict=True)
            )
            for rows in zip(ours, theirs, strict=True)
        ]
        assert row["js"] == pytest.approx(np.mean(divergences), abs=1e-12)
    assert largest(table) == table["max"].max()


def test_an_attention_does_not_differ_from_itself():
    table = difference(some_attention(), some_attention())
    assert (table["max"] == 0).all()
    assert (table["js"] == 0).all()
    np.testing.assert_allclose(table["correlation"], 1, atol=1e-12)


def test_a_map_that_is_the_same_everywhere_has_no_correlation():
    uniform = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5))
    other = Attention(("a", "b"), ("a", "b"), np.array([[[[0.9, 0.1], [0.4, 0.6]]]]))
    assert np.isnan(difference(uniform, other)["correlation"]).all()
    assert next(difference(other, uniform).rows())["correlation"] is None


def test_a_query_that_may_attend_to_nothing_has_no_divergence():
    a = Attention(("a", "b"), ("a", "b"), np.array([[[[0.0, 0.0], [1.0, 0.0]]]]))
    b = Attention(("a", "b"), ("a", "b"), np.array([[[[1.0, 0.0], [0.0, 1.0]]]]))
    assert difference(a, b)["js"][0] == pytest.approx(np.log(2), abs=1e-15)
    assert np.isnan(MEASURES["js"](a.weights[0] * 0, b.weights[0])).all()
    assert np.isnan(MEASURES["js"](a.weights[0] - 1, b.weights[0])).all()  # scores


def test_float32_and_float64_are_compared_in_float64():
    a = some_attention()
    b = Attention(a.query_tokens, a.key_tokens, a.weights.astype(np.float32))
    assert 0 < largest(difference(a, b)) < 1e-7


def test_layers_and_heads_keep_their_names_and_cells_their_first_position():
    weights = np.full((1, 1, 2, 2), 0.5)
    a = Attention(tuple("abcd"), tuple("abcd"), weights, layers=(3,), heads=("mean",), pooled=True)
    b = Attention(tuple("abcd"), tuple("abcd"), weights + np.diag([0, 0.25]), pooled=True)
    (row,) = difference(a, b).rows()
    assert (row["layer"], row["head"], row["query"], row["key"]) == (3, "mean", 2, 2)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            some_attention(n_layers=1),
            "layers: 2 in the first, 1 in the second; choose as many of each: --layer 0, last or mean",
        ),
        (
            some_attention(n_heads=2),
            "heads: 3 in the first, 2 in the second; choose as many of each: --head 0 or mean",
        ),
        (some_attention(n=5), "queries: 4 in the first, 5 in the second; give the same text"),
    ],
)
def test_attentions_of_other_sizes_are_refused(other, said):
    with pytest.raises(InputError, match=said):
        difference(some_attention(), other)


# ---- matching ----------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 2), st.booleans(), st.integers(0, 9999))
def test_an_assignment_costs_no_more_than_any_other(n, more, whole, seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 4, (n, n + more)).astype(float) if whole else rng.normal(size=(n, n + more))
    got = assignment(cost)
    assert len(set(got)) == n
    least = min(
        sum(cost[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(n + more), n)
    )
    assert cost[np.arange(n), got].sum() == pytest.approx(least, abs=1e-9)


def test_an_assignment_costs_what_scipys_does():
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(5):
        cost = np.random.default_rng(seed).normal(size=(16, 16))
        rows, columns = optimize.linear_sum_assignment(cost)
        assert cost[np.arange(16), assignment(cost)].sum() == pytest.approx(
            cost[rows, columns].sum(), abs=1e-12
        )


def test_permuted_heads_are_matched():
    a = some_attention()
    b = Attention(a.query_tokens, a.key_tokens, a.weights[:, [2, 0, 1]], heads=(10, 11, 12))
    table = difference(a, b, match=True)
    assert (table["max"] == 0).all()
    assert table["matched"].tolist() == [11, 12, 10] * 2
    assert matching(a, a).tolist() == [[0, 1, 2]] * 2


# ---- different tokenizers ----------------------------------------------------------------------------------


def test_different_pieces_are_compared_between_words():
    pieces = np.array([[[[0.5, 0.25, 0.25], [0, 0.5, 0.5], [0.5, 0.25, 0.25]]]])
    a = Attention(("a", "un", "##do"), ("a", "un", "##do"), pieces)
    whole = np.array([[[[0.5, 0.5], [0.25, 0.75]]]])
    b = Attention(("a", "undo"), ("a", "undo"), whole)
    with pytest.warns(AttnNote, match="the tokens of the two differ, so words are compared"):
        ours, theirs = aligned(a, b)
    assert ours.query_tokens == theirs.query_tokens == ("a", "undo")
    assert difference(ours, theirs)["max"].tolist() == [0]


def test_the_same_tokens_are_left_as_they_are():
    a, b = some_attention(0), some_attention(1)
    assert aligned(a, b) == (a, b)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (("a", "c"), "query 1 is 'b' in the first and 'c' in the second; give the same text to both"),
        (
            ("[CLS]", "a"),
            "query 0 is 'a' in the first and '.CLS.' in the second; leave special tokens out",
        ),
        (
            ("a", "b", "c"),
            "2 words as query in the first and 3 in the second; give inputs of the same length",
        ),
        (
            ("a", "b", "[SEP]"),
            "2 words as query in the first and 3 in the second; leave special tokens out: --special drop",
        ),
    ],
)
def test_another_text_is_refused(tokens, said):
    a = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5))
    n = len(tokens)
    with pytest.raises(InputError, match=said):
        aligned(a, Attention(tokens, tokens, np.full((1, 1, n, n), 1 / n)))


# ---- where two computations part ---------------------------------------------------------------------------

RNG = np.random.default_rng(0)
Q, K, V = RNG.normal(size=(2, 3, 8)), RNG.normal(size=(2, 3, 8)), RNG.normal(size=(2, 3, 8))
SCORES = Q @ K.transpose(0, 2, 1) / np.sqrt(8)
RIGHT = softmax(SCORES)
CAUSAL = np.tri(3, dtype=bool)


def record(**parts):
    tokens = ("a", "b", "c")
    whole = {"query": Q, "key": K, "value": V, "scores": SCORES, "weights": RIGHT} | parts
    return Attention(
        tokens, tokens, **{name: array[None] for name, array in whole.items() if array is not None}
    )


def outputs(weights):
    heads = weights @ V
    return heads.transpose(1, 0, 2).reshape(3, 16)


@pytest.mark.parametrize(
    ("change", "step", "agreed"),
    [
        ({"query": Q + 1}, "query", ()),
        ({"value": V + 1}, "value", ("query", "key")),
        ({"scores": SCORES * 2, "weights": softmax(SCORES * 2)}, "scores", ("query", "key", "value")),
        (
            {"mask": CAUSAL[None], "weights": softmax(np.where(CAUSAL, SCORES, -np.inf))},
            "mask",
            ("query", "key", "value", "scores"),
        ),
        ({"weights": RIGHT * 2}, "weights", ("query", "key", "value", "scores")),
        ({"scores": None, "weights": RIGHT * 2}, "weights", ("query", "key", "value")),
        (
            {"output": outputs(RIGHT) @ RNG.normal(size=(16, 16))},
            "projection",
            ("query", "key", "value", "scores", "weights"),
        ),
    ],
)
def test_records_part_at_the_first_step_that_differs(change, step, agreed):
    found = parting(record(output=outputs(RIGHT)), record(**({"output": outputs(RIGHT)} | change)))
    assert (found.step, found.agreed) == (step, agreed)


def test_records_that_agree_do_not_part():
    assert parting(record(), record()) is None
    assert parting(record(), record(weights=RIGHT + 1e-9)) is None
    assert parting(record(), record(weights=RIGHT + 1e-9), tolerance=1e-12).step == "weights"


def test_without_values_it_is_the_output_that_differs():
    a, b = (record(value=None, query=None, key=None, output=outputs(RIGHT) + x) for x in (0, 1))
    assert parting(a, b).step == "output"
    assert str(parting(a, b)).startswith("scores, weights agree; they part at output: ")


def test_scores_that_a_mask_forbids_do_not_count():
    masked = np.where(CAUSAL, SCORES, -np.inf)
    a = record(scores=masked, mask=CAUSAL[None], weights=softmax(masked))
    assert parting(a, record(mask=CAUSAL[None], weights=softmax(masked))) is None


@pytest.mark.parametrize(
    ("weights", "step"),
    [
        (softmax(SCORES * np.sqrt(8)), "scores"),  # not scaled
        (softmax(SCORES.transpose(0, 2, 1)), "scores"),
        (softmax(np.where(CAUSAL, SCORES, -np.inf)), "mask"),
        (np.exp(SCORES), "weights"),  # not divided by their sum
    ],
)
def test_outputs_alone_tell_where_they_part(weights, step):
    found = parting_of_outputs(Q, K, V, RIGHT @ V, weights @ V)
    assert found.step == step
    assert found.as_defined == (True, step == "mask")  # the definition holds under any mask
    if step != "mask":
        assert str(found).endswith("; the first is softmax(query · keyᵀ / √d_head)")


@pytest.mark.parametrize(
    ("weights", "step", "agreed"),
    [
        (softmax(SCORES * np.sqrt(8)), "scores", ()),
        (softmax(np.where(CAUSAL, SCORES, -np.inf)), "mask", ("scores",)),
        (np.exp(SCORES), "weights", ("scores", "mask")),
        (softmax(SCORES * 0.9), "output", ()),  # no departure that is known
    ],
)
def test_more_keys_than_dimensions_part_where_a_known_departure_is(weights, step, agreed):
    few = V[:, :, :2]  # 3 keys, 2 dimensions
    found = parting_of_outputs(Q, K, few, weights @ few, RIGHT @ few)
    assert (found.step, found.agreed, found.axes) == (step, agreed, ("head", "query", "dim"))
    assert found.as_defined == (None if step == "output" else (step == "mask", True))


def test_places_have_the_names_of_layers_and_heads():
    a, b = (Attention(("x",), ("x", "y"), np.array([[[w]]]), layers=(5,)) for w in ([1.0, 0.0], [0.5, 0.5]))
    assert str(parting(a, b)).endswith("at layer 5, head 0, query 0, key 0")


def test_an_output_that_is_no_mixture_of_the_values_was_projected():
    assert parting_of_outputs(Q, K, V, RIGHT @ V, RIGHT @ V @ RNG.normal(size=(8, 8))).step == "projection"


def test_outputs_that_agree_do_not_part_and_too_many_keys_hide_the_weights():
    assert parting_of_outputs(Q, K, V, RIGHT @ V, RIGHT @ V) is None
    few = V[:, :, :2]  # 3 keys, 2 dimensions
    assert parting_of_outputs(Q, K, few, RIGHT @ few, RIGHT @ few + 1).step == "output"
    with pytest.raises(InputError, match=r"give \[head, query, d_value\] for both"):
        parting_of_outputs(Q, K, V, RIGHT @ V, RIGHT)
