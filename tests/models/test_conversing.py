"""An image and a text together, through a tiny random LLaVA: what a word looks at, against the library's own weights."""

import warnings

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.records.encoding import Image
from PIL import Image as Pillow
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402

WORDS = ["<unk>", "<s>", "<image>", "what", "is", "a", "cat", "?"]
TEXT = {
    "vocab_size": 8, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 40, "max_position_embeddings": 40,
}  # fmt: skip
SEES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 12,
    "patch_size": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the directory of a model, and an image."""
    home = tmp_path_factory.mktemp("llava")
    torch.manual_seed(0)
    config = transformers.LlavaConfig(
        text_config=transformers.LlamaConfig(**TEXT), vision_config=transformers.CLIPVisionConfig(**SEES),
        image_token_id=2, image_token_index=2, image_seq_length=9,
    )  # fmt: skip
    model = transformers.LlavaForConditionalGeneration(config)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    model.lm_head.weight.data[2] = 0  # it writes no image
    with warnings.catch_warnings(action="ignore"):
        model.save_pretrained(home / "llava")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in WORDS[:3]])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>"
    )
    fast.save_pretrained(home / "llava")
    (home / "llava" / "preprocessor_config.json").write_text(
        '{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 12}, "do_center_crop": true,'
        ' "crop_size": {"height": 12, "width": 12}, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]}'
    )
    rng = np.random.default_rng(0)
    Pillow.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8)).save(home / "cat.png")
    return home


def theirs(home, numbers):
    """The library's eager weights for these tokens and the image, prepared by hand."""
    with warnings.catch_warnings(action="ignore"):
        model = transformers.LlavaForConditionalGeneration.from_pretrained(
            home / "llava", attn_implementation="eager"
        )
    pixels = np.asarray(Pillow.open(home / "cat.png"), np.float32) / 255
    pixels = (pixels - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    with torch.no_grad():
        made = model.eval()(
            input_ids=torch.tensor([numbers]), pixel_values=torch.tensor(pixels).float().permute(2, 0, 1)[None],
            output_attentions=True,
        )  # fmt: skip
    return torch.cat(made.attentions).numpy()  # [layer, head, query, key]


@pytest.mark.parametrize(
    ("text", "numbers", "rows", "keys"),
    [
        ("what is a cat ?", [1, *[2] * 9, 3, 4, 5, 6, 7], range(10, 15), [0, *range(10, 15), *range(1, 10)]),
        ("what is <image> a cat ?", [1, 3, 4, *[2] * 9, 5, 6, 7], range(12, 15), [0, 1, 2, *range(12, 15), *range(3, 12)]),
    ],
)  # fmt: skip
def test_words_look_at_patches_as_in_the_library(home, text, numbers, rows, keys):
    record = attn.attend(attn.read(home / "cat.png"), model=str(home / "llava"), pair=text, layer="all")
    np.testing.assert_allclose(record.weights, theirs(home, numbers)[:, :, list(rows)][..., keys], atol=1e-5)
    assert record.query_tokens == tuple(WORDS[numbers[row]] for row in rows)
    assert record.key_tokens[-9:] == tuple(f"{row},{column}" for row in range(3) for column in range(3))
    assert (record.patches, record.kind) == ((3, 3), "decoder")
    np.testing.assert_array_equal(record.image, np.asarray(Pillow.open(home / "cat.png")))


def test_what_a_word_looks_at_is_drawn_over_the_picture(run, home):
    typed = ("heatmap", "cat.png", "--pair", "what is a cat ?", "--model", "llava")
    done = run(*typed, "--query-token", "cat", "-o", "seen.svg", cwd=home)
    assert done.code == 0, done.stderr
    assert "attention of cat" in (home / "seen.svg").read_text()
    part = run("attend", *typed[1:], "--query-token", "cat", "-o", "part.json", "-q", cwd=home)
    assert part.code == 0, part.stderr
    read = attn.read(home / "part.json")
    assert (read.query_tokens, read.layers, read.patches) == (("cat",), (1,), (3, 3))


def test_norms_and_heads_are_those_of_the_whole(home):
    image, model = attn.read(home / "cat.png"), str(home / "llava")
    assert isinstance(image, Image)
    whole = attn.attend(image, model=model, pair="a cat", show="norms")
    part = attn.attend(image, model=model, pair="a cat", head=2, query_range="1:", show="norms")
    np.testing.assert_allclose(part.shown, whole.shown[:, 2:3, 1:], atol=1e-6)


@pytest.mark.filterwarnings("ignore:greedy output")
def test_each_word_that_it_writes_has_its_row_of_patches(home):
    numbers = [1, *[2] * 9, 3, 4, 5, 6, 7]
    pixels = np.asarray(Pillow.open(home / "cat.png"), np.float32) / 255
    pixels = (pixels - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    with warnings.catch_warnings(action="ignore"):
        model = transformers.LlavaForConditionalGeneration.from_pretrained(home / "llava").eval()
        written = model.generate(
            torch.tensor([numbers]), pixel_values=torch.tensor(pixels).float().permute(2, 0, 1)[None],
            do_sample=False, max_new_tokens=4,
        )[0].tolist()  # fmt: skip
    n = len(written)
    asked = {"model": str(home / "llava"), "pair": "what is a cat ?", "layer": "all"}
    record = attn.attend(attn.read(home / "cat.png"), generate=4, **asked)
    keys = [0, *range(10, n), *range(1, 10)]
    np.testing.assert_allclose(record.weights, theirs(home, written)[:, :, 10:][..., keys], atol=1e-5)
    assert record.began == (5, 6)
    assert record.query_tokens[5:] == tuple(WORDS[number] for number in written[15:])


def test_it_is_promised(run, home):
    told = run("models", "llava", cwd=home).stdout
    assert "reads\ttext and images\n" in told


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "cat.png --model llava --pair what<image><image>",
            "2 tokens of an image in the text; write <image> once",
        ),
        ("cat.png --model llava --pair what<image>", "no token after <image>"),
        ("cat.png --model llava", "an image without a text; give the text too: --pair TEXT"),
        (
            "cat.png --model llava --pair what --generate 90",
            "11 tokens and 90 to write, the model has room for 40; give --generate 29",
        ),
        ("cat.png --model llava --pair what --kind cross", "no cross attention in this model"),
    ],
)
def test_what_cannot_be_is_one_line(run, home, typed, said):
    done = run("attend", *typed.split(), "-q", cwd=home)
    assert (done.code, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(f"attn: error: {said}")
