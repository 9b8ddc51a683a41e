"""`attn stats`: one text, long texts, many texts, in every format; and `attn.stats` in Python."""

import json
import os
import subprocess
import sys
from importlib.resources import files

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.interpret.statistics import STATISTICS
from attn_cli.interpret.tally import figures

from conftest import REPOSITORY

TEXT = "My father is free."
TEXTS = ("My father is free.", "I like tea.", "The cat sat on the mat.")


def table(output):
    """The rows of a TSV by column; numbers as numbers."""
    header, *rows = (line.split("\t") for line in output.splitlines())
    return {name: [_read(row[i]) for row in rows] for i, name in enumerate(header)}


def _read(cell):
    try:
        return float(cell)
    except ValueError:
        return cell


def column(output, name):
    return np.array([np.nan if cell == "" else cell for cell in table(output)[name]])


# ---- one text ----------------------------------------------------------------------------------------------


def test_a_row_per_layer_and_head_with_every_column(run):
    got = table(run("stats", "--text", TEXT).stdout)
    assert list(got) == ["layer", "head", *STATISTICS]
    record = attn.attend(TEXT, model="mini")
    wanted = figures(record)
    for name in STATISTICS:
        if name != "role":
            shown = np.array([np.nan if cell == "" else cell for cell in got[name]])
            np.testing.assert_array_equal(shown, wanted[name].ravel())
    assert got["special"] == [0] * 12  # mini's tokenizer adds none


@pytest.mark.parametrize("suffix", ["npz", "json", "tsv"])
def test_a_saved_attention_has_the_figures_of_its_text(tmp_path, run, suffix):
    path = str(tmp_path / f"x.{suffix}")
    run("attend", "--text", TEXT, "--model", "mini", "-o", path)
    names = "entropy,entropy_share,induction,sink,keys_90"
    assert (run("stats", path, "--column", names).stdout) == run(
        "stats", "--text", TEXT, "--column", names
    ).stdout


def test_a_causal_mask_that_a_table_has_lost_is_still_heeded(tmp_path, run):
    whole = run("stats", "--text", "a b c a", "--model", "untrained", "--mask", "causal")
    path = str(tmp_path / "x.tsv")
    run("attend", "--text", "a b c a", "--model", "untrained", "--mask", "causal", "-o", path)
    for name in ("entropy_share", "sink", "duplicate", "induction"):
        np.testing.assert_array_equal(column(run("stats", path).stdout, name), column(whole.stdout, name))


