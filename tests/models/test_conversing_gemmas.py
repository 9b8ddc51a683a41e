"""PaliGemma and Gemma 3, tiny and random: text and image prepared by the library's own processors, weights its own."""

import warnings

import attn_cli as attn
import attn_cli.models
import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers, processors  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402

SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<image>", "<start_of_image>", "<end_of_image>"]
WORDS = [*SPECIAL, "\n", "\n\n", "what", "is", "a", "cat", "?"]
NUMBER = {word: i for i, word in enumerate(WORDS)}
TEXT = {
    "vocab_size": len(WORDS), "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 6, "intermediate_size": 40, "max_position_embeddings": 60,
}  # fmt: skip
SEES = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 24,
    "patch_size": 4,
}  # fmt: skip


def tokenizer_of():
    made = Tokenizer(WordLevel(NUMBER, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\n+"), "isolated"), pre_tokenizers.Split(" ", "removed")]
    )
    made.decoder = decoders.WordPiece()
    made.add_special_tokens([AddedToken(word, special=True) for word in SPECIAL])
    made.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", NUMBER["<bos>"])]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>",
        extra_special_tokens={
            "image_token": "<image>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
        },
    )  # fmt: skip


def paligemma():
    config = transformers.PaliGemmaConfig(
        text_config=transformers.GemmaConfig(**TEXT), vision_config=transformers.SiglipVisionConfig(**SEES),
        image_token_index=NUMBER["<image>"], projection_dim=24, hidden_size=24,
    )  # fmt: skip
    config.vision_config.projection_dim = 24
    return transformers.PaliGemmaForConditionalGeneration(config)


def paligemma2():
    text = transformers.Gemma2Config(
        **TEXT, query_pre_attn_scalar=6, attn_logit_softcapping=2.0, sliding_window=8
    )
    config = transformers.PaliGemmaConfig(
        text_config=text, vision_config=transformers.SiglipVisionConfig(**SEES),
        image_token_index=NUMBER["<image>"], projection_dim=24, hidden_size=24,
    )  # fmt: skip
    return transformers.PaliGemmaForConditionalGeneration(config)


def gemma3():
    config = transformers.Gemma3Config(
        text_config=transformers.Gemma3TextConfig(
            **TEXT, query_pre_attn_scalar=6, sliding_window=8, layer_types=["sliding_attention", "full_attention"]
        ),
        vision_config=transformers.SiglipVisionConfig(**SEES), mm_tokens_per_image=9,
        image_token_index=NUMBER["<image>"], boi_token_index=NUMBER["<start_of_image>"],
        eoi_token_index=NUMBER["<end_of_image>"],
    )  # fmt: skip
    return transformers.Gemma3ForConditionalGeneration(config)


def processor_of(name, tokenizer):
    """What the library prepares an image and a text with."""
    if name == "gemma3":
        images = transformers.Gemma3ImageProcessor(size={"height": 24, "width": 24})
        return transformers.Gemma3Processor(images, tokenizer, image_seq_length=9)
    images = transformers.SiglipImageProcessor(size={"height": 24, "width": 24})
    images.image_seq_length = 36
    return transformers.PaliGemmaProcessor(images, tokenizer)


SIDE = {"paligemma": 6, "paligemma2": 6, "gemma3": 3}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a directory for each model, and an image."""
    home = tmp_path_factory.mktemp("gemmas")
    for make in (paligemma, paligemma2, gemma3):
        torch.manual_seed(0)
        model = make()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        model.generation_config.suppress_tokens = list(range(len(SPECIAL) + 2))
        with warnings.catch_warnings(action="ignore"):
            model.save_pretrained(home / make.__name__)
            tokenizer = tokenizer_of()
            tokenizer.save_pretrained(home / make.__name__)
            processor_of(make.__name__, tokenizer).image_processor.save_pretrained(home / make.__name__)
    rng = np.random.default_rng(0)
    Pillow.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(home / "cat.png")
    return home


class Theirs:
    """The library's model with what its processor makes of the image and a text."""

    def __init__(self, home, name, text):
        with warnings.catch_warnings(action="ignore"):
            self.model = transformers.AutoModelForImageTextToText.from_pretrained(
                home / name, attn_implementation="eager"
            ).eval()
            processor = processor_of(name, tokenizer_of())
            if name != "gemma3":
                processor.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
                    single="$A"
                )
            given = processor(images=Pillow.open(home / "cat.png"), text=text, return_tensors="pt")
        self.given = {
            key: given[key] for key in ("input_ids", "token_type_ids", "pixel_values", "attention_mask")
        }
        self.numbers = self.given["input_ids"][0].tolist()

    def weights(self):
        with torch.no_grad():
            return torch.cat(self.model(**self.given, output_attentions=True).attentions).numpy()

    def written(self, n):
        """Step by step: the weights of each new token, from the library's own cache."""
        made = self.model.generate(
            **self.given,
            do_sample=False,
            max_new_tokens=n,
            output_attentions=True,
            return_dict_in_generate=True,
        )
        return made.sequences[0].tolist(), made.attentions


