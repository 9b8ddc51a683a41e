"""`attn explain` and `--show gradients|zeroing|alti`, with the bundled model and models that are read natively."""

import importlib.resources
import json
import re
import warnings
import xml.etree.ElementTree as ET

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.errors import AttnNote

from schemas import check

TEXT, WRITTEN = "My father is free.", "我父亲有空。"


def columns(output):
    lines = [line.split("\t") for line in output.splitlines()]
    return dict(zip(lines[0], zip(*lines[1:], strict=True), strict=True))


def test_a_table_of_tokens_and_tests_below_it(run):
    made = run(
        "explain", "--text", TEXT, "--target", WRITTEN, "--toward", "1", "--method", "rollout,leave_one_out"
    )
    assert made.code == 0
    table = columns(made.stdout)
    assert list(table) == [
        "part",
        "pos",
        "token",
        "rollout",
        "leave_one_out",
        "uniform",
        "random",
        "random_se",
    ]
    assert table["token"] == (
        "My",
        "father",
        "is",
        "free",
        ".",
        "comprehensiveness",
        "sufficiency",
        "deletion",
    )
    one_out = [float(x) for x in table["leave_one_out"][:5]]
    assert one_out.index(max(one_out)) == 1  # of 父, father
    assert "attention is not by itself an explanation" in made.stderr
    again = run(
        "explain", "--text", TEXT, "--target", WRITTEN, "--toward", "父", "--method", "rollout,leave_one_out"
    )
    assert again.stdout == made.stdout


def test_a_terminal_of_80_columns_shows_what_chance_gives(run, monkeypatch):
    from attn_cli.commands.io.environment import Environment

    monkeypatch.setattr(Environment, "to_terminal", True)
    monkeypatch.setenv("COLUMNS", "80")
    made = run("explain", "--text", TEXT, "--target", WRITTEN, "--toward", "1", "--method", "gradients,flow")
    given = ("--toward", "1", "--method", "gradients,flow", "--format", "tsv")
    table = columns(run("explain", "--text", TEXT, "--target", WRITTEN, *given).stdout)
    lines = {line.split()[0]: line.split()[1:] for line in made.stdout.splitlines() if line.split()}
    assert lines["pos"] == ["token", "flow", "gradients"]
    assert lines["method"] == ["comprehensiveness", "sufficiency", "deletion"]
    for name in ("gradients", "flow", "uniform", "random"):
        assert lines[name] == [f"{float(x):.3f}" for x in table[name][-3:]]
    errors = [f"{float(x):.3f}" for x in table["random_se"][-3:]]
    said = " ".join(made.stdout.split())
    assert f"of random: comprehensiveness {errors[0]}, sufficiency {errors[1]}, deletion {errors[2]}" in said
    assert "left out" not in said


def test_a_figure_says_how_each_method_stood_its_tests(run, tmp_path):
    given = ("--text", TEXT, "--target", WRITTEN, "--toward", "1", "--method", "rollout")
    drawn = run("explain", *given, "--text-as", "text", "-o", str(tmp_path / "x.svg"))
    assert drawn.code == 0, drawn.stderr
    table = columns(run("explain", *given).stdout)
    words = " ".join("".join(ET.parse(tmp_path / "x.svg").getroot().itertext()).split())
    ours, random, error = (np.array(table[name][-3:], float) for name in ("rollout", "random", "random_se"))
    errors = (ours - random) * [1, -1, -1] / error  # how many standard errors better than random orders
    names = np.array(["comprehensiveness", "sufficiency", "deletion"])
    stood = {
        "better than random": names[errors > 2],
        "within chance": names[abs(errors) <= 2],
        "worse than random": names[errors < -2],
    }
    told = [
        f"{way} ({'all 3 tests' if len(those) == 3 else ', '.join(those)})"
        for way, those in stood.items()
        if len(those)
    ]
    assert f"rollout: {', '.join(told)}" in words


