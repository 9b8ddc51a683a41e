"""What a head does, in figures: planted heads by hand, and an oracle that looks at one number at a time."""

import math

import numpy as np
import pytest
from attn_cli.interpret.corpus import Corpus, with_roles
from attn_cli.interpret.rows import Rows, blocks, permitted
from attn_cli.interpret.statistics import STATISTICS, kind
from attn_cli.interpret.tally import Tally, figures, per_key, per_query, regrouped
from attn_cli.records.attention import Attention
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = [name for name in STATISTICS if name != "role"]


# ---- the oracle --------------------------------------------------------------------------------------------


def oracle(weights, allowed, tokens=None, special=None, shift=0):
    """All columns of one map, from the words of the definitions. Query q stands at key q + shift."""
    n_query, n_key = weights.shape
    position = [q + shift for q in range(n_query)]
    found = {name: [] for name in NUMBERS}
    for q in range(n_query):
        row = [float(w) for w in weights[q]]
        at = position[q]
        may = [k for k in range(n_key) if allowed[q][k]]
        h = -sum(w * math.log(w) for w in row if w > 0)
        if may:
            found["entropy"].append(h)
        if len(may) >= 2:
            found["entropy_share"].append(h / math.log(len(may)))
        found["distance"].append(sum(w * abs(at - k) for k, w in enumerate(row)))
        found["offset"].append(sum(w * (k - at) for k, w in enumerate(row)))
        for name, k in (("self", at), ("previous", at - 1), ("next", at + 1), ("first", 0)):
            if 0 <= k < n_key:
                found[name].append(row[k])
        if special is not None:
            found["special"].append(sum(w for k, w in enumerate(row) if special[k]))
        earlier = [k for k in range(n_key) if tokens is not None and k < at and tokens[k] == tokens[at]]
        if earlier:
            found["duplicate"].append(sum(row[k] for k in earlier))
            found["induction"].append(sum(row[k + 1] for k in earlier))
        held, count = 0.0, 0
        for w in sorted(row, reverse=True):
            if held >= 0.9 * sum(row) - 1e-9:
                break
            held, count = held + w, count + 1
        found["keys_90"].append(count)
        found["max"].append(max(row))
    received = []
    for k in range(n_key):
        seeing = [q for q in range(n_query) if allowed[q][k]]
        if len(seeing) >= n_query / 4 and seeing:
            received.append((sum(weights[q][k] for q in seeing) / len(seeing), -k))
    means = {name: sum(x) / len(x) if x else math.nan for name, x in found.items()}
    means["sink"], minus_key = max(received)
    return means | {"sink_key": -minus_key}


def softmax(scores, allowed):
    e = np.where(allowed, np.exp(scores), 0)
    return e / np.maximum(e.sum(axis=-1, keepdims=True), 1e-300)


