"""Which output is meant, of models that write on and of runs of train-toy, and what an intervention makes of it."""

import pytest
import torch
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.native.huggingface import HuggingFace
from attn_cli.models.reading import Reading
from attn_cli.models.runs.run import Run
from attn_cli.transformer.intervening import Intervention, heads_named
from attn_cli.transformer.model import Config, Transformer
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from torch import nn

WORDS = ["[UNK]", *"abcdefg"]
SIZES = {"vocab": len(WORDS), "max_len": 8, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12}


def stack(**more):
    torch.manual_seed(0)
    model = Transformer(Config(**SIZES, **more)).requires_grad_(False)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


def writer():
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(1)
    head = nn.Linear(8, len(WORDS)).requires_grad_(False)
    model = stack(stack="decoder", norm="rms", positions="rope", n_kv_heads=1, unembedding="none")
    return HuggingFace("a model", "tiny", model, tokenizer, lambda _: head), head


def test_a_model_that_writes_on_answers_after_its_last_token():
    model, head = writer()
    logits = head(model.model.hidden(torch.tensor([[1, 2, 3]])))[0]
    meant = model.asked("a b c")
    own = int(logits[2].argmax())
    assert (meant.answer.rows, meant.output, meant.tokens) == ((2,), (WORDS[own],), ("a", "b", "c"))
    assert meant.answer.logits()[0, 0] == pytest.approx(float(logits[2, own]), abs=1e-6)
    assert meant.instead == "an embedding of zeros"
    assert meant.answer.chances()[0].exp() == pytest.approx(float(logits[2].softmax(-1)[own]), abs=1e-6)
    at = model.asked("a b c", toward=1)
    assert (at.answer.rows, at.output) == ((1,), (WORDS[int(logits[1].argmax())],))
    named = model.asked("a b c", toward="e")
    assert named.answer.logits()[0, 0] == pytest.approx(float(logits[2, 5]), abs=1e-6)
    assert named.said == 'toward "e"'


def test_what_stands_after_an_output_has_no_effect_on_it():
    model, _ = writer()
    answer = model.asked("a b c d", toward=1).answer
    kept = torch.tensor([[True, True, True, True], [True, True, False, False], [False, True, True, True]])
    p = answer.chances(None, kept)
    assert p[0] == pytest.approx(float(p[1]), abs=1e-6)
    assert abs(p[0] - p[2]) > 1e-4


def test_heads_that_are_left_out_are_left_out_of_the_output():
    model, head = writer()
    done = Intervention(heads_named("L0H1,L1"))
    answer = model.asked("a b c", Reading(intervention=done), "e").answer
    for layer, heads in zip(model.model.decoder.layers, (slice(4, 8), slice(None)), strict=True):
        layer.attention.out.weight[:, heads] = 0
    expected = head(model.model.hidden(torch.tensor([[1, 2, 3]])))[0, 2, 5]
    assert answer.logits()[0, 0] == pytest.approx(float(expected), abs=1e-6)
    assert answer.logits(lambda weights, _, __: weights)[0, 0] == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("toward", "reading", "said"),
    [
        (7, Reading(), "--toward 7, but there are 3 tokens; give 0 to 2, or a token"),
        ("a b", Reading(), "--toward 'a b' is 2 tokens"),
        (None, Reading(too_long="chunk"), "a text in chunks has no single output"),
        (None, Reading(generate=3), "a generated text has no single output"),
        (None, Reading(target="x"), "has no decoder that reads a target"),
    ],
)
def test_what_is_no_output(toward, reading, said):
    with pytest.raises(InputError, match=said):
        writer()[0].asked("a b c", reading, toward)


def run_of(**more):
    kind = more.get("stack", "encoder")
    return Run(
        "train-toy x", stack(**more), tuple(WORDS), 0, "learned", "encoder" if kind == "both" else kind
    )


def test_a_run_that_reads_answers_at_every_token():
    run = run_of()
    own = run.model(torch.tensor([[1, 2, 3]]))[0].argmax(dim=-1).tolist()
    meant = run.asked("a b c")
    assert (meant.answer.rows, meant.output) == ((0, 1, 2), tuple(WORDS[i] for i in own))
    one = run.asked("a b c", toward="1")
    assert (one.answer.rows, one.output) == ((1,), (WORDS[own[1]],))
    logits = run.model(torch.tensor([[1, 2, 3]])).log_softmax(-1)[0]
    mean = sum(float(logits[i, own[i]]) for i in range(3)) / 3
    assert meant.answer.chances()[0] == pytest.approx(mean, abs=1e-6)


def test_a_run_that_goes_on_answers_after_its_last_token():
    run = run_of(stack="decoder")
    logits = run.model(torch.tensor([[1, 2, 3]]))[0]
    assert run.asked("a b c").answer.rows == (2,)
    named = run.asked("a b c", toward="g")
    assert named.answer.logits()[0, 0] == pytest.approx(float(logits[2, 7]), abs=1e-6)
    with pytest.raises(InputError, match="the model does not know 'z'"):
        run.asked("a b c", toward="z")


def test_a_run_that_translates_rests_on_its_source():
    run = Run(
        "train-toy x",
        stack(stack="both"),
        (*WORDS[:-2], "[start]", "[end]"),
        0,
        "learned",
        "cross",
        starts=("[start]",),
    )
    with pytest.warns(AttnNote, match="greedy output"):
        meant = run.asked("a b c")
    assert meant.answer.both
    given = run.asked("a b c", Reading(target="b a"))
    logits = run.model(torch.tensor([[1, 2, 3]]), target=torch.tensor([[6, 2, 1]]))[0]
    expected = [float(logits[0, 2]), float(logits[1, 1])]
    assert given.answer.logits()[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert set(given.sides) == {"encoder", "decoder", "cross"}