def test_json_is_what_its_schema_says_and_what_python_gives(run):
    made = run(
        "explain",
        "--text",
        TEXT,
        "--target",
        WRITTEN,
        "--toward",
        "1",
        "--method",
        "rollout",
        "--format",
        "json",
    )
    value = json.loads(made.stdout)
    place = importlib.resources.files("attn_cli.files").joinpath("schemas/explanation.json")
    check(value, json.loads(place.read_text()))
    found = attn.explain(TEXT, toward=1, method=["rollout"], target=WRITTEN)
    assert value == found.as_dict()
    assert value["toward"]["tokens"] == ["父"]
    assert set(value["tests"]) == {"rollout", "uniform", "random"}
    assert value["tests"]["random"]["deletion_se"] > 0


def test_a_picture_and_heads(run, tmp_path):
    path = tmp_path / "x.png"
    assert (
        run(
            "explain",
            "--text",
            TEXT,
            "--target",
            WRITTEN,
            "--toward",
            "1",
            "--method",
            "rollout",
            "-o",
            str(path),
        ).code
        == 0
    )
    assert path.read_bytes()[:4] == b"\x89PNG"
    table = columns(run("explain", "--text", TEXT, "--target", WRITTEN, "--toward", "1", "--ablate").stdout)
    assert list(table) == ["kind", "layer", "head", "zero", "mean", "gradient"]
    assert len(table["kind"]) == 36


def test_a_page_opens_the_maps_of_ablated_heads(run, tmp_path):
    given = ("explain", "--text", TEXT, "--target", WRITTEN, "--toward", "1", "--ablate")
    assert run(*given, "-o", str(tmp_path / "x.html")).code == 0
    (links,) = re.findall(r'id="links">(.*?)<', (tmp_path / "x.html").read_text())
    assert [page for page, _ in json.loads(links)] == [number for number in range(3) for _ in range(12)]


def test_ablated_heads_are_drawn_by_kind_and_their_maps_are_those_that_attend_gives():
    from attn_cli.render.figure.heads import columns_sheet
    from attn_cli.sources.explaining import ablation
    from attn_cli.sources.groups import Model, Options

    table, found = ablation(TEXT, Options(model=Model(target=WRITTEN, toward=1)))
    assert list(found) == ["encoder", "decoder", "cross"]
    for kind, attention in found.items():
        expected = attn.load("mini")(TEXT, kind=kind, target=WRITTEN)
        assert attention.query_tokens == expected.query_tokens
        np.testing.assert_allclose(attention.weights, expected.weights, atol=1e-6)
    words = columns_sheet(table, ["zero", "gradient"]).words()
    titles = [f"{kind}: {way}" for way in ("zero", "gradient") for kind in found]
    assert [word for word in words if ": " in word and word.split(": ")[0] in found] == titles


def test_a_page_in_chinese_with_what_is_said_on_stderr_too(run, tmp_path):
    path = tmp_path / "x.html"
    given = ("--text", TEXT, "--target", WRITTEN, "--toward", "1", "--method", "rollout", "--lang", "zh")
    made = run("explain", *given, "-o", str(path))
    assert made.code == 0
    page = path.read_text()
    for sentence in ("注意力本身不是解释", "Jain &amp; Wallace 2019", "针对输出“父”"):
        assert sentence in page
    assert "注意力本身不是解释" in made.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--toward", "9"], "--toward 9, but there are 6 tokens in the answer; give 0 to 5, or a token"),
        (["--toward", "狗"], "--toward '狗', but the answer is 我 父 亲 有 空 。; give a token of it"),
        (["--method", "rolout"], "rollout"),
        (["--model", "none"], "--model none gives no output"),
        (["--method", "flow", "--ablate"], "--method cannot be combined with --ablate; leave one out"),
        (["--view", "tokens", "--ablate"], "--view cannot be combined with --ablate; leave one out"),
        (
            ["--view", "tokens"],
            "--view does not apply to tsv; write png, svg, pdf, jpg, html, or to a terminal",
        ),
        (["--view", "token"], "--view 'token'"),
    ],
)
def test_what_cannot_be_explained(run, given, said):
    made = run("explain", "--text", TEXT, "--target", WRITTEN, *given)
    assert made.code == 2
    assert said in made.stderr


