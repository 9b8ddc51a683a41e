"""Worked steps: the issue's numbers at every step, arithmetic that gives the engine's weights, and every output."""

import base64
import hashlib
import html.parser
import io
import itertools
import json
import math
import re
import shutil
import subprocess
import warnings
from dataclasses import replace

import numpy as np
import pytest
from attn_cli import files
from attn_cli.attention import layers
from attn_cli.attention.heads import project
from attn_cli.attention.rules import Rule
from attn_cli.attention.vectors import attend
from attn_cli.errors import InputError
from attn_cli.lab.steps import work_out
from attn_cli.records.encoding import Encoding
from attn_cli.records.worked import equals, printed, rounded
from attn_cli.render.page.steps import steps_page
from attn_cli.render.terminal.steps import StepTables
from attn_cli.variants.projections import Projection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

HAND = "samples/by-hand"
QKV = [f"--{name}={HAND}/{name[0].upper()}.csv" for name in ("query", "key", "value")]
POWERFUL = [f"{HAND}/powerful.txt", f"--embed={HAND}/powerful.vec", f"--posenc={HAND}/powerful-positions.csv"]
HOSTILE = (
    "[/red]",
    "$\\frac{$",
    "\x1b[31m",
    "</script>",
    "<img src=x onerror=alert(1)>",
    "注意力",
    "😀",
    "a\tb",
    "a|b",
)


def work(query, key=None, value=None, *, cell=None, heads=1, project_by="identity", **rule):
    """All steps of attention to these vectors."""
    made = project(np.asarray(query), key, value, heads=heads, project=project_by)
    by = Rule.parse(**rule)
    attention = layers.attend(made, by)
    (worked,) = work_out(attention, made, by, cell=cell)
    return attention, {step.name: step for step in worked.steps}, worked


def quiet():
    """Without what is said of rows that see nothing."""
    return warnings.catch_warnings(action="ignore")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# ---- by hand: the numbers of the issue, at every step -------------------------------------------------


def from_pipe(run, *arguments):
    """Step → its matrix, from the TSV that a pipe gets; one head."""
    header, *lines = run("steps", *arguments).stdout.splitlines()
    assert header.split("\t") == ["step", "layer", "head", "row_pos", "row", "column_pos", "column", "value"]
    steps = {}
    for name, _, _, row, _, column, _, value in (line.split("\t") for line in lines):
        steps.setdefault(name, {})[int(row), int(column)] = float(value)
    return {
        name: [[cells[i, j] for j in range(1 + max(cells)[1])] for i in range(1 + max(cells)[0])]
        for name, cells in steps.items()
    }


