"""What models go on with: the library's own tokens and probabilities, in a record, named, cropped and saved."""

import json
import warnings
from functools import cache

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.models import load
from attn_cli.models.continuing import Spelling, likelihoods
from attn_cli.models.reading import Reading
from attn_cli.transformer.writing import Writer
from attn_cli.variants.sampling import sampling_of
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
from tokenizers import Tokenizer, decoders, pre_tokenizers  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:greedy output|sampled")
WORDS = [f"w{i}" for i in range(40)]
TEXT, N = "w7 w3 w11 w3 w20", 6
SIZES = {
    "vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 40, "max_position_embeddings": 40, "bos_token_id": 0, "eos_token_id": None, "pad_token_id": 0,
}  # fmt: skip
GPT2 = {
    "vocab_size": 40, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 40, "bos_token_id": 0, "eos_token_id": None,
}  # fmt: skip
FAMILIES = {
    "gpt2": ("GPT2LMHeadModel", GPT2),
    "llama": ("LlamaForCausalLM", SIZES),
    "mistral": ("MistralForCausalLM", {**SIZES, "sliding_window": 4}),
    "neox": ("GPTNeoXForCausalLM", SIZES),
}
NATIVE = ["gpt2", "llama", "mistral"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Gives the directory of a tiny random model, and the library's model itself."""

    @cache
    def save(name, **changes):
        directory = tmp_path_factory.mktemp(name)
        kind, sizes = FAMILIES[name]
        torch.manual_seed(0)
        architecture = getattr(transformers, kind)
        model = architecture(architecture.config_class(**sizes | changes)).eval()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        model.tie_weights()
        with warnings.catch_warnings(action="ignore"):
            model.save_pretrained(directory)
        tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="w0"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.decoder = decoders.WordPiece()
        fast = transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, unk_token="w0", eos_token="w0", pad_token="w0"
        )
        fast.save_pretrained(directory)
        return directory, model

    return save