def test_norms_are_looked_at_as_shares(run):
    record = attn.attend(TEXT, model="mini", show="norms")
    shares = record.norms.astype(float) / record.norms.sum(axis=-1, keepdims=True, dtype=float)
    got = run("stats", "--text", TEXT, "--show", "norms").stdout
    np.testing.assert_allclose(
        column(got, "max"), shares.max(axis=-1).mean(axis=-1).ravel(), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(
    ("by", "labels", "n"),
    [
        ("layer", ["layer"], 3),
        ("head", ["head"], 4),
        ("query", ["query_pos", "query"], 5),
        ("key", ["key_pos", "key"], 5),
    ],
)
def test_rows_are_regrouped(run, by, labels, n):
    got = table(run("stats", "--text", TEXT, "--by", by).stdout)
    assert list(got)[: len(labels)] == labels
    assert len(got[labels[0]]) == n
    assert "role" not in got


def test_columns_are_chosen_in_their_order(run):
    got = run("stats", "--text", TEXT, "--column", "role,entropy", "--column", "max").stdout
    assert list(table(got)) == ["layer", "head", "role", "entropy", "max"]


def test_json_is_what_its_schema_says(run):
    value = json.loads(run("stats", "--text", TEXT, "--format", "json").stdout)
    from schemas import check

    check(value, json.loads(files("attn_cli.files").joinpath("schemas/table.json").read_text()))
    assert value["about"] == "stats"
    assert value["rows"][0]["layer"] == 0
    assert value["rows"][0]["duplicate"] is None
    assert value["units"]["entropy"] == "nats"


@pytest.mark.parametrize("suffix", ["csv", "md", "tex", "png", "svg", "pdf"])
def test_every_format_is_written(tmp_path, run, suffix):
    path = tmp_path / f"x.{suffix}"
    assert (
        run("stats", "--text", TEXT, "-o", str(path), "--column", "entropy", "--column", "offset").code == 0
    )
    assert path.stat().st_size > 100


def test_roles_are_printed_with_their_sources(run):
    got = table(run("stats", "--roles").stdout)
    assert got["role"][:3] == ["broad", "previous token", "next token"]
    assert all(got["source"])


def test_similar_heads(tmp_path, run):
    got = table(run("stats", "--text", TEXT, "--similar", "--clusters", "2").stdout)
    assert list(got)[:7] == ["layer", "head", "cluster", "nearest", "js", "x", "y"]
    assert set(got["cluster"]) == {0, 1}
    assert list(got)[7:] == [f"{layer}.{head}" for layer in range(3) for head in range(4)]
    assert got["0.1"][0] == got["0.0"][1]
    assert run("stats", "--text", TEXT, "--similar", "-o", str(tmp_path / "x.png")).code == 0


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        (("--roles",), lambda: attn.stats(roles=True)),
        (("--text", TEXT, "--column", "role,sink"), lambda: attn.stats(TEXT, column=["role", "sink"])),
        (
            ("--text", TEXT, "--similar", "--clusters", "3"),
            lambda: attn.stats(TEXT, similar=True, clusters=3),
        ),
        (
            ("--text", TEXT, "--similar", "--layer", "1", "--show", "norms"),
            lambda: attn.stats(TEXT, similar=True, layer=1, show="norms"),
        ),
    ],
)
def test_python_gives_the_tables_of_the_command(tmp_path, run, typed, called):
    assert run("stats", *typed, "-o", "typed.tsv", cwd=tmp_path).code == 0
    attn.save(called(), tmp_path / "called.tsv")
    assert (tmp_path / "called.tsv").read_bytes() == (tmp_path / "typed.tsv").read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "stats of nothing; give an attention, a text or a list of texts"),
        ({"data": TEXTS, "similar": True}, "similar compares the heads of one attention, got 3 inputs"),
        ({"data": TEXTS, "by": "key"}, "by key does not apply to many texts"),
        ({"data": TEXT, "similar": True, "roles": True}, "roles cannot be combined with similar"),
        ({"data": TEXT, "clusters": 2}, "clusters applies only to similar; add similar, or leave it out"),
        ({"data": TEXT, "similar": True, "clusters": 0}, "clusters 0; give at least 1"),
        ({"data": TEXT, "column": "entropie"}, "unknown column 'entropie'; known are entropy"),
    ],
)
def test_python_refuses_what_the_command_refuses(options, said):
    with pytest.raises(attn.InputError, match=said):
        attn.stats(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "entropie"), "unknown column 'entropie'; known are entropy"),
        (("--by", "token"), "unknown --by 'token'; give layer, head, query or key"),
        (("--by", "layer", "--column", "role"), "no column 'role' here; there are entropy"),
        (("--by", "key", "-o", "x.png"), "a figure needs a row per layer and head"),
        (("--show", "scores"), "unknown --show 'scores'"),
        (("--resume", "x.npz"), "--resume applies only to many texts; give --lines or several files"),
        (("-o", "x.docx"), "unknown format 'docx'"),
        (
            ("--similar", "--text", "a b"),
            "--similar compares the heads of one attention, got 2 inputs; give one",
        ),
        (("--similar", "--by", "layer"), "--by cannot be combined with --similar; leave one out"),
        (("--similar", "--roles"), "--roles cannot be combined with --similar; leave one out"),
        (("--clusters", "2"), "--clusters applies only to --similar"),
        (("--max-memory", "lots"), "--max-memory: 'lots' is not a size"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, run, options, said):
    done = run("stats", "--text", TEXT, *options, cwd=tmp_path)
    assert done.code == 2
    assert said in done.stderr


# ---- long texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [(), ("--mask", "causal"), ("--mask", "window:size=7"), ("--show", "norms"), ("--head", "1")]
)
def test_a_text_that_is_streamed_has_the_figures_of_one_that_is_not(monkeypatch, run, options):
    words = np.random.default_rng(0).choice(list("abcdefgh"), 60)
    command = ("stats", "--text", " ".join(words), "--model", "untrained", "--dtype", "float64", *options)
    dense = run(*command).stdout
    monkeypatch.setattr("attn_cli.attention.layers.MOST_DENSE", 8)
    streamed = run(*command).stdout
    for name in STATISTICS:
        if name in ("role", "sink_key", "special"):
            assert table(streamed)[name] == table(dense)[name]
        else:
            np.testing.assert_allclose(
                column(streamed, name), column(dense, name), rtol=0, atol=1e-12, err_msg=name
            )


def test_a_model_that_streams_has_the_figures_of_one_that_does_not(monkeypatch):
    dense = attn.stats(TEXT)
    monkeypatch.setattr("attn_cli.attention.layers.MOST_DENSE", 8)
    streamed = attn.stats(TEXT)
    for name in STATISTICS:
        if name != "role":
            np.testing.assert_allclose(streamed[name], dense[name], rtol=0, atol=1e-6, err_msg=name)
    assert (streamed["special"] == 0).all()


# ---- many texts --------------------------------------------------------------------------------------------


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(TEXTS) + "\n")
    return str(path)


def one_by_one(name):
    return np.stack([attn.stats(text)[name] for text in TEXTS])


def test_many_texts_are_counted_once_each(run, lines):
    got = run("stats", lines, "--lines").stdout
    assert list(table(got)) == [
        "layer", "head",
        *(each for name in STATISTICS for each in ([name] if name in ("sink_key", "role") else [name, f"{name}_se"])),
        "texts",
    ]  # fmt: skip
    for name in ("entropy", "sink", "keys_90", "offset"):
        each = one_by_one(name)
        np.testing.assert_allclose(column(got, name), each.mean(axis=0), rtol=0, atol=1e-12)
        error = each.std(axis=0, ddof=1) / np.sqrt(3)
        np.testing.assert_allclose(column(got, f"{name}_se"), error, rtol=0, atol=1e-12)
    assert table(got)["texts"] == [3] * 12