def test_query_key_value_by_hand(run):
    steps = from_pipe(run, *QKV)
    root = math.sqrt(2)
    expected = {
        "Q": [[0.1, 0.2], [0.3, 0.4]],
        "K": [[0.4, 0.5], [0.6, 0.7]],
        "V": [[0.8, 0.9], [1, 1.1]],
        "scores": [[0.14, 0.2], [0.32, 0.46]],
        "scaled": [[0.14 / root, 0.2 / root], [0.32 / root, 0.46 / root]],
        "weights": [[0.489394989, 0.510605011], [0.475271454, 0.524728546]],
        "output": [[0.902121002, 1.002121002], [0.904945709, 1.004945709]],
    }
    assert list(steps) == list(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(steps[name], numbers, rtol=0, atol=1e-9, err_msg=name)


def test_transformer_is_powerful(run):
    steps = from_pipe(run, *POWERFUL)
    x = [[0.5, 0.2, 0.5], [0.5, 1.0, 0.6], [0.9, 1.1, 1.5]]
    scores = [[0.54, 0.75, 1.42], [0.75, 1.61, 2.45], [1.42, 2.45, 4.27]]
    weights = [
        [0.263784231, 0.297785973, 0.438429796],
        [0.188272877, 0.309331531, 0.502395592],
        [0.125066175, 0.226674206, 0.648259619],
    ]
    expected = dict.fromkeys("XQKV", x) | {
        "scores": scores,
        "scaled": np.array(scores) / math.sqrt(3),
        "weights": weights,
        "output": np.array(weights) @ x,
    }
    assert list(steps) == list(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(steps[name], numbers, rtol=0, atol=2e-9, err_msg=name)


def test_a_cell_by_hand(run):
    document = json.loads(run("steps", *POWERFUL, "--cell", "1,2", "--format", "json").stdout)
    lines = {line["name"]: line["text"] for line in document["layers"][0]["arithmetic"]["lines"]}
    assert lines == {
        "dot product": "0.5·0.9 + 1·1.1 + 0.6·1.5 = 2.45",
        "scaled": "2.45 / √3 ≈ 2.45 / 1.7321 ≈ 1.4145",
        "exponentials": "e^0.433 ≈ 1.5419, e^0.9295 ≈ 2.5333, e^1.4145 ≈ 4.1145",
        "sum": "1.5419 + 2.5333 + 4.1145 ≈ 8.1897",
        "weight": "4.1145 / 8.1897 ≈ 0.5024",
        "output 0": "0.1883·0.5 + 0.3093·0.5 + 0.5024·0.9 ≈ 0.701",
        "output 1": "0.1883·0.2 + 0.3093·1 + 0.5024·1.1 ≈ 0.8996",
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (0.49996, "0.5"), (-0.25, "-0.25"), (0.0, "0"), (-0.0, "0"), (-0.00004, "-4e-05"), (123456.0, "1.235e+05"), (-np.inf, "-∞")],
)  # fmt: skip
def test_numbers_are_rounded(number, text):
    assert rounded(number) == text


def test_equal_and_nearly_equal():
    assert (equals(0.1 + 0.2), equals(1 / 3), equals(0.5, 1 / 3)) == ("=", "≈", "≈")
    assert printed(np.array([[0.5, -np.inf], [0.25, 1e-7]])) == [["0.50", "-∞"], ["0.25", "1e-07"]]


# ---- the steps are the engine's, whatever the options -------------------------------------------------

vectors = st.integers(1, 8).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(1, 2), st.integers(1, 8), st.integers(0, 2**32 - 1))
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "score": st.sampled_from(["scaled_dot", "dot"]),
        "mask": st.sampled_from([["causal"], ["window:size=2"], ["causal", "random:share=0.5"]]),
        "scale": st.sampled_from([0.5, 3.0, -1.0]),
        "softcap": st.sampled_from([1.0, 30.0]),
        "temperature": st.sampled_from([0.1, 2.0]),
    },
)


@given(vectors, rules, st.sampled_from([0.1, 1.0, 30.0]), st.data())
@settings(max_examples=150)
def test_arithmetic_gives_the_weights_of_the_engine(sizes, rule, spread, data):
    n, n_heads, d_head, seed = sizes
    head, query, key = (data.draw(st.integers(0, size - 1)) for size in (n_heads, n, n))
    x = spread * normal(n, n_heads * d_head, seed=seed)
    with quiet():
        attention, _, worked = work(x, heads=n_heads, cell=(head, query, key), **rule)
    lines = {line.name: line for line in worked.arithmetic.lines}
    names = [name for name in lines if name in ("dot product", "scaled", "capped", "temperature")]
    allowed = (
        attention.mask is None
        or np.broadcast_to(attention.mask, attention.weights.shape)[0, head, query, key]
    )
    score = attention.scores[0, head, query, key]
    assert lines[names[-1]].value == pytest.approx(score, rel=1e-12, abs=1e-12)
    if "mask" in lines:
        assert lines["mask"].value == (pytest.approx(score) if allowed else -math.inf)
    weight = attention.weights[0, head, query, key]
    assert lines["weight"].value == weight
    if "sum" in lines:
        assert lines["exponentials"].value / lines["sum"].value == pytest.approx(weight, rel=1e-9, abs=1e-12)
    for i in range(min(2, d_head)):
        assert lines[f"output {i}"].value == pytest.approx(
            attention.output[0, query, head * d_head + i], abs=1e-9
        )


def value_of(text):
    """What a term-by-term text comes to, computed from the numbers as they are printed."""
    plain = text.replace("·", "*").replace("∞", "inf")
    plain = re.sub(r"√([\d.]+)", r"math.sqrt(\1)", plain).replace("tanh", "math.tanh")
    plain = re.sub(r"\be\^(-?(?:[\d.]+(?:e[-+]\d+)?|inf))", r"math.exp(\1)", plain)
    return eval(plain, {"math": math, "inf": math.inf})


