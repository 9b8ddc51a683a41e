"""Sounds through a tiny random Whisper, against the library's own weights and writing; what is drawn of them."""

import io
import warnings
import wave
from functools import cache

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.hearing import resampled
from attn_cli.models.library.listening import _frequencies
from attn_cli.records.encoding import Sound
from attn_cli.render.figure.maps import attention_maps, lay_out
from attn_cli.render.figure.sheet import Cells
from attn_cli.render.figure.spectrogram import Spectrogram
from attn_cli.render.figure.ticks import Setting, below
from attn_cli.render.page.page import page
from test_page_heard import carried
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
from tokenizers.pre_tokenizers import ByteLevel  # noqa: E402

END = "<|endoftext|>"
BEGINS = ["<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|notimestamps|>"]
LETTERS = ["a", "b", "c", "d", "ab", "Ġa"]
RATE, N_FRAMES = 8000, 50  # a second, which is all that it hears
pytestmark = [
    pytest.mark.filterwarnings("ignore:greedy output"),
    pytest.mark.filterwarnings("ignore:rows sum to less than 1"),
    pytest.mark.filterwarnings("ignore:special tokens are hidden"),
]


def tokenizer_of_letters():
    vocabulary = {piece: i for i, piece in enumerate([*sorted(ByteLevel.alphabet()), "ab", "Ġa", END])}
    made = transformers.WhisperTokenizer(vocab=vocabulary, merges=[("a", "b"), ("Ġ", "a")])
    made.add_special_tokens({"additional_special_tokens": BEGINS})
    return made


def told(model, number):
    """How it is to write: in one of two languages, letters alone, no end at once."""
    model.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=number(BEGINS[0]), eos_token_id=number(END), pad_token_id=number(END),
        bos_token_id=number(END), is_multilingual=True, no_timestamps_token_id=number(BEGINS[-1]),
        lang_to_id={name: number(name) for name in BEGINS[1:3]},
        task_to_id={"translate": number(BEGINS[3]), "transcribe": number(BEGINS[4])},
        suppress_tokens=sorted(set(range(number(BEGINS[-1]) + 1)) - {number(one) for one in [*LETTERS, END]}),
        begin_suppress_tokens=[number(END)], max_length=20,
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the directory of a model, and a sound of 0.375 seconds."""
    home = tmp_path_factory.mktemp("whisper")
    torch.manual_seed(0)
    tokenizer = tokenizer_of_letters()
    number = tokenizer.convert_tokens_to_ids
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer), num_mel_bins=8, encoder_layers=2, encoder_attention_heads=2, decoder_layers=3,
        decoder_attention_heads=4, d_model=16, encoder_ffn_dim=24, decoder_ffn_dim=24,
        max_source_positions=N_FRAMES, max_target_positions=24, pad_token_id=number(END), bos_token_id=number(END),
        eos_token_id=number(END), decoder_start_token_id=number(BEGINS[0]), suppress_tokens=None,
        begin_suppress_tokens=None,
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.5)
    told(model, number)
    with warnings.catch_warnings(action="ignore"):
        model.save_pretrained(home / "whisper")
        tokenizer.save_pretrained(home / "whisper")
        transformers.WhisperFeatureExtractor(
            feature_size=8, sampling_rate=RATE, hop_length=80, chunk_length=1, n_fft=200
        ).save_pretrained(home / "whisper")
    (home / "a.wav").write_bytes(wav(samples()))
    (home / "text.txt").write_text("abab")
    return home


def samples(n=3000):
    return np.sin(2 * np.pi * np.cumsum(np.linspace(200, 1500, n)) / RATE)


def wav(numbers, rate=RATE):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((numbers * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@cache
def theirs_of(home, dtype=torch.float32):
    return Theirs(home, dtype)


class Theirs:
    """The library's own: what it hears, what it writes, its weights."""

    def __init__(self, home, dtype=torch.float32):
        with warnings.catch_warnings(action="ignore"):
            self.model = transformers.WhisperForConditionalGeneration.from_pretrained(
                home / "whisper", attn_implementation="eager", dtype=dtype
            ).eval()
            hears = transformers.WhisperFeatureExtractor.from_pretrained(home / "whisper")
            heard = hears(attn.read(home / "a.wav").samples, sampling_rate=RATE, return_tensors="pt")
        self.features = heard.input_features.to(dtype)

    def written(self, n):
        made = self.model.generate(
            self.features, do_sample=False, num_beams=1, max_new_tokens=n, force_unique_generate_call=True,
            return_dict_in_generate=True,
        )  # fmt: skip
        return made.sequences[0].tolist()

    def weights(self, numbers):
        with torch.no_grad():
            made = self.model(
                input_features=self.features,
                decoder_input_ids=torch.tensor([numbers[:-1]]),
                output_attentions=True,
            )
        return {
            kind: torch.cat(made[f"{kind}_attentions"]).numpy() for kind in ("encoder", "decoder", "cross")
        }