@pytest.mark.parametrize("show", ["gradients", "zeroing", "alti"])
@pytest.mark.parametrize("suffix", ["tsv", "npz"])
def test_maps_of_an_output_are_shown_saved_and_read(run, tmp_path, show, suffix):
    path = str(tmp_path / f"x.{suffix}")
    given = ("--text", TEXT, "--target", WRITTEN, "--model", "mini")
    given += ("--show", show, "--toward", "1", "--layer", "0")
    assert run("attend", *given, "-o", path).code == 0
    record = attn.read(path)
    assert record.show == show
    assert record.shown.shape == (1, 4 if show == "gradients" else 1, 5, 5)
    assert run("heatmap", path, "-o", str(tmp_path / "x.png")).code == 0
    typed = attn.attend(TEXT, model="mini", show=show, toward=1, layer=0, target=WRITTEN)
    np.testing.assert_array_equal(typed.shown, record.shown)
    with pytest.raises(attn.InputError, match=r"holds .*, not weights"):
        _ = typed.weights


def test_toward_without_what_it_is_of(run):
    made = run("attend", "--text", TEXT, "--model", "mini", "--toward", "1")
    assert "--toward has no effect on weights; add --show gradients or zeroing or alti" in made.stderr
    vectors = run("attend", "--text", TEXT, "--show", "gradients")
    assert "this attention has no gradients" in vectors.stderr


