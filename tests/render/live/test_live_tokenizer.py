"""Texts cut in JavaScript as the library `tokenizers` cuts them: 1,000 lines of English and Chinese, and hostile ones."""

import functools
import itertools
import json
from pathlib import Path

import pytest
from attn_cli import models
from attn_cli.errors import InputError
from attn_cli.render.page.regexes import javascript
from attn_cli.render.page.tokenizer import tokenizer_spec
from attn_cli.text.tokenizers import vocabulary_tokenizer
from attn_cli.toy.pieces import asks_first, new_tokenizer
from nodejs import NODE, in_node
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as kinds

from hostile import HOSTILE

ROOT = Path(__file__).parents[3]
ODD = [
    "",
    " ",
    "  two  spaces ",
    "İstanbul ΣΑΣ ﬁne Ⅷ",
    "don't I'LL 've",
    "a\u00a0b\u3000c\ufeffd",
    "e\u0301 é",
    "\U0001f469\u200d\U0001f680 ok",
]


@functools.cache
def lines():
    """Of what is written in this repository, in both languages."""
    files = [
        *sorted(ROOT.glob("docs/**/*.md")),
        *sorted(ROOT.glob("*.md")),
        *sorted(ROOT.glob("attn_cli/lab/wording/**/*.py")),
    ]
    texts = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    chinese = [line for line in texts if any("\u4e00" <= c <= "\u9fff" for c in line)]
    english = [line for line in texts if line.isascii()]
    odd = [text for text in (*HOSTILE, *ODD) if not any("\ud800" <= c <= "\udfff" for c in text)]
    assert min(len(chinese), len(english)) >= 200
    return [*itertools.islice(itertools.cycle(chinese), 500), *english[:500], *odd]


def trained(model, trainer, normalizer=None, pre=None, post=None, **special):
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    tokenizer.train_from_iterator(lines()[:400], trainer)
    if post is not None:
        tokenizer.post_processor = post
    return tokenizer


def bert():
    words = sorted({word for line in lines()[400:700] for word in line.lower().split()})
    letters = [chr(i) for i in range(33, 127)]
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{c}" for c in letters),
        *words[:300],
        "注",
        "意",
    ]
    return vocabulary_tokenizer(list(dict.fromkeys(pieces)))


def gpt2():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    return trained(
        kinds.BPE(),
        trainer,
        pre=pre_tokenizers.ByteLevel(add_prefix_space=False),
        post=processors.ByteLevel(),
    )


def llama():
    """Spaces as ▁, unknown characters as bytes, <s> in front."""
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, limit_alphabet=120, show_progress=False
    )
    tokenizer = trained(
        kinds.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        trainer,
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        post=processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)]),
    )
    tokenizer.decoder = decoders.ByteFallback()
    return tokenizer


def qwen():
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    pre = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    return trained(kinds.BPE(), trainer, normalizer=normalizers.NFC(), pre=pre)


def others():
    """Steps that no family above has."""
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(prepend_scheme="first"),
        pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex(r"[aeiou]"), "contiguous"),
    ])  # fmt: skip
    normalizer = normalizers.Sequence(
        [
            normalizers.Strip(left=False),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["?"], end_of_word_suffix="</w>", show_progress=False
    )
    return trained(
        kinds.BPE(unk_token="?", end_of_word_suffix="</w>"), trainer, normalizer=normalizer, pre=pre
    )


def toy():
    tokenizer = new_tokenizer(lines()[:300], 900, ("[end]", "[en]"), whole=50)
    asks_first(tokenizer, "[en]")
    return tokenizer


def mini():
    return models.load("mini").tokenizer


@pytest.mark.skipif(NODE is None, reason="no Node.js here")
def test_pieces_are_those_of_the_library():
    made = {maker.__name__: maker() for maker in (mini, toy, bert, gpt2, llama, qwen, others)}
    specs = {
        name: tokenizer_spec(one.to_str(), verbatim=name in ("mini", "toy")) for name, one in made.items()
    }
    answers = in_node("tokenizer.mjs", [{"spec": spec, "texts": lines()} for spec in specs.values()])
    for (name, tokenizer), answer in zip(made.items(), answers, strict=True):
        for text, got in zip(lines(), answer, strict=True):
            encoded = tokenizer.encode(" ".join(text.splitlines()))
            expected = [[number, piece] for number, piece in zip(encoded.ids, encoded.tokens, strict=True)]
            assert got == expected, (name, text)


@pytest.mark.skipif(NODE is None, reason="no Node.js here")
def test_special_tokens_in_a_text_are_found_unless_they_are_text():
    tokenizer, texts = bert(), ["a [MASK] b[SEP]", "[mask] x"]
    specs = [tokenizer_spec(tokenizer.to_str(), verbatim=verbatim) for verbatim in (False, True)]
    for spec, answer in zip(
        specs, in_node("tokenizer.mjs", [{"spec": spec, "texts": texts} for spec in specs]), strict=True
    ):
        tokenizer.encode_special_tokens = spec is specs[1]
        for text, got in zip(texts, answer, strict=True):
            assert [number for number, _ in got] == tokenizer.encode(text).ids


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 0}}, "'Unigram'"),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}}, "'Precompiled'"),
        ({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?>a)"}, "behavior": "Removed", "invert": False}}, "(?>a)"),
    ],
)  # fmt: skip
def test_what_the_page_cannot_do_is_refused_when_it_is_made(change, said):
    definition = json.loads(bert().to_str()) | change
    with pytest.raises(InputError, match="which") as refused:
        tokenizer_spec(json.dumps(definition), verbatim=False)
    assert said in refused.value.what


@pytest.mark.parametrize(
    "pattern", [r"a++", r"\h", r"\p{Klingon}", r"[a&&b]", r"^a", r"[[:alpha:]]", r"(?x) a"]
)
def test_patterns_that_javascript_lacks_are_refused(pattern):
    with pytest.raises(InputError, match="JavaScript lacks"):
        javascript(pattern)
