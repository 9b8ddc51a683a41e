"""Tokenizers, embeddings, and tokens made safe to print."""

import subprocess
import sys

import pytest
from attn_cli.errors import InputError
from attn_cli.text.characters import clusters
from attn_cli.text.escaping import escape, unescape
from attn_cli.text.tokenizers import TOKENIZERS, char, json_tokenizer, whitespace, word  # fmt: skip
from attn_cli.variants.embeddings import hash_, onehot
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat, didn't.", ["The", "cat", ",", "didn't", "."]),
        ("注意力is all", ["注", "意", "力", "is", "all"]),
        ("1,000.5 v2 3rd", ["1,000.5", "v2", "3rd"]),
        ("日本語のテスト", ["日", "本", "語", "のテスト"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("हिन्दी", ["हिन्दी"]),
        ("cafe\u0301 'quoted'", ["cafe\u0301", "'", "quoted", "'"]),
        ("👩‍💻👍🏽🇨🇳!", ["👩‍💻", "👍🏽", "🇨🇳", "!"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("a\nb\r\nc", ["a", "b", "c"]),
        (r"$\frac{$", ["$", "\\", "frac", "{", "$"]),
        ("  \n", []),
    ],
)
def test_word(text, tokens):
    assert word(text) == tokens


def test_char_keeps_spaces_and_whitespace_keeps_pieces():
    assert char("a b\nc") == ["a", " ", "b", " ", "c"]
    assert whitespace("a,b  c\nd") == ["a,b", "c", "d"]


@pytest.mark.parametrize("name", TOKENIZERS)
def test_line_breaks_count_as_a_space_in_every_tokenizer(name):
    assert TOKENIZERS[name]("one\ntwo") == TOKENIZERS[name]("one two")


@given(st.text())
def test_clusters_lose_nothing(text):
    assert "".join(clusters(text)) == text


def test_tokenizer_json_shows_the_text_itself():
    """Pieces are shown as the slices they stand for, not as `##ing` or `Ġthe`."""
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {"[UNK]": 0, "play": 1, "##ing": 2}
    model = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    assert json_tokenizer(model.to_str())("playing 注") == ["play", "ing", "注"]


@pytest.mark.parametrize("definition", ["", "{}", "[1]", '{"model": {"type": "BPE"}}'])
def test_a_malformed_tokenizer_is_one_error(definition):
    with pytest.raises(InputError, match=r"not a tokenizer.json \(.*\); give"):
        json_tokenizer(definition)


def test_hash_vectors_are_the_same_in_every_process():
    """Python salts its own hash() anew in each process; these numbers are pinned for every machine."""
    code = "from attn_cli.variants.embeddings import hash_; print(hash_(['注意', 'x'], 3, 5).tolist())"
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in "ab"
    }
    assert runs == {f"{hash_(['注意', 'x'], 3, 5).tolist()}\n".encode()}
    assert hash_(["cat"], 2, 0).tolist() == [[0.4050772511398113, -1.113453682424496]]


def test_hash_vectors_depend_on_token_dim_and_seed_alone():
    alone = hash_(["b"], 8, 1)
    assert (hash_(["a", "b", "a", "b"], 8, 1)[[1, 3]] == alone).all()
    assert not (hash_(["b"], 8, 2) == alone).any()
    assert not (hash_(["b"], 9, 1)[:, :8] == alone).any()


def test_hash_vectors_have_mean_0_and_variance_1():
    sample = hash_([str(i) for i in range(200)], 512)
    assert abs(sample.mean()) < 0.01
    assert abs(sample.var() - 1) < 0.01


def test_onehot_counts_distinct_tokens():
    assert onehot(["b", "a", "b"]).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert onehot(["b"], 3).tolist() == [[1, 0, 0]]
    with pytest.raises(InputError, match="2 distinct tokens do not fit in dim 1; give --dim 2"):
        onehot(["a", "b"], 1)


@pytest.mark.parametrize(
    ("token", "safe"),
    [
        ("a\tb\nc\\d\r", r"a\tb\nc\\d\r"),
        ("\x1b[31m", r"\u001b[31m"),
        ("\x9b31m", r"\u009b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("注意力😀", "注意力😀"),
        ("[/red]</script>$x$", "[/red]</script>$x$"),
    ],
)
def test_escape(token, safe):
    assert escape(token) == safe
    assert unescape(safe) == token


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_escape_can_be_undone_and_leaves_nothing_that_acts(token):
    safe = escape(token)
    assert unescape(safe) == token
    assert not set(safe) & {chr(i) for i in [*range(32), *range(127, 160)]}


@given(st.text(alphabet="\\u01tn"))
def test_unescape_takes_any_text(text):
    assert isinstance(unescape(text), str)