def test_gradients_of_cross_attention_by_the_rules_of_chefer():
    given = {"model": "mini", "show": "gradients", "toward": 1, "target": WRITTEN}
    parts = {
        kind: attn.attend(TEXT, kind=kind, **given).gradients for kind in ("encoder", "decoder", "cross")
    }
    from attn_cli.interpret.relevance import relevance_across

    made = attn.attend(TEXT, kind="cross", reduce="relevance", **given)
    assert made.show == "gradients"
    expected = relevance_across(parts["encoder"], parts["decoder"], parts["cross"])
    np.testing.assert_allclose(made.gradients[0, 0], expected, rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat", "."]
    directory = tmp_path_factory.mktemp("bert")
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(words[:5])
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
        max_position_embeddings=16,
    )  # fmt: skip
    model = transformers.BertForMaskedLM(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with warnings.catch_warnings(action="ignore"):
        model.save_pretrained(directory)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory, model


def test_the_masked_word_of_bert(run, bert):
    directory, theirs = bert
    given = ("explain", "--model", str(directory), "--method", "leave_one_out", "--format", "json")
    found = json.loads(run(*given, "--text", "the cat [MASK] on the mat .").stdout)
    tokens = torch.tensor([[2, 5, 6, 4, 8, 5, 9, 10, 3]])
    with torch.no_grad():
        p = theirs(tokens).logits[0, 3].softmax(dim=-1)
        gone = theirs(tokens.index_fill(1, torch.tensor([2]), 4)).logits[0, 3].softmax(dim=-1)
    assert found["tokens"] == ["the", "cat", "on", "the", "mat", "."]
    assert found["instead"] == "[MASK]"
    assert found["toward"]["positions"] == [3]
    assert found["toward"]["probability"] == pytest.approx(float(p.max()), abs=1e-5)
    assert found["methods"]["leave_one_out"][1] == pytest.approx(float(p.max() - gone[p.argmax()]), abs=1e-5)
    named = json.loads(run(*given, "--text", "the cat [MASK] on the mat .", "--toward", "sat").stdout)
    assert named["toward"]["probability"] == pytest.approx(float(p[7]), abs=1e-5)
    placed = json.loads(run(*given, "--text", "the cat sat on the mat .", "--toward", "3").stdout)
    assert placed["methods"] == found["methods"]
    assert "this model predicts [MASK], and the text has none" in run(*given, "--text", "the cat .").stderr


def test_parts_of_a_map_of_an_output(bert):
    given = {"model": str(bert[0]), "show": "gradients", "toward": "sat"}
    whole = attn.attend("the cat [MASK] on", **given)
    assert whole.kind == "encoder"
    assert whole.provenance.endswith('toward "sat"')
    assert (whole.gradients >= 0).all()
    assert whole.gradients.max() > 0
    with pytest.warns(AttnNote, match="special tokens are hidden"):
        part = attn.attend("the cat [MASK] on", **given, special="drop", head=1, query_token="cat", layer=-1)
    np.testing.assert_array_equal(part.gradients, whole.gradients[1:, 1:, 2:3, 1:-1])
    assert (part.layers, part.heads, part.query_tokens) == ((1,), (1,), ("cat",))
    mean = attn.attend("the cat [MASK] on", **given, reduce="mean")
    np.testing.assert_allclose(mean.gradients[0, 0], whole.gradients.mean(axis=(0, 1)), rtol=0, atol=1e-12)
    zeroed = attn.attend("the cat [MASK] on", model=str(bert[0]), show="zeroing", reduce="rollout")
    np.testing.assert_allclose(zeroed.weights.sum(axis=-1), 1, rtol=0, atol=1e-9)


def test_a_classifier_through_transformers(run, bert, tmp_path):
    transformers = pytest.importorskip("transformers")
    directory, masked = bert
    torch.manual_seed(1)
    config = transformers.BertConfig(**{**masked.config.to_dict(), "id2label": {0: "bad", 1: "good"}})
    theirs = transformers.BertForSequenceClassification(config).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with warnings.catch_warnings(action="ignore"):
        theirs.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((directory / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "PreTrainedTokenizerFast", "mask_token": "[MASK]", "unk_token": "[UNK]"}
        )
    )
    given = (
        "explain",
        "--model",
        str(tmp_path),
        "--text",
        "the cat sat",
        "--toward",
        "good",
        "--format",
        "json",
    )
    made = run(*given, "--method", "leave_one_out", "--method", "gradients", "--method", "norms")
    assert made.code == 0, made.stderr
    found = json.loads(made.stdout)
    assert found["tokens"] == ["the", "cat", "sat"]
    assert found["toward"]["tokens"] == ["good"]
    assert "norms left out" in made.stderr
    tokens = torch.tensor([[2, 5, 6, 7, 3]])
    theirs.set_attn_implementation("eager")
    p = theirs(tokens).logits[0].softmax(dim=-1)[1].detach()
    gone = theirs(torch.tensor([[2, 5, 4, 7, 3]])).logits[0].softmax(dim=-1)[1].detach()
    assert found["methods"]["leave_one_out"][1] == pytest.approx(float(p - gone), abs=1e-5)
    out = theirs(tokens, output_attentions=True)
    R = torch.eye(5)
    for A, slope in zip(out.attentions, torch.autograd.grad(out.logits[0, 1], out.attentions), strict=True):
        R = R + (A * slope)[0].clamp(min=0).mean(dim=0) @ R
    assert found["methods"]["gradients"] == pytest.approx(R[0, 1:4].tolist(), abs=1e-4)
    unknown = run("explain", "--model", str(tmp_path), "--text", "the cat", "--toward", "fine")
    assert "no class 'fine'; it has bad, good" in unknown.stderr


def test_maps_of_an_output_are_compared(run):
    given = (
        "--text",
        TEXT,
        "--target",
        WRITTEN,
        "--toward",
        "1",
        "--show",
        "gradients",
        "--against",
        "without=L0H0",
    )
    made = run("diff", *given)
    assert made.code == 0, made.stderr
    table = columns(made.stdout)
    assert table["layer"] == ("0",) * 4 + ("1",) * 4 + ("2",) * 4
    assert float(table["max"][-1]) > 0


def test_chance_alone_is_tested_too(run):
    done = run("explain", "--text", "a b", "--method", "uniform", "-q")
    assert (done.code, done.stdout.splitlines()[0].split("\t")[3:]) == (0, ["uniform", "random", "random_se"])