def theirs(model, n=N):
    """The tokens that the library's model writes greedily, with its cache, and the probabilities of each step."""
    given = torch.tensor([[int(word[1:]) for word in TEXT.split()]])
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        made = model.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=n, do_sample=False, use_cache=True,
            return_dict_in_generate=True, output_logits=True,
        )  # fmt: skip
    return made.sequences[0].tolist(), torch.cat(made.logits).double().softmax(dim=-1).numpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_greedy_is_what_the_library_writes_with_its_cache(saved, name):
    directory, model = saved(name)
    tokens, chances = theirs(model)
    record = load(str(directory)).attend(TEXT, Reading(generate=N))
    assert record.query_tokens == record.key_tokens == tuple(f"w{number}" for number in tokens)
    assert record.written == (0,) * 5 + (1,) * N
    assert record.began == (5, 5)
    np.testing.assert_allclose(record.probabilities[5:], chances.max(axis=1), atol=1e-5)
    assert not record.probabilities[:5].any()
    assert (record.top_tokens[:5] == -1).all()
    best = np.sort(chances, axis=1)[:, ::-1][:, :5]
    np.testing.assert_allclose(record.top_probabilities[5:], best, atol=1e-5)
    for row, p in zip(record.top_tokens[5:], chances, strict=True):
        named = [int(record.candidates[place].strip()[1:]) for place in row]
        np.testing.assert_allclose(p[named], np.sort(p)[::-1][:5], atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_weights_are_those_of_reading_all_at_once(saved, name):
    directory, model = saved(name)
    record = load(str(directory)).attend(TEXT, Reading(generate=N))
    again = load(str(directory)).attend(" ".join(record.key_tokens))
    np.testing.assert_array_equal(record.weights, again.weights)
    with torch.no_grad():
        model.set_attn_implementation("eager")
        numbers = torch.tensor([[int(word[1:]) for word in record.key_tokens]])
        expected = torch.cat(model(numbers, output_attentions=True).attentions)
    np.testing.assert_allclose(record.weights, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["gpt2", "neox"])
def test_sampling_is_decided_by_its_seed(saved, name):
    model = load(str(saved(name)[0]))
    made = [
        model.attend(TEXT, Reading(generate=12, sample=f"temperature=2,seed={seed}")).key_tokens
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]
    cold = model.attend(TEXT, Reading(generate=N, sample="temperature=1e-4")).key_tokens
    narrow = model.attend(TEXT, Reading(generate=N, sample="top_p=1e-9,seed=5")).key_tokens
    assert cold == narrow == model.attend(TEXT, Reading(generate=N)).key_tokens


def test_a_function_may_choose(saved):
    def second(logits, drawn):
        return int(logits.topk(2).indices[1])

    record = attn.attend(TEXT, model=str(saved("gpt2")[0]), generate=3, sample=second)
    assert (record.probabilities[5:] == record.top_probabilities[5:, 1]).all()
    assert "sampled (second)" in record.provenance


@pytest.mark.parametrize("name", ["gpt2", "neox"])
def test_a_token_that_ends_a_text_is_the_last(saved, name):
    tokens, _ = theirs(saved(name)[1])
    directory, _ = saved(name, eos_token_id=tokens[7])
    record = load(str(directory)).attend(TEXT, Reading(generate=N))
    assert record.key_tokens == tuple(f"w{number}" for number in tokens[: tokens.index(tokens[7], 5) + 1])


def test_what_is_done_to_a_model_changes_what_it_writes(saved):
    model = load(str(saved("llama")[0]))
    plain, changed, blind = (
        attn.attend(TEXT, model=attn.api.LoadedModel(model), generate=12, **how)
        for how in ({}, {"without": "L0"}, {"mask": "window:size=1"})
    )
    assert plain.key_tokens != changed.key_tokens
    assert changed.provenance.endswith("intervened: without L0")
    assert (blind.weights == np.eye(17)).all()
    n = blind.key_tokens.index(
        blind.key_tokens[4]
    )  # what sees itself alone goes on alike after the same token
    assert blind.key_tokens[n + 1] == blind.key_tokens[5]


def test_parts_of_it_keep_what_is_known_of_them(saved):
    model = load(str(saved("gpt2")[0]))
    record = attn.attend(
        TEXT, model=attn.api.LoadedModel(model), generate=N, query_range="4:8", key_range="2:7"
    )
    whole = attn.attend(TEXT, model=attn.api.LoadedModel(model), generate=N)
    assert record.began == (1, 3)
    np.testing.assert_array_equal(record.probabilities, whole.probabilities[4:8])
    np.testing.assert_array_equal(record.top_tokens, whole.top_tokens[4:8])
    mean = attn.attend(TEXT, model=attn.api.LoadedModel(model), generate=N, head="mean", words=True)
    assert mean.began == (5, 5)
    np.testing.assert_allclose(mean.probabilities, whole.probabilities)


def test_the_command_line_and_files_have_it_all(run, saved, tmp_path):
    directory, _ = saved("gpt2")
    done = run(
        "attend", "--text", TEXT, "--model", str(directory), "--generate", "4", "-o", str(tmp_path / "a.json")
    )
    assert done.code == 0, done.stderr
    assert done.stderr.startswith("attn: note: greedy output: w")
    made = attn.load(directory)(TEXT, generate=4)
    read = attn.read(tmp_path / "a.json")
    for name in ("written", "candidates", "key_tokens"):
        assert getattr(read, name) == getattr(made, name)
    for name in ("probabilities", "top_tokens", "top_probabilities", "weights"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert json.loads((tmp_path / "a.json").read_text())["written"] == [0] * 5 + [1] * 4


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "--model mini --generate 4",
            "mini (English ↔ Chinese) cannot continue a text; leave --generate out, it writes by itself",
        ),
        ("--generate 4", "--generate does not apply to vectors"),
        ("--model GPT2 --sample seed=1", "--sample without --generate; give --generate N too"),
        (
            "--model GPT2 --generate 50",
            "5 tokens and 50 to write, the model has room for 40; give --generate 35",
        ),
        ("--model GPT2 --generate 4 --sample heat=1", "sample 'random' has no option 'heat'"),
        ("--model GPT2 --generate 4 --sample temperature=0", "temperature 0.0; give a number above 0"),
        ("--model GPT2 --generate 4 --sample top_p=2", "top_p 2.0; give a number above 0, at most 1"),
        ("--model GPT2 --generate 4 --too-long chunk", "--generate cannot be combined with --too-long chunk"),
    ],
)
def test_what_cannot_be_is_one_line(run, saved, typed, said):
    done = run("attend", "--text", TEXT, *typed.replace("GPT2", str(saved("gpt2")[0])).split(), "-q")
    assert (done.code, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(f"attn: error: {said}")


def test_a_model_without_its_head_cannot_write(saved, tmp_path):
    _, model = saved("llama")
    model.model.save_pretrained(tmp_path)
    for path in saved("llama")[0].glob("tokenizer*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="no output layer was saved"):
        load(str(tmp_path)).attend(TEXT, Reading(generate=1))


def test_a_run_of_train_toy_goes_on_too(run, tmp_path):
    (tmp_path / "songs.txt").write_text("".join(f"to be or not to be {n}?\n" for n in range(200)))
    done = run(
        "train-toy",
        "lm:vocab=60,length=12",
        "--data",
        "songs.txt",
        "--steps",
        "2",
        "-q",
        "-o",
        "lm",
        cwd=tmp_path,
    )
    assert done.code == 0, done.stderr
    record = attn.attend("to be or", model=tmp_path / "lm", generate=3)
    assert record.written == (0,) * (len(record.written) - 3) + (1,) * 3
    again = load(str(tmp_path / "lm")).attend("to be or", Reading(generate=3))
    assert again.key_tokens == record.key_tokens
    assert (record.probabilities[-3:] == record.top_probabilities[-3:, 0]).all()
    refused = run("attend", "--text", "to be", "--model", "lm", "--generate", "5000", cwd=tmp_path)
    assert "the model has room for" in refused.stderr


def test_tokens_that_share_a_character_are_called_by_their_parts():
    from attn_cli.models.continuing import Spelling

    tokens = [b" cat", b" \xe4", b"\xbd\xa0", b"s", b""]

    def decode(numbers):
        return b"".join(tokens[n] for n in numbers).decode("utf-8", "replace")

    spelling = Spelling(decode, lambda n: f"piece{n}" if n < 5 else None, frozenset({4}))
    made = spelling.tokens([0], [1, 2, 3, 4, 5 - 1])
    assert made.labels == ["你¹⁄₂", "你²⁄₂", "s", "piece4", "piece4"]
    assert made.special == [False, False, False, True, True]
    assert [spelling.name(n) for n in (0, 1, 3, 4)] == [" cat", "piece1", "s", "piece4"]
    assert spelling.text([0], [1, 2, 3]) == " 你s"


def test_a_row_after_what_was_written_has_no_likelihood():
    """As that of an end, which a model that was stopped has not written."""
    writer = Writer(sampling_of(None))
    for first in (2.0, 0.0):
        writer.next(torch.tensor([first, 1.0]))
    letters = Spelling(
        lambda numbers: "".join("ab"[number] for number in numbers), "ab".__getitem__, frozenset()
    )
    found = likelihoods(0, writer, letters, 3)
    np.testing.assert_allclose(found["probabilities"], [0.7311, 0.7311, 0], atol=1e-4)  # 1 / (1 + 1 / e)
    assert (found["written"], found["candidates"]) == ((1, 1, 0), ("a", "b"))
    assert found["top_tokens"][:, :2].tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert likelihoods(1, writer, letters, 2)["probabilities"].tolist() == [0, writer.probabilities[0]]
