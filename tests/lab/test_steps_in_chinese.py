"""Worked steps in Chinese: the same numbers, names and formulas, and words that are Chinese throughout."""

import re
import shutil

import numpy as np
import pytest
from attn_cli import files
from attn_cli.attention import layers
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.lab.steps import work_out
from attn_cli.lab.wording.variants import in_words
from attn_cli.lab.wording.zh.variants import TEXTS
from attn_cli.registry import summary
from attn_cli.render.page.steps import steps_page
from attn_cli.variants.masks import MASKS
from attn_cli.variants.normalisation import NORMALISATIONS
from attn_cli.variants.posenc.inside import POSITIONS
from attn_cli.variants.scores import SCORES

HAN = re.compile("[\u4e00-\u9fff]")
REGISTRIES = {
    "scores:SCORES": SCORES,
    "posenc.inside:POSITIONS": POSITIONS,
    "masks:MASKS": MASKS,
    "normalisation:NORMALISATIONS": NORMALISATIONS,
}
RULES = [
    {"mask": ["causal"], "softcap": 5.0, "temperature": 2.0},
    {"mask": ["window:size=2", np.eye(3, dtype=bool)]},
    {"score": "cosine", "scale": 2.0, "normalise": "sparsemax"},
    {"score": "dot", "top_k": 2},
    {"position": "rope"},
]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def both(rule, heads=2, **cell):
    made = project(normal(3, 8), heads=heads, project="random")
    by = Rule.parse(**rule)
    attention = layers.attend(made, by)
    return [work_out(attention, made, by, language=language, **cell) for language in ("en", "zh")]


@pytest.mark.parametrize("rule", RULES)
def test_numbers_and_names_are_the_same(rule):
    (ours,), (theirs,) = both(rule, cell=(1, 2, 0))
    for a, b in zip(ours.steps, theirs.steps, strict=True):
        assert (a.name, a.axes, a.rows, a.columns) == (b.name, b.axes, b.rows, b.columns)
        assert (a.values == b.values).all()
        assert bool(a.formula) == bool(b.formula)
        assert bool(a.meaning) == bool(b.meaning)
        assert b.meaning == "" or (HAN.search(b.meaning) and b.meaning.endswith("。")), a.name
    for a, b in zip(ours.arithmetic.lines, theirs.arithmetic.lines, strict=True):
        assert a.value == b.value or np.isnan(a.value)
        assert re.findall(r"\d[\d.]*", a.text) == re.findall(r"\d[\d.]*", b.text)
        assert HAN.search(b.name)
        assert bool(a.remark) == bool(b.remark)


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_variant_is_said_in_chinese_with_its_options(name):
    assert list(TEXTS[name]) == list(REGISTRIES[name])
    for spec, text in TEXTS[name].items():
        english = summary(REGISTRIES[name][spec])
        assert text.endswith("。")
        assert set(re.findall(r"`(\w+)`", text)) == set(re.findall(r"`(\w+)`", english)), spec
        assert in_words(REGISTRIES[name][spec], "zh") == text
        assert in_words(REGISTRIES[name][spec]) == english


def test_a_function_of_ones_own_is_not_taken_for_a_registered_one():
    def causal(query, key):
        """Mine."""

    assert in_words(causal, "zh") == "Mine."
    assert in_words(lambda query, key: None, "zh") == "按所给的函数。"


def test_outputs_are_in_chinese():
    _, worked = both({"mask": ["causal"]}, cell=(1, 2, 0))
    text = b"".join(files.WORKED["md"](worked)).decode()
    assert text.startswith("# 注意力的逐步计算\n")
    assert "\n## 注意力权重 weights\n" in text
    assert "\n头 1\n" in text
    assert "\n## 手算一格：查询 2（2）、键 0（0）、头 1\n" in text
    page = steps_page(worked).decode()
    assert '<html lang="zh">' in page
    assert "<figcaption>头 0</figcaption>" in page


def test_chinese_within_a_formula_is_set_as_text():
    _, worked = both({"mask": ["causal"]}, cell=(0, 0, 1))
    text = b"".join(files.WORKED["tex"](worked)).decode()
    assert "\\text{允许处取}" in text
    assert "\\text{不可以看：分数变为}" in text
    for formula in re.findall(r"\$(.*?)\$|\\\[(.*?)\\\]", text):
        outside = re.sub(r"\\text\{[^}]*\}", "", "".join(formula))
        assert not re.search("[\u3000-\u9fff\uff00-\uffef]", outside), formula


@pytest.mark.parametrize(("lang", "locale", "title"), [
    ("zh", "en_GB.UTF-8", "# 注意力的逐步计算"), (None, "zh_CN.UTF-8", "# 注意力的逐步计算"),
    ("en", "zh_CN.UTF-8", "# Attention, step by step"), (None, "C.UTF-8", "# Attention, step by step"),
])  # fmt: skip
def test_the_language_is_the_one_asked_for_else_the_locales(run, monkeypatch, lang, locale, title):
    option = [] if lang is None else ["--lang", lang]
    monkeypatch.setenv("LC_ALL", locale)
    result = run("steps", "--text", "a b", "--embed", "onehot", "--format", "md", *option)
    assert result.stdout.splitlines()[0] == title


def test_a_language_that_is_not_spoken(run):
    result = run("steps", "--text", "a b", "--embed", "onehot", "--format", "md", "--lang", "fr")
    assert result.code == 2
    assert "give en or zh" in result.stderr


def test_xelatex_sets_it(tmp_path):
    if shutil.which("xelatex") is None:
        pytest.skip("xelatex is not installed")
    import subprocess

    _, worked = both({"mask": ["causal"]}, cell=(0, 0, 1))
    (tmp_path / "steps.tex").write_bytes(b"".join(files.WORKED["tex"](worked)))
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "steps.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
