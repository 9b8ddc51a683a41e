"""A sound of one's own through a run that learned notes: prepared as those of the task, heard, drawn."""

from types import SimpleNamespace

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.commands.training import run_readme
from attn_cli.errors import AttnNote, AttnWarning, InputError
from attn_cli.models.runs import listening
from attn_cli.models.runs.run import Run
from attn_cli.records.encoding import Image, Sound
from attn_cli.toy.tasks import senses
from attn_cli.toy.training import new_model
from attn_cli.transformer.model import Config

RATE = 22050


def melody(names, seconds, *, before=0.3, loud=0.4, rate=RATE):
    """Notes with two overtones, between silences."""
    time = np.arange(round(seconds * rate)) / rate
    rest = np.zeros(round(before * rate))
    notes = [sum(np.sin(2 * np.pi * senses.NOTES[name] * k * time) / k for k in (1, 2, 3)) for name in names]
    return Sound(np.concatenate([rest, *(loud / 2 * note for note in notes), rest]), rate)


def loudest(frames):
    """Of each frame the note whose frequency is nearest to its loudest; None for what is noise."""
    hertz = np.arange(33) * senses.RATE / senses.WINDOW
    found = []
    for spectrum in frames.loud.T:
        near = min(senses.NOTES, key=lambda name: abs(senses.NOTES[name] - hertz[spectrum.argmax()]))
        found.append(near if spectrum.max() > 2 else None)
    return found


def test_it_hears_as_the_task_makes_its_sounds(monkeypatch):
    assert (listening.RATE, listening.HOP) == (senses.RATE, senses.HOP)
    monkeypatch.setattr(listening, "NOISE", 0.0)
    time = np.arange(1500) / senses.RATE
    note = np.sin(2 * np.pi * 392 * time) * (time >= 0.5) * (time < 0.628)
    frames = listening.frames_of(Sound(0.1 * note, senses.RATE), senses.WINDOW, senses.FRAMES)
    first = round(1000 * frames.begins[0])
    expected = senses._spectrogram(note[first : first + senses._TIMES.size])
    np.testing.assert_allclose(frames.loud, expected, atol=0.05)


@pytest.mark.parametrize(("names", "seconds", "n"), [("CEG", 0.13, 12), ("A", 0.13, 4)])
def test_a_sound_as_long_as_those_of_the_task_is_heard_as_it_is(names, seconds, n):
    frames = listening.frames_of(melody(names, seconds), senses.WINDOW, senses.FRAMES)
    assert frames.loud.shape == (33, senses.FRAMES)
    heard = [name for name in loudest(frames) if name]
    assert abs(len(heard) - n) <= 2
    assert [name for name in dict.fromkeys(heard) if heard.count(name) > 2] == list(names)
    assert np.allclose(np.diff(frames.begins), senses.HOP / senses.RATE, atol=0.0011)


@pytest.mark.parametrize("loud", [0.01, 0.5])
def test_notes_held_longer_are_as_long_as_those_that_were_learned_from(loud):
    with pytest.warns(AttnNote, match="and is read in 10, as long as those learned from"):
        frames = listening.frames_of(melody("AD", 0.6, loud=loud), senses.WINDOW, senses.FRAMES)
    heard = loudest(frames)
    assert [heard.count(name) for name in "AD"] == [5, 5]
    begins = [frames.begins[heard.index(name)] for name in "AD"]
    np.testing.assert_allclose(begins, [0.3, 0.9], atol=0.07)
    peak = frames.loud[
        :, heard.index("A") + 2
    ].max()  # a note of amplitude 1 under the taper: log(1 + 63 / 4)
    assert abs(peak - np.log1p(63 / 4)) < 0.4


def test_more_notes_than_were_learned_are_said():
    with (
        pytest.warns(AttnWarning, match="5 notes, and the run has learned from at most 4"),
        pytest.warns(AttnNote),
    ):
        listening.frames_of(melody("CDEFG", 0.2), senses.WINDOW, senses.FRAMES)


@pytest.mark.parametrize("samples", [np.zeros(8000), np.sin(2 * np.pi * 2000 * np.arange(8000) / 8000)])
def test_what_it_cannot_hear_is_refused(samples):
    with pytest.raises(InputError, match="nearly nothing of this sound lies below 500 Hz"):
        listening.frames_of(Sound(samples, 8000), senses.WINDOW, senses.FRAMES)


NAMES = (*"ABCDEFG", "[end]", "[start]")


@pytest.fixture(scope="module")
def untrained():
    """A run that has learned nothing."""
    config = Config(33, 256, 16, 2, 1, d_ff=32, stack="both", patch=1, outputs=len(NAMES))
    model = new_model(config, 0).eval()
    return Run("train-toy tones", model, (), 0, "exact match 0.0 %", "cross", NAMES, ("[start]",), longest=25)


@pytest.fixture(scope="module")
def heard(untrained):
    return attn.LoadedModel(untrained)


def test_its_readme_says_how_it_hears_a_sound_of_ones_own(untrained):
    training = SimpleNamespace(
        options=SimpleNamespace(steps=1, batch=2, seed=0),
        done=1,
        extended=(),
        dataset=SimpleNamespace(held_out=[]),
    )
    told = run_readme.readme(untrained, "attn train-toy tones", training, [], ()).decode()
    assert "$ attn heatmap my.wav --model . -o my.png" in told


@pytest.mark.filterwarnings("ignore:greedy output")
def test_a_run_that_learned_notes_writes_what_it_hears(heard):
    record = attn.attend(melody("CEG", 0.13), model=heard)
    assert 'greedy output "' in record.provenance
    assert (record.kind, record.query_tokens[-1]) == ("cross", "[end]")
    asked = attn.attend(melody("CEG", 0.13), model=heard, kind="decoder", target="C E G")
    assert asked.query_tokens == ("[start]", "C", "E", "G")
    assert asked.spectrogram is None


def test_its_frames_are_called_by_their_seconds_and_the_picture_goes_with_the_keys(heard):
    sound = melody("CEG", 0.13)
    record = attn.attend(sound, model=heard, target="C E", key_range="3:9")
    assert (record.kind, record.query_tokens) == ("cross", ("C", "E", "[end]"))
    assert record.key_tokens[0] == "0.30s"
    assert record.spectrogram.shape == (33, 6)
    assert record.frequencies[[0, 1, -1]].tolist() == [
        0,
        15.625,
        500,
    ]  # half of 1,000 samples a second, in 32 steps
    encoder = attn.attend(sound, model=heard, kind="encoder")
    assert encoder.query_tokens == encoder.key_tokens
    assert encoder.key_tokens[:2] == ("[CLS]", "0.24s")
    assert not encoder.spectrogram[:, 0].any()  # no moment of the sound
    np.testing.assert_allclose(encoder.weights.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ("C E G", {}, "this run hears sounds, not text or images; give a .wav file"),
        (Image(np.zeros((4, 4, 3), int)), {}, "this model hears sounds, not images; give "),
        (None, {"target": "X"}, "the run cannot write 'X'; give notes: A B C D E F G"),
        (None, {"generate": 2}, "this run cannot continue a text; leave generate out, it writes by itself"),
        (None, {"pair": "C"}, "pair does not apply to sounds; leave it out"),
    ],
)
def test_what_it_is_not_for_is_said_in_a_line(heard, given, options, said):
    with pytest.raises(InputError) as refused:
        attn.attend(melody("C", 0.13) if given is None else given, model=heard, **options)
    assert said in str(refused.value)