def test_files_lines_fields_and_typed_texts_are_the_same_texts(tmp_path, run, lines):
    wanted = run("stats", lines, "--lines").stdout
    paths = []
    for i, text in enumerate(TEXTS):
        paths.append(tmp_path / f"{i}.txt")
        paths[-1].write_text(text)
    objects = tmp_path / "texts.jsonl"
    objects.write_text("".join(json.dumps({"id": i, "said": text}) + "\n" for i, text in enumerate(TEXTS)))
    assert run("stats", *map(str, paths)).stdout == wanted
    assert run("stats", f"{objects}:said").stdout == wanted
    assert run("stats", "--lines", stdin="\n".join(TEXTS)).stdout == wanted
    assert run("stats", *(part for text in TEXTS for part in ("--text", text))).stdout == wanted
    got = attn.stats(list(TEXTS))
    np.testing.assert_array_equal(got["entropy"], column(wanted, "entropy"))


def test_a_field_that_is_not_there_is_named(tmp_path, run):
    objects = tmp_path / "texts.jsonl"
    objects.write_text('{"said": "a"}\nnonsense\n')
    assert "give FILE.jsonl:FIELD" in run("stats", str(objects)).stderr
    assert "texts.jsonl:1: no text in a field 'say'; there are said" in run("stats", f"{objects}:say").stderr
    assert "texts.jsonl:2: is not JSON; write one object per line" in run("stats", f"{objects}:said").stderr


def test_a_text_that_cannot_be_read_is_named_by_its_line(tmp_path, run):
    path = tmp_path / "texts.txt"
    path.write_bytes(b"I like tea.\n" + b"\xff\xfe\n")
    done = run("stats", str(path), "--lines")
    assert "texts.txt:2: is not UTF-8; name the right one with --encoding" in done.stderr


def test_by_layer_is_the_mean_of_the_heads_of_each_text(run, lines):
    got = run("stats", lines, "--lines", "--by", "layer", "--column", "max").stdout
    each = one_by_one("max").reshape(3, 3, 4).mean(axis=2)
    np.testing.assert_allclose(column(got, "max"), each.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        column(got, "max_se"), each.std(axis=0, ddof=1) / np.sqrt(3), rtol=0, atol=1e-12
    )
    assert "--by query does not apply to many texts" in run("stats", lines, "--lines", "--by", "query").stderr


def test_remarks_are_made_once(tmp_path, run):
    path = tmp_path / "texts.txt"
    path.write_text("a b\nc d\ne f\n")
    done = run("stats", str(path), "--lines", "--model", "untrained")
    assert done.stderr.count("untrained") == 1


def test_a_long_run_goes_on_where_it_was_left(tmp_path, run, lines):
    state = tmp_path / "state.npz"
    first = tmp_path / "first.txt"
    first.write_text("\n".join(TEXTS[:2]))
    run("stats", str(first), "--lines", "--resume", str(state))
    done = run("stats", lines, "--lines", "--resume", str(state))
    np.testing.assert_allclose(
        column(done.stdout, "entropy"), one_by_one("entropy").mean(axis=0), rtol=0, atol=1e-12
    )
    assert table(done.stdout)["texts"] == [3] * 12
    other = tmp_path / "other.npz"
    np.savez(other, a=np.ones(2))
    assert "holds no figures of many texts" in run("stats", lines, "--lines", "--resume", str(other)).stderr


def test_two_processes_give_the_figures_of_one(run, lines):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "-m",
        "attn_cli",
        "stats",
        lines,
        "--lines",
    ]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    one = run("stats", lines, "--lines")
    assert one.code == 0
    assert list(table(done.stdout)) == list(table(one.stdout))
    for name in table(one.stdout):
        if name != "role":
            np.testing.assert_allclose(
                column(done.stdout, name), column(one.stdout, name), rtol=0, atol=1e-12
            )


def test_a_pipe_with_nothing_in_it_is_answered(run):
    assert run("stats", "--lines", stdin="\n").code == 2
    assert "no texts" in run("stats", "--lines", stdin="\n").stderr


def test_pages_open_maps_of_one_text_and_none_of_many(run, tmp_path):
    path = tmp_path / "x.html"
    one = ("stats", "--text", "My father is free.", "--lang", "zh", "-o", str(path))
    assert run(*one).code == 0
    page = path.read_text()
    assert '<html lang="zh-Hans">' in page
    assert "#layer=2\\u0026head=3" in page
    assert run("stats", "--text", "a b", "--text", "b a", "-o", str(path)).code == 0
    assert "<iframe" not in path.read_text()
    refused = run(*one, "--cmap", "viridis")
    assert refused.code == 2
    assert "--cmap does not apply to html" in refused.stderr