LOW = {
    "temperature": 0.1,
    "softcap": 1.0,
    "scale": 0.5,
    "mask": ["causal", "random:share=0.5"],
}  # all scores below −4


@given(vectors, rules)
@example((4, 1, 4, 0), LOW)
@settings(max_examples=150)
def test_what_is_written_is_true(sizes, rule):
    """Both sides of every = and ≈ agree as far as four decimals can."""
    n, n_heads, d_head, seed = sizes
    with quiet():
        _, _, worked = work(normal(n, n_heads * d_head, seed=seed), heads=n_heads, cell=(n - 1, 0), **rule)
    for line in worked.arithmetic.lines:
        for chain in line.text.split(", ") if re.match(r"[-(\d]|e\^", line.text) else []:
            sides = re.split(" [=≈] ", chain)
            for left, right in itertools.pairwise(sides):
                assert value_of(left) == pytest.approx(value_of(right), rel=5e-3, abs=2e-3), line.text
                if f"{left} = {right}" in chain:
                    assert value_of(left) == pytest.approx(value_of(right), abs=1e-9), line.text


@given(vectors, rules)
@settings(max_examples=50)
def test_steps_follow_from_one_another(sizes, rule):
    n, n_heads, d_head, seed = sizes
    with quiet():
        attention, steps, _ = work(
            normal(n, n_heads * d_head, seed=seed), heads=n_heads, project_by="random", **rule
        )
    np.testing.assert_allclose(steps["scores"].values, steps["Q"].values @ steps["K"].values.mT, atol=1e-12)
    last = steps.get("scaled", steps["scores"]).values
    np.testing.assert_allclose(last, attention.scores[0], atol=1e-12)
    if "masked" in steps:
        allowed = np.broadcast_to(attention.mask, attention.weights.shape)[0]
        assert (np.isneginf(steps["masked"].values) == ~allowed).all()
        assert (steps["masked"].values[allowed] == last[allowed]).all()
    assert (steps["weights"].values == attention.weights[0]).all()
    given_x = steps["X"].values @ steps["W_v"].values
    np.testing.assert_allclose(given_x, np.concatenate(list(steps["V"].values), axis=1), atol=1e-12)
    side_by_side = np.concatenate(list(steps["head_output"].values), axis=1)
    np.testing.assert_allclose(steps["concatenated"].values, side_by_side, atol=1e-12)
    np.testing.assert_allclose(steps["output"].values, side_by_side @ steps["W_o"].values, atol=1e-12)


# ---- which steps there are, and what they say ---------------------------------------------------------


def test_shapes_name_their_axes():
    _, steps, _ = work(normal(3, 8), heads=2, project_by="random", mask=["causal"])
    assert [f"{name} {step.shape}" for name, step in steps.items()] == [
        "X [token 3, d_model 8]",
        *(f"W_{part} [d_in 8, d_out 8]" for part in "qkv"),
        "Q [head 2, query 3, d_head 4]",
        "K [head 2, key 3, d_head 4]",
        "V [head 2, key 3, d_value 4]",
        *(f"{name} [head 2, query 3, key 3]" for name in ("scores", "scaled", "masked", "weights")),
        "head_output [head 2, query 3, d_value 4]",
        "concatenated [query 3, d_model 8]",
        "W_o [d_in 8, d_out 8]",
        "output [query 3, d_model 8]",
    ]


def test_formulas_name_what_was_used():
    biased = Projection(W_q=np.eye(4), b_q=np.ones(4), b_o=np.zeros(4))
    _, steps, _ = work(normal(3, 4), project_by=biased, mask=["causal"], softcap=5.0, temperature=2.0)
    assert steps["Q"].formula == "Q = X · W_q + b_q"
    assert steps["K"].formula == "K = X"
    assert steps["scaled"].formula == "scaled = (5 · tanh((scores / √d_head) / 5)) / 2"
    assert "not d_model" in steps["scaled"].meaning
    assert steps["masked"].meaning == "Each query sees its own position and what came before: key ≤ query."
    assert steps["weights"].formula == "weights = exp(masked) / Σ exp(masked)"


def test_heads_that_share_keys_say_so():
    x = normal(3, 8)
    made = project(x, heads=4, kv_heads=2, project="random")
    (worked,) = work_out(layers.attend(made), made, Rule())
    meanings = {step.name: step.meaning for step in worked.steps}
    assert meanings["Q"].endswith("Cut into 4 pieces, one for each head.")
    assert meanings["K"].endswith("Cut into 2 pieces, which 4 heads share.")