GIVEN = [
    ("paligemma", "what is a cat ?", "<image>what is a cat ?"),
    ("paligemma2", "<image> what is ?", "<image>what is ?"),
    ("gemma3", "what is a cat ?", "<start_of_image>what is a cat ?"),
    ("gemma3", "what is <image> a cat ?", "what is <start_of_image> a cat ?"),
]


def order(numbers, side):
    """Where the patches stand, the rows after them, and all keys with the patches last."""
    first = numbers.index(NUMBER["<image>"])
    patches = list(range(first, first + side**2))
    rows = range(patches[-1] + 1, len(numbers))
    return rows, [i for i in range(len(numbers)) if i not in patches] + patches


@pytest.mark.parametrize(("name", "text", "typed"), GIVEN)
def test_words_look_at_patches_as_in_the_library(home, name, text, typed):
    """In float32, as the library's softmax is of these families whatever they are loaded in."""
    theirs = Theirs(home, name, typed)
    rows, keys = order(theirs.numbers, SIDE[name])
    record = attn.attend(attn.read(home / "cat.png"), model=str(home / name), pair=text, layer="all")
    np.testing.assert_allclose(
        record.weights, theirs.weights()[:, :, list(rows)][..., keys], atol=1e-5, rtol=0
    )
    assert (record.patches, record.kind) == ((SIDE[name],) * 2, "decoder")
    named = [WORDS[theirs.numbers[row]] for row in rows]
    assert [row.strip() for row in record.query_tokens] == [word.strip() for word in named]


@pytest.mark.filterwarnings("ignore:greedy output")
@pytest.mark.parametrize(("name", "text", "typed"), GIVEN[:3])
def test_each_word_that_it_writes_has_its_row_of_patches(home, name, text, typed):
    theirs = Theirs(home, name, typed)
    numbers, steps = theirs.written(4)
    record = attn.attend(
        attn.read(home / "cat.png"), model=str(home / name), pair=text, layer="all", generate=4
    )
    rows, keys = order(numbers, SIDE[name])
    n_given = len(theirs.numbers)
    assert len(rows) == len(record.query_tokens)
    assert [word.strip() for word in record.query_tokens] == [WORDS[numbers[row]].strip() for row in rows]
    for step in range(1, 4):  # the last token is written, and has not read
        there = n_given + step
        whole = np.zeros((2, 4, len(numbers)))
        for layer, weights in enumerate(steps[step]):  # of a layer with a window the last keys
            whole[layer, :, there - weights.shape[-1] : there] = weights[0, :, 0]
        np.testing.assert_allclose(record.weights[:, :, there - 1 - rows[0]], whole[..., keys], atol=1e-5)


def test_it_is_promised_and_drawn(run, home):
    for name in SIDE:
        assert attn_cli.models.describe(str(home / name))["reads"] == "text and images"
    typed = ("heatmap", "cat.png", "--pair", "a cat ?", "--model", "gemma3", "--query-token", "cat")
    done = run(*typed, "-o", "seen.svg", cwd=home)
    assert done.code == 0, done.stderr
    assert "attention of cat" in (home / "seen.svg").read_text()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "--model paligemma --pair what<image>is",
            "<image> within the text; PaliGemma reads its image first",
        ),
        ("--model gemma3 --pair <image>what<image>", "2 tokens of an image in the text; write <image> once"),
        ("--model gemma3", "an image without a text; give the text too: --pair TEXT"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(run, home, typed, said):
    done = run("heatmap", "cat.png", *typed.split(), cwd=home)
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