def attended(home, **options):
    return attn.attend(attn.read(home / "a.wav"), model=str(home / "whisper"), layer="all", **options)


N_OF_SOUND = 19  # frames of 20 ms, the last of which begins at 0.36 s


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
@pytest.mark.parametrize(("dtype", "off"), [("float32", 1e-5), ("float64", 1e-10)])
def test_every_kind_of_attention_is_that_of_the_library(home, kind, dtype, off):
    theirs = theirs_of(home, getattr(torch, dtype))
    expected = theirs.weights(theirs.written(20))[kind]
    rows, keys = (
        slice(N_OF_SOUND) if kind in of else slice(None) for of in (("encoder",), ("encoder", "cross"))
    )
    got = attended(home, kind=kind, dtype=dtype)
    np.testing.assert_allclose(got.weights, expected[:, :, rows, keys], atol=off, rtol=0)
    assert got.kind == kind
    times = tuple(f"{0.02 * i:.2f}s" for i in range(N_OF_SOUND))
    assert (got.key_tokens == times) == (kind != "decoder")
    assert (got.spectrogram is None) == (kind == "decoder")


def test_rows_are_what_it_writes_after_language_and_task(home):
    names = tokenizer_of_letters().convert_ids_to_tokens(theirs_of(home).written(20))
    whole = attended(home, kind="cross")
    rows = whole.query_tokens
    assert "cut after" not in whole.provenance
    assert ", 0.38 seconds of sound; keys 0 to 18 of 50" in whole.provenance
    assert rows == tuple(name.replace("Ġ", "") for name in names[1:])
    assert rows[:2] == (names[1], "<|notimestamps|>")
    shorter = attended(home, kind="cross", special="drop").query_tokens
    assert (shorter, rows[-1]) == (rows[2:-1], END)
    assert not whole.probabilities[:2].any()  # those it was told
    assert (whole.probabilities[2:] > 0).all()
    np.testing.assert_array_equal(whole.probabilities, whole.top_probabilities[:, 0])


def test_a_target_stands_between_language_and_end(home):
    theirs, number = theirs_of(home), tokenizer_of_letters().convert_tokens_to_ids
    numbers = [*theirs.written(1)[:-1], *(number(one) for one in ("Ġa", "ab", "c", END))]
    got = attended(home, kind="cross", target="aabc")
    np.testing.assert_allclose(got.weights, theirs.weights(numbers)["cross"][..., :N_OF_SOUND], atol=1e-5)
    assert got.query_tokens[2:] == ("a", "ab", "c", END)


def test_norms_heads_and_frames_are_those_of_the_whole(home):
    whole = attended(home, show="norms")
    part = attended(home, show="norms", head=1, query_range="2:5", key_range="3:9")
    np.testing.assert_allclose(part.shown, whole.shown[:, 1:2, 2:5, 3:9], atol=1e-6)
    np.testing.assert_array_equal(part.spectrogram, whole.spectrogram[:, 3:9])
    one = attended(home, query_token="0.10s")
    assert one.query_tokens == ("0.10s",)


def test_the_spectrogram_has_a_column_for_each_frame(home):
    loud = theirs_of(home).features[0].numpy()[:, : 2 * N_OF_SOUND].reshape(8, N_OF_SOUND, 2).mean(-1)
    whole = theirs_of(home).features[0].numpy().reshape(8, N_FRAMES, 2).mean(-1)
    expected = 255 * (loud - whole.min()) / (whole.max() - whole.min())
    record = attended(home)
    np.testing.assert_allclose(record.spectrogram, expected, atol=0.51)
    assert (np.diff(record.frequencies) >= 0).all()