def test_vectors_from_two_places_have_two_names():
    made = project(normal(2, 4), normal(3, 4, seed=1), heads=2)
    (worked,) = work_out(layers.attend(made), made, Rule())
    assert [step.name for step in worked.steps][:2] == ["X_q", "X_kv"]
    assert worked.steps[3].formula == "K = X_kv"


@pytest.mark.parametrize("score", ["cosine", "additive", "gaussian:sigma=2", "linear"])
def test_other_scores_are_shown_but_not_written_out(score):
    with quiet():
        attention, steps, worked = work(normal(3, 4), score=score, scale=2.0)
    assert (steps["scores"].values == attention.scores[0]).all()
    assert "scaled" not in steps
    assert steps["scores"].meaning.endswith("With scale 2.")
    first = worked.arithmetic.lines[0]
    assert (first.name, first.remark) == ("score", "its terms are written out for dot products only")


def test_positions_inside_the_scores_are_named():
    _, steps, worked = work(normal(3, 4), position="rope")
    assert "Rotary" in steps["scores"].meaning
    assert worked.arithmetic.lines[0].name == "score"


@pytest.mark.parametrize("rule", [{"normalise": "sparsemax"}, {"normalise": "sigmoid"}, {"top_k": 2}])
def test_other_normalisations_are_shown_but_not_written_out(rule):
    attention, steps, worked = work(normal(4, 4), **rule)
    assert (steps["weights"].values == attention.weights[0]).all()
    assert steps["weights"].formula == ""
    lines = {line.name: line for line in worked.arithmetic.lines}
    assert lines["weight"].remark == "its terms are written out for softmax only"
    assert "sum" not in lines


def test_dot_products_that_are_not_scaled_say_so():
    _, steps, worked = work(normal(3, 4), score="dot")
    assert "scaled" not in steps
    assert steps["scores"].meaning.endswith("They are not scaled.")
    assert [line.name for line in worked.arithmetic.lines][:2] == ["dot product", "exponentials"]


def test_a_masked_cell_and_a_blind_row():
    _, _, worked = work(normal(2, 2), mask=["causal"], cell=(0, 1))
    lines = {line.name: line.text for line in worked.arithmetic.lines}
    assert lines["mask"] == "may not attend: the score becomes -∞"
    assert lines["exponentials"].endswith("e^-∞ = 0")
    assert lines["weight"].endswith("= 0") or lines["weight"].endswith("≈ 0")
    with pytest.warns(Warning, match="may attend to no key"):
        _, steps, worked = work(normal(2, 2), mask=[np.array([[0, 0], [1, 1]])])
    assert {line.name: line.text for line in worked.arithmetic.lines}["weight"] == "0: no key is allowed"
    assert "A row without a permitted key is 0." in steps["weights"].meaning


def test_large_scores_are_brought_down_before_the_exponentials():
    attention, _, worked = work(1000 * np.eye(2), cell=(0, 1))
    lines = {line.name: line for line in worked.arithmetic.lines}
    assert lines["largest"].text == "7.071e+05 is taken from every score of the row, which changes no weight"
    assert lines["exponentials"].text == "e^0 = 1, e^-7.071e+05 ≈ 0"
    assert lines["weight"].value == attention.weights[0, 0, 0, 1] == 0


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ((0, 3), "no key 3; give 0 to 2"),
        ((-1, 0), "no query -1; give 0 to 2"),
        ((2, 0, 0), "no head 2; give 0 to 1"),
        ((1, 0, 0, 0), "no layer 1; give 0 to 0"),
        ((0,), "a cell of 1 numbers; give query,key"),
    ],
)
def test_a_cell_that_is_not_there(cell, message):
    with pytest.raises(InputError, match=re.escape(message)):
        work(normal(3, 4), heads=2, cell=cell)


def test_a_cell_that_is_too_large():
    with pytest.raises(InputError, match="9 keys and d_head 2"):
        work(normal(9, 2), cell=(0, 0))
    with pytest.raises(InputError, match="2 keys and d_head 9"):
        work(normal(2, 9), cell=(0, 0))
    assert work(normal(9, 2))[2].arithmetic is None
    assert work(normal(8, 8))[2].arithmetic is not None