def some_attention(n_query, n_key, kind, mask, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    allowed = {
        "all": np.ones((n_query, n_key), dtype=bool),
        "causal": np.tri(n_query, n_key, n_key - n_query, dtype=bool),
        "some": rng.random((n_query, n_key)) < 0.5,  # now and then a query that may attend to nothing
    }[mask]
    weights = softmax(rng.normal(size=(2, 3, n_query, n_key)) * 3, allowed).astype(dtype)
    keys = tuple(rng.choice(list("abc"), n_key))
    queries = keys[n_key - n_query :] if kind == "self" else tuple("xyzxyzxyzxyz"[:n_query])
    return Attention(queries, keys, weights, kind=kind, mask=None if mask == "all" else allowed[None, None])


CASES = [
    (5, 5, "self", "all"),
    (6, 6, "self", "causal"),
    (7, 7, "self", "some"),
    (3, 8, "self", "causal"),  # a memory before the queries
    (4, 7, "cross", "all"),
    (1, 1, "self", "all"),
]


@pytest.mark.parametrize(("n_query", "n_key", "of", "mask"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_each_column_is_what_its_definition_says(n_query, n_key, of, mask, seed):
    attention = some_attention(n_query, n_key, of, mask, seed)
    special = [i % 3 == 0 for i in range(n_key)]
    found = figures(attention, special=special)
    allowed = np.ones((n_query, n_key), dtype=bool) if attention.mask is None else attention.mask[0, 0]
    tokens = None if of == "cross" else attention.key_tokens
    for layer in range(2):
        for head in range(3):
            shift = 0 if of == "cross" else n_key - n_query
            wanted = oracle(attention.weights[layer, head], allowed, tokens, special, shift)
            for name in NUMBERS:
                np.testing.assert_allclose(
                    found[name][layer, head], wanted[name], rtol=0, atol=1e-12, err_msg=name
                )


def test_every_statistic_stands_in_the_oracle():
    assert set(oracle(np.eye(2), np.ones((2, 2)))) == set(NUMBERS)


# ---- planted heads: numbers that a person works out --------------------------------------------------------


def planted(weights, tokens=None, mask=None):
    weights = np.asarray(weights, dtype=float)
    tokens = tuple(tokens or map(str, range(weights.shape[1])))
    found = figures(Attention(tokens, tokens, weights[None, None], mask=mask))
    return {name: numbers[0, 0] for name, numbers in found.items()}


def test_a_previous_token_head():
    head = np.eye(5, k=-1)
    head[0, 0] = 1  # the first query has nothing before it
    got = planted(head)
    assert (got["previous"], got["self"], got["next"], got["entropy"]) == (1, 0.2, 0, 0)
    assert (got["distance"], got["offset"]) == (0.8, -0.8)
    assert (got["keys_90"], got["max"], got["role"]) == (1, 1, "previous token")
    assert (got["sink"], got["sink_key"]) == (0.4, 0)  # keys: 0 of queries 0 and 1; each of one query


def test_a_next_token_head():
    head = np.eye(4, k=1)
    head[3, 3] = 1
    got = planted(head)
    assert (got["next"], got["previous"], got["offset"], got["role"]) == (1, 0, 0.75, "next token")


def test_a_head_that_looks_at_the_first_token():
    head = np.zeros((4, 4))
    head[:, 0] = 1
    got = planted(head)
    assert (got["first"], got["sink"], got["sink_key"], got["role"]) == (1, 1, 0, "sink")
    assert got["distance"] == 1.5  # 0, 1, 2, 3


def test_a_one_hot_head_on_another_token():
    head = np.zeros((4, 4))
    head[:, 2] = 1
    got = planted(head)
    assert (got["first"], got["sink"], got["sink_key"]) == (0, 1, 2)


def test_a_uniform_head():
    got = planted(np.full((4, 4), 0.25))
    assert got["entropy"] == pytest.approx(math.log(4), abs=1e-15)
    assert got["entropy_share"] == pytest.approx(1, abs=1e-15)
    assert (got["distance"], got["offset"], got["self"]) == (1.25, 0, 0.25)  # mean of |q − k|: 20 / 16
    assert (got["sink"], got["keys_90"], got["max"], got["role"]) == (0.25, 4, 0.25, "broad")


@pytest.mark.parametrize("n", range(10, 200, 10))
def test_nine_of_ten_equal_weights_hold_ninety_per_cent(n):
    """Sums of tenths miss 0.9 by a rounding, one way or the other."""
    assert planted(np.full((n, n), 1 / n))["keys_90"] == 0.9 * n
    assert planted(np.full((n, n), np.float32(1 / n)))["keys_90"] == 0.9 * n


def test_a_uniform_head_under_a_causal_mask():
    head = np.tri(4) / np.arange(1, 5)[:, None]
    got = planted(head, mask=np.tri(4, dtype=bool)[None, None])
    assert got["entropy"] == pytest.approx((math.log(2) + math.log(3) + math.log(4)) / 4, abs=1e-15)
    assert got["entropy_share"] == pytest.approx(
        1, abs=1e-15
    )  # the first query has only itself, and is left out
    assert got["sink"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, abs=1e-15)
    assert got["role"] == "broad"  # not a sink, though α₀ = 0.52: every head of so short a text has one


def test_a_block_head():
    head = np.kron(np.eye(2), np.full((2, 2), 0.5))
    got = planted(head)
    assert (got["self"], got["entropy"], got["keys_90"]) == (0.5, pytest.approx(math.log(2)), 2)
    assert got["previous"] == pytest.approx(1 / 3)  # ½, 0, ½


def test_a_duplicate_and_an_induction_head():
    tokens = "abcabc"
    duplicates, induction = np.zeros((6, 6)), np.zeros((6, 6))
    duplicates[:3, 0] = induction[:3, 0] = 1
    duplicates[3:, :3] = np.eye(3)
    induction[3:, 1:4] = np.eye(3)
    got = planted(duplicates, tokens)
    assert (got["duplicate"], got["induction"], got["role"]) == (1, 0, "duplicate token")
    got = planted(induction, tokens)
    assert (got["duplicate"], got["induction"], got["role"]) == (0, 1, "induction")


def test_the_token_after_its_own_earlier_self_may_be_the_query_itself():
    head = np.eye(3)
    got = planted(head, "aab")  # q = 1: the token after the earlier a is q itself
    assert (got["induction"], got["duplicate"]) == (1, 0)


def test_without_a_repeated_token_there_is_no_duplicate_and_no_induction():
    got = planted(np.eye(3), "abc")
    assert math.isnan(got["duplicate"])
    assert math.isnan(got["induction"])


def test_special_tokens_are_told_or_unknown():
    attention = Attention(("[CLS]", "a"), ("[CLS]", "a"), np.array([[[[0.75, 0.25], [0.5, 0.5]]]]))
    assert figures(attention, ["special"], special=[True, False])["special"] == 0.625
    assert np.isnan(figures(attention, ["special"])["special"]).all()


def test_a_query_that_may_attend_to_nothing_has_no_entropy_and_counts_elsewhere():
    attention = Attention(("a", "b"), ("a", "b"), np.array([[[[0.0, 0.0], [0.5, 0.5]]]]))
    got = figures(attention)
    assert got["entropy"] == pytest.approx(math.log(2))
    assert got["self"] == 0.25
    assert got["max"] == 0.25
    assert got["keys_90"] == 1


def test_a_key_that_few_queries_may_see_is_no_sink():
    """Under a causal mask the last key has the weight of one query alone."""
    n = 5
    head = np.tri(n) / np.arange(1, n + 1)[:, None]
    head[-1] = np.eye(n)[-1]  # the last query looks at itself: α₄ = 1, of one query in five
    mask = np.tri(n, dtype=bool)[None, None]
    assert planted(head, mask=mask)["sink_key"] == 0


def test_where_each_key_is_seen_by_few_there_is_no_sink():
    mask = np.eye(5, dtype=bool)[None, None]
    got = planted(np.eye(5), mask=mask)
    assert math.isnan(got["sink"])
    assert math.isnan(got["sink_key"])
    corpus = Corpus()
    corpus.add({"sink_key": np.array([[math.nan]])})
    corpus.add({"sink_key": np.array([[2.0]])})
    assert corpus.figures()["sink_key"] == 2


def test_norms_are_scaled_to_rows_that_sum_to_1():
    norms = np.array([[[[3.0, 1.0], [2.0, 2.0]]]])
    attention = Attention(("a", "b"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), norms=norms)
    assert figures(attention, ["first"], show="norms")["first"] == 0.625
    with pytest.raises(ValueError, match="has no norms"):
        figures(Attention(("a",), ("a",), np.ones((1, 1, 1, 1))), show="norms")


def test_pooled_maps_are_refused():
    pooled = Attention(("a", "b", "c"), ("a", "b", "c"), np.full((1, 1, 2, 2), 0.5), pooled=True)
    with pytest.raises(ValueError, match="pooled"):
        figures(pooled)


def test_a_causal_mask_that_a_table_has_lost_is_seen_in_the_weights():
    causal = np.tri(4, dtype=bool)
    weights = softmax(np.random.default_rng(0).normal(size=(1, 2, 4, 4)), causal)
    assert (permitted(Attention(tuple("abcd"), tuple("abcd"), weights))[0, 0] == causal).all()
    previous = np.eye(4, k=-1)[None, None]  # no softmax has left these zeros
    assert permitted(Attention(tuple("abcd"), tuple("abcd"), previous)) is None


# ---- witnesses ---------------------------------------------------------------------------------------------


def test_entropy_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    weights = softmax(np.random.default_rng(0).normal(size=(2, 3, 6, 6)), np.tri(6, dtype=bool))
    attention = Attention(tuple("abcdef"), tuple("abcdef"), weights)
    wanted = stats.entropy(weights, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(figures(attention, ["entropy"])["entropy"], wanted, rtol=0, atol=1e-12)


def transformer_lens_score(weights, pattern):
    """Σ (A ⊙ P) / Σ A: `compute_head_attention_similarity_score` of TransformerLens 4.3, error_measure "mul"."""
    return (weights * pattern).sum() / weights.sum()


def test_previous_duplicate_and_induction_against_the_scores_of_transformer_lens():
    """Theirs are shares of all the attention there is, ours means over the queries that could have any.

    Every row sums to 1, so theirs, times n, is ours times the number of those queries. Their pattern for
    previous tokens has n − 1 rows: no head of theirs reaches more than (n − 1) / n.
    """
    tokens, n = list("abcabcab"), 8
    weights = softmax(np.random.default_rng(1).normal(size=(n, n)), np.tri(n, dtype=bool))
    got = planted(weights, tokens, np.tri(n, dtype=bool)[None, None])
    same = np.array([[float(t == u) for u in tokens] for t in tokens])
    np.fill_diagonal(same, 0)
    duplicate = np.tril(same)
    induction = np.roll(duplicate, 1, axis=1)
    induction[:, 0] = 0
    induction = np.tril(induction)
    repeated = 5  # of 8 queries
    assert transformer_lens_score(weights, np.eye(n, k=-1)) * n == pytest.approx(got["previous"] * (n - 1))
    assert transformer_lens_score(weights, duplicate) * n == pytest.approx(got["duplicate"] * repeated)
    assert transformer_lens_score(weights, induction) * n == pytest.approx(got["induction"] * repeated)


# ---- streamed equals dense ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["all", "causal", "some"])
def test_blocks_of_rows_add_up_to_the_whole(monkeypatch, mask):
    attention = some_attention(11, 11, "self", mask, 0, np.float32)
    whole = figures(attention, special=[False] * 11)
    monkeypatch.setattr("attn_cli.interpret.rows.MOST", 2 * 6 * 11)  # two rows at a time
    assert len(list(blocks(attention))) == 6
    parts = figures(attention, special=[False] * 11)
    for name in NUMBERS:
        np.testing.assert_allclose(parts[name], whole[name], rtol=0, atol=1e-12, err_msg=name)
    assert (parts["role"] == whole["role"]).all()


def test_a_block_holds_only_the_keys_that_it_reaches():
    attention = some_attention(9, 9, "self", "causal", 2)
    whole = figures(attention)
    tally = Tally()
    (rows,) = blocks(attention, permitted=attention.mask)
    for start in range(0, 9, 4):
        part, stop = slice(start, start + 4), min(start + 4, 9)
        tally.add(
            Rows(
                rows.weights[:, :, part, :stop],
                rows.query[part],
                rows.key[:stop],
                9,
                9,
                rows.permitted[:, :, part, :stop],
                rows.tokens,
            )
        )
    for name in NUMBERS:
        np.testing.assert_allclose(tally.figures()[name], whole[name], rtol=0, atol=1e-12, err_msg=name)


@given(st.integers(1, 9), st.integers(0, 10**6))
def test_shares_lie_between_0_and_1_and_rows_that_look_back_are_causal(n, seed):
    attention = some_attention(n, n, "self", "causal", seed)
    got = figures(attention)
    for name in ("self", "previous", "first", "sink", "duplicate", "induction", "max", "entropy_share"):
        known = got[name][~np.isnan(got[name])]
        assert (known >= 0).all()
        assert (known <= 1 + 1e-12).all()
    assert (got["offset"] <= 1e-12).all()
    np.testing.assert_allclose(got["distance"], -got["offset"], atol=1e-12)
    assert np.isnan(got["next"]).all() if n == 1 else (got["next"] == 0).all()


# ---- regrouping and many texts -----------------------------------------------------------------------------


def test_regrouped_figures_are_means_of_heads_or_layers():
    attention = some_attention(5, 5, "self", "all", 0)
    got = figures(attention)
    by_layer = regrouped(got, "layer")
    np.testing.assert_allclose(by_layer["entropy"][:, 0], got["entropy"].mean(axis=1))
    np.testing.assert_allclose(regrouped(got, "head")["max"][0], got["max"].mean(axis=0))
    assert "sink" in by_layer
    assert not {"sink_key", "role"} & set(by_layer)


def test_by_query_and_by_key_are_means_over_all_heads():
    attention = some_attention(5, 5, "self", "causal", 3)
    by_query = per_query(attention)
    assert set(by_query) == {name for name in STATISTICS if kind(name) == "rows"}
    np.testing.assert_allclose(by_query["max"], attention.weights.max(axis=-1).mean(axis=(0, 1)))
    by_key = per_key(attention)
    np.testing.assert_allclose(by_key["mass"], attention.weights.sum(axis=2).mean(axis=(0, 1)))
    seen = np.arange(5, 0, -1)
    np.testing.assert_allclose(by_key["received"], by_key["mass"] / seen)


TEXTS = [figures(some_attention(n, n, "self", "causal", n)) for n in (2, 3, 5, 8, 13)]


def test_a_corpus_counts_each_text_once():
    corpus = Corpus()
    for text in TEXTS:
        corpus.add(text)
    got = corpus.figures()
    for name in NUMBERS:
        if name == "sink_key":
            continue
        each = np.stack([text[name] for text in TEXTS])
        n = (~np.isnan(each)).sum(axis=0)
        np.testing.assert_allclose(
            got[name], np.nansum(each, axis=0) / np.where(n, n, np.nan), rtol=0, atol=1e-12
        )
        for place in np.ndindex(n.shape):
            some = [x for x in each[(slice(None), *place)].tolist() if not math.isnan(x)]
            error = math.nan
            if len(some) > 1:
                mean = sum(some) / len(some)
                error = math.sqrt(sum((x - mean) ** 2 for x in some) / (len(some) - 1) / len(some))
            np.testing.assert_allclose(got[f"{name}_se"][place], error, rtol=0, atol=1e-12, err_msg=name)
    assert corpus.texts == 5
    assert with_roles(got)["role"].shape == (2, 3)


def test_the_key_of_the_sink_is_the_most_frequent_one_of_the_texts():
    corpus = Corpus()
    for key in (3, 0, 3, 1):
        corpus.add({"sink_key": np.array([[float(key)]])})
    assert corpus.figures()["sink_key"].tolist() == [[3.0]]


@pytest.mark.parametrize("cut", range(6))
def test_two_parts_of_a_corpus_make_the_whole(cut):
    whole, parts = Corpus(), (Corpus(), Corpus())
    for i, text in enumerate(TEXTS):
        whole.add(text)
        parts[i >= cut].add(text)
    first, second = parts
    first = Corpus.from_state(first.state())  # saved and gone on from
    first.merge(second)
    assert first.texts == 5
    wanted = whole.figures()
    for name, numbers in first.figures().items():
        np.testing.assert_allclose(numbers, wanted[name], rtol=0, atol=1e-12, err_msg=name)


def test_a_corpus_takes_no_more_memory_for_more_texts():
    corpus = Corpus()
    for text in TEXTS:
        corpus.add(text)
    before = sum(array.nbytes for array in corpus.state().values())
    for _ in range(3):
        for text in TEXTS:
            corpus.add(text)
    assert sum(array.nbytes for array in corpus.state().values()) == before