def test_bands_are_called_by_their_frequencies_on_slaneys_scale():
    """Linear up to 1 kHz, where mel is 15; from there logarithmic, 27 mel for each 6.4 times higher."""
    mel = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), 82)[1:-1]
    expected = np.where(mel < 15, 200 / 3 * mel, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    got = _frequencies(transformers.WhisperFeatureExtractor(feature_size=80))
    np.testing.assert_allclose(got, expected, rtol=0.01, atol=20)  # of filters that are 40 Hz wide


def test_a_pitch_that_rises_is_seen_to_rise_in_a_page(home):
    """The first and the last frame hold how the sound begins and ends at once, which is all pitches."""
    loudest = carried(page(attended(home)))[:, 1:-1].argmax(axis=0)
    assert (np.diff(loudest) <= 0).all()  # from the bottom up
    assert loudest[0] - loudest[-1] >= 3


def test_it_stands_over_the_map_and_its_columns_over_those_of_the_map():
    loud = np.array([[0, 0], [255, 0]])
    record = attn.Attention(("a",), ("0.00s", "0.02s"), [[[[0.5, 0.5]]]], "cross", spectrogram=loud)
    maps = attention_maps(record)
    assert isinstance(maps.strips, Spectrogram)
    assert (maps.column_name, maps.square) == ("time", False)
    map_, above = [mark for mark in lay_out(maps).marks if isinstance(mark, Cells)]
    (pixels,) = above.rgb
    half = len(pixels) // 2, pixels.shape[1] // 2
    dark = pixels.min(axis=-1) < 255
    assert dark[: half[0], : half[1]].all()  # the high band, while the first key lasts
    assert not dark[half[0] :].any()
    assert not dark[:, half[1] :].any()
    assert above.corners[0][0] == map_.corners[0][0]
    assert above.corners[0][1] + len(pixels) * above.height < map_.corners[0][1]


def test_a_picture_says_times_and_how_much_of_the_sound(run, home):
    done = run("heatmap", "a.wav", "--model", "whisper", "--kind", "cross", "-o", "x.svg", cwd=home)
    assert done.code == 0, done.stderr
    assert (
        "rows sum to less than 1: the silence up to 1 s, which the model hears too, is not shown"
        in done.stderr
    )
    assert "greedy output: " in done.stderr
    drawn = (home / "x.svg").read_text()
    for said in ("0.00s", "spectrogram of the sound", "0.38", "cross-attention · layer 2"):
        assert said in drawn
    told = run("models", "whisper", cwd=home).stdout
    assert "reads\tsounds\n" in told
    assert "read\tthrough transformers\n" in told


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("text.txt --model whisper", "Whisper hears sounds; give it one, a .wav"),
        ("long.wav --model whisper", "1.5 seconds of sound, the model hears at most 1; --too-long truncate hears the first 1"),
        ("a.wav --model whisper --pair ab", "--pair does not apply to sounds"),
        ("a.wav --model whisper --too-long chunk", "--too-long chunk does not apply to sounds"),
        ("a.wav --model whisper --generate 3", "a model that hears cannot continue a text; leave --generate out"),
        ("a.wav --model whisper --target ab", "--target has no effect on encoder attention"),
        ("a.wav --model whisper --kind cross --target abcdabcdabcdabcdabcdabcd", "the model writes at most 20"),
    ],
)  # fmt: skip
def test_what_cannot_be_heard_is_refused_in_a_line(run, home, typed, said):
    (home / "long.wav").write_bytes(wav(samples(12000)))
    done = run("heatmap", *typed.split(), "-o", "no.png", cwd=home)
    assert done.code == 2
    assert said in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (home / "no.png").exists()


def test_too_long_a_sound_is_cut_where_that_is_asked_for(home):
    long = Sound(samples(12000), RATE)
    with pytest.warns(AttnNote, match=r"the sound is cut: 1\.5 seconds"):
        record = attn.attend(long, model=str(home / "whisper"), too_long="truncate")
    assert len(record.key_tokens) == N_FRAMES


def test_a_directory_that_does_not_say_how_it_hears_is_refused(home, tmp_path):
    for path in (home / "whisper").iterdir():
        if "preprocessor" not in path.name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"no preprocessor_config\.json that says how it hears"):
        attn.attend(attn.read(home / "a.wav"), model=str(tmp_path))


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 16000), (8000, 16000), (1001, 1000), (16000, 16000)])
def test_a_wave_stays_itself_at_another_rate(rate, wanted):
    """Whole periods, as a spectrum has them."""
    time = np.arange(rate) / rate
    sound = Sound(np.sin(2 * np.pi * 40 * time) + 0.5 * np.cos(2 * np.pi * 333 * time), rate)
    with warnings.catch_warnings(action="ignore"):
        got = resampled(sound, wanted)
    time = np.arange(wanted) / wanted
    expected = np.sin(2 * np.pi * 40 * time) + 0.5 * np.cos(2 * np.pi * 333 * time)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_what_is_too_fast_for_a_rate_is_left_out():
    sound = Sound(np.cos(2 * np.pi * 3000 * np.arange(8000) / 8000), 8000)
    with pytest.warns(AttnNote, match="resampled from 8,000 to 4,000 samples a second"):
        assert np.abs(resampled(sound, 4000)).max() < 1e-6


def test_labels_of_times_leave_out_positions():
    ticks = below([f"{i / 50:.2f}s" for i in range(160)], 2.0, Setting(8.0))
    assert ticks.texts[:3] == ("0.00s", "0.40s", "0.80s")
    assert (ticks.thinned, ticks.running) == (True, True)