# ---- attention that was saved -------------------------------------------------------------------------


def test_a_saved_attention_shows_the_same_steps(run, tmp_path):
    saved = str(tmp_path / "a.json")
    options = ("--heads", "2", "--mask", "causal")
    run("attend", "--text", "a b c", "--dim", "4", *options, "-o", saved)
    fresh = run("steps", "--text", "a b c", "--dim", "4", *options).stdout.splitlines()
    again = run("steps", saved).stdout.splitlines()
    assert [line for line in fresh if not line.startswith("X\t")] == again


@pytest.mark.parametrize("rule", [{"score": "cosine"}, {"position": "rope"}, {"scale": 3.0}])
def test_saved_scores_are_recognised_by_their_numbers_alone(rule):
    (worked,) = work_out(attend(normal(4, 4), **rule))
    names = [step.name for step in worked.steps]
    assert "scaled" not in names
    assert "not the dot products" in worked.steps[names.index("scores")].meaning


def test_what_was_not_saved_is_said(run, tmp_path):
    run("attend", "--text", "a b", "-o", str(tmp_path / "a.tsv"))
    result = run("steps", str(tmp_path / "a.tsv"))
    assert result.code == 2
    assert "saved without its query, key, value or scores" in result.stderr


def test_layers_stand_one_after_the_other():
    attention = attend(normal(3, 4))
    names = ("weights", "scores", "query", "key", "value", "output")
    double = replace(
        attention, layers=(3, 5), **{n: np.repeat(getattr(attention, n), 2, axis=0) for n in names}
    )
    first, second = work_out(double, cell=(5, 0, 1, 2))
    assert (first.layer, second.layer) == (3, 5)
    assert first.arithmetic is None
    assert (second.arithmetic.query, second.arithmetic.key) == (1, 2)
    assert b"# Layer 5" in b"".join(files.WORKED["md"]((first, second)))


# ---- every output -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile():
    """Steps in which every token means harm."""
    x = Encoding(HOSTILE[:8], normal(8, 4), "vectors of </title>$_{.vec")
    made = project(x, heads=2, project="random")
    by = Rule.parse(mask=["causal"])
    return work_out(layers.attend(made, by), made, by, cell=(1, 2, 0))


def written(worked, name):
    return b"".join(files.WORKED[name](worked)).decode()


def test_json_reads_back(hostile):
    document = json.loads(written(hostile, "json"))
    (layer,) = document["layers"]
    steps = {step["name"]: step for step in layer["steps"]}
    for step in hostile[0].steps:
        numbers = np.array(steps[step.name]["values"], float)  # null becomes NaN
        assert list(numbers.shape) == steps[step.name]["shape"]
        assert (numbers == step.values)[np.isfinite(step.values)].all()
        assert np.isnan(numbers)[~np.isfinite(step.values)].all()
    assert tuple(steps["Q"]["rows"]) == HOSTILE[:8]
    assert "\x1b" not in written(hostile, "json")


def test_tsv_has_a_row_for_each_number(hostile):
    lines = written(hostile, "tsv").splitlines()
    assert len(lines) - 1 == sum(step.values.size for step in hostile[0].steps)
    assert all(len(line.split("\t")) == 8 for line in lines)
    assert "\x1b" not in "".join(lines)
    masked = [line for line in lines if line.startswith("masked\t0\t1\t0\t")]
    assert [line.split("\t")[-1] for line in masked[1:]] == ["-inf"] * 7


def test_markdown_holds_the_numbers_and_no_markup(hostile):
    text = written(hostile, "md")
    tables = [
        re.findall(r"^\| (?!---)(.*) \|$", part, re.MULTILINE)
        for part in re.split(r"^## ", text, flags=re.MULTILINE)
    ]
    assert [part.partition("\n")[0].replace("\\", "") for part in text.split("\n## ")[1:-1]] == [
        step.name for step in hostile[0].steps
    ]
    weights = next(
        rows for rows, step in zip(tables[1:], hostile[0].steps, strict=False) if step.name == "weights"
    )
    assert [row.split(" | ")[-1] for row in weights[1:9]] == [
        row[-1] for row in printed(hostile[0].steps[10].values[0])
    ]
    assert not re.search(r"<(?:script|img|/)", text)
    assert "\\[/red\\]" in text


class Reader(html.parser.HTMLParser):
    """Everything that a browser would see in a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text, self.declared = [], [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.declared.append(data)


def test_the_page_has_nothing_active_in_it(hostile):
    page = steps_page(hostile).decode()
    seen = Reader(page)
    allowed = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "section",
        "div",
        "figure",
        "figcaption",
    }
    allowed |= {"table", "thead", "tbody", "tr", "th", "td", "span", "sub", "sup", "br"}
    assert set(seen.tags) <= allowed
    assert {name for _, name, _ in seen.attributes} <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "scope",
        "tabindex",
    }
    assert not seen.declared
    assert "url(" not in page
    assert "@import" not in page
    for token in ("</script>", "<img src=x onerror=alert(1)>", "注意力", "\\u001b[31m", "$\\\\frac{$"):
        assert token in seen.text
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(
        value for tag, name, value in seen.attributes if name == "content" and "default-src" in value
    )
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_the_page_frames_the_chosen_cell(hostile):
    page = steps_page(hostile).decode()
    assert page.count('<td class="chosen">') == 4  # scores, scaled, masked, weights
    weight = hostile[0].steps[10].values[1, 2, 0]
    assert f'<td class="chosen">{weight:.4f}</td>' in page


def latex(engine, text, folder):
    (folder / "steps.tex").write_text(text)
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "steps.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
def test_latex_sets_it(hostile, engine, tmp_path):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    plain = work(normal(3, 4), mask=["causal"], softcap=5.0)[2]
    code, log = latex(engine, written([plain], "tex"), tmp_path)
    assert code == 0, log[-2000:]
    chinese = (
        ["kpsewhich", "CJKutf8.sty", "gbsnu6c.tfm"] if engine == "pdflatex" else ["fc-list", "-q", ":lang=zh"]
    )
    if subprocess.run(chinese, capture_output=True, check=False).returncode:
        pytest.skip("LaTeX here has no Chinese")
    code, log = latex(engine, written(hostile, "tex"), tmp_path)
    assert code == 0, log[-2000:]


def test_latex_without_latex(hostile):
    """What can be seen without setting it: environments close, and a token is never a command."""
    text = written(hostile, "tex")
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}")
    assert "\\$\\textbackslash{}frac\\{\\$" in text
    assert "\\texttt{U+1F600}" in text
    assert "\\frac" not in text
    assert "\\[ \\text{scaled} = \\text{scores} / \\sqrt{d_{\\text{head}}} \\]" in text


@pytest.mark.parametrize("name", ["md", "tex", "json", "html", "tsv"])
def test_files_repeat_byte_for_byte(run, tmp_path, name):
    contents = set()
    for i in range(2):
        path = tmp_path / f"{i}.{name}"
        assert run("steps", *POWERFUL, "--cell", "1,2", "-o", str(path)).code == 0
        contents.add(path.read_bytes())
    assert len(contents) == 1
    assert b"0.5024" in contents.pop() or name in ("json", "tsv")


def shown(worked, width, **options):
    console = Console(
        width=width, file=io.StringIO(), force_terminal=True, markup=False, emoji=False, **options
    )
    console.print(StepTables(worked))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_of_any_width(hostile, width, no_color):
    from rich.cells import cell_len

    text = shown(hostile, width, no_color=no_color, color_system="truecolor")
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert max(cell_len(line) for line in plain.splitlines()) <= width
    assert "\x1b" not in plain
    for word in (
        "[/red]",
        "注意力",
        "query 2 (\\u001b[31m), key 0 ([/red]), head 1",
        "scaled = scores / √d_head",
    ):
        assert word in " ".join(plain.split())
    assert ("38;2" in text) is not no_color


def test_heads_stand_beside_one_another_where_they_fit(hostile):
    lines = shown(hostile, 200, color_system=None).splitlines()
    assert any(line.startswith("head 0") and "head 1" in line for line in lines)


# ---- usage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cell", "one"], "--cell 'one'; give two numbers"),
        (["--format", "npz"], "known are tsv, json, md, tex, html"),
    ],
)
def test_usage_is_explained(run, arguments, message):
    result = run("steps", "--text", "a b", *arguments)
    assert result.code == 2
    assert message in result.stderr
    assert result.stdout == ""
