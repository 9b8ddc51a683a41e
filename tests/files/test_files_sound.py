"""Sounds: every kind of .wav against Python's own `wave`, what is damaged, and what is another format."""

import io
import struct
import wave

import attn_cli as attn
import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.encoding import Sound

SAMPLES = np.array([0.0, 0.5, -1.0, 0.25, -0.125, 0.75])  # numbers that every width has exactly
WHOLE = {8: "u1", 16: "<i2", 32: "<i4"}


def pcm(samples, bits: int, channels: int = 1, rate: int = 8000) -> bytes:
    """A .wav as Python's own module writes it."""
    scaled = np.asarray(samples) * 2.0 ** (bits - 1)
    if bits == 24:
        data = b"".join(int(x).to_bytes(3, "little", signed=True) for x in scaled)
    else:
        data = (scaled + 128 * (bits == 8)).astype(WHOLE[bits]).tobytes()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(data)
    return buffer.getvalue()


def chunks(form: bytes, data: bytes, *, length: int | None = None, before: bytes = b"") -> bytes:
    """A .wav chunk by chunk; `length` is what it says of its samples."""
    n = len(data) if length is None else length
    inside = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    inside += b"data" + struct.pack("<I", n) + data
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def form(kind: int, bits: int, channels: int = 1, rate: int = 8000) -> bytes:
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)


def written(folder, content: bytes, name: str = "a.wav") -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("name", ["a.wav", "a", "a.csv"])
def test_whole_numbers_of_every_width_are_known_by_their_bytes(tmp_path, bits, name):
    read = files.read(written(tmp_path, pcm(SAMPLES, bits), name))
    assert isinstance(read, Sound)
    np.testing.assert_array_equal(read.samples, SAMPLES)
    assert (read.rate, read.seconds) == (8000, 6 / 8000)
    assert repr(read) == "Sound([0.00 seconds, 8,000 samples a second])"


@pytest.mark.parametrize("bits", [32, 64])
def test_floating_point_is_read_as_it_is(tmp_path, bits):
    data = SAMPLES.astype(f"<f{bits // 8}").tobytes()
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # a title of an odd length has a byte more
    read = files.read(written(tmp_path, chunks(form(3, bits), data, before=odd)))
    np.testing.assert_array_equal(read.samples, SAMPLES)


def test_a_header_of_the_longer_kind_names_its_format_further_on(tmp_path):
    longer = form(0xFFFE, 16) + struct.pack("<HHIH", 22, 16, 0, 1) + bytes(14)
    data = (SAMPLES * 2**15).clip(-(2**15), 2**15 - 1).astype("<i2").tobytes()
    np.testing.assert_array_equal(files.read(written(tmp_path, chunks(longer, data))).samples, SAMPLES)


def test_channels_are_mixed_down_and_that_is_said(tmp_path):
    both = np.stack([SAMPLES, SAMPLES[::-1]], axis=1)
    with pytest.warns(AttnNote, match="2 channels are mixed down to one, their mean"):
        read = files.read(written(tmp_path, pcm(both.ravel(), 16, channels=2)))
    np.testing.assert_array_equal(read.samples, both.mean(axis=1))


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0])
def test_a_sound_from_a_pipe_does_not_say_how_long_it_is(tmp_path, length):
    data = SAMPLES.astype("<f4").tobytes()
    read = files.read(written(tmp_path, chunks(form(3, 32), data, length=length)))
    np.testing.assert_array_equal(read.samples, SAMPLES)


DATA = SAMPLES.astype("<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (chunks(form(3, 32), DATA)[:-4], "ends too early: the file is cut short; copy or write it again"),
        (chunks(form(3, 32), DATA)[:36], "holds no sound: it ends before its samples"),
        (chunks(form(3, 32), b""), "holds no sound: it has no samples"),
        (chunks(form(3, 32)[:10], DATA), "is damaged: its header is not whole"),
        (chunks(form(1, 16, channels=0), DATA), "is damaged: 0 channels, 8,000 samples a second"),
        (chunks(form(3, 32, rate=0), DATA), "is damaged: 1 channels, 0 samples a second"),
        (chunks(form(0x55, 16), DATA), "holds samples of format 85 with 16 bits, which is not read; write it again"),
        (chunks(form(3, 32), np.array([np.nan], "<f4").tobytes()), "nan"),
        (b"ID3\4\0\0\0\0\0\0", "is an MP3; make a .wav of it: ffmpeg -i 'my song.x' 'my song'.wav"),
        (b"\xff\xfb\x90\x64", "is an MP3"),
        (b"fLaC\0\0\0\x22", "is a FLAC file"),
        (b"OggS\0\2", "is an Ogg file"),
        (b"\0\0\0\x20ftypM4A ", "is an MP4 or M4A file"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_another_format_is_refused_in_a_line(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        files.read(written(tmp_path, content, "my song.x").removeprefix(f"{tmp_path}/"))
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_sound_that_no_memory_holds_is_refused_before_it_is_read(tmp_path):
    files.memory.limit_memory(1000)
    try:
        with pytest.raises(InputError, match="of memory, at most"):
            files.read(written(tmp_path, pcm(np.zeros(100), 16)))
    finally:
        files.memory.limit_memory(None)


def test_what_is_called_wav_and_is_none_is_refused_and_a_text_about_formats_is_a_text(tmp_path):
    with pytest.raises(InputError, match=r"has the suffix \.wav but is not a \.wav file"):
        files.read(written(tmp_path, b"to be or not"))
    assert files.read(written(tmp_path, b"ID3 learns trees", "a.txt")) == "ID3 learns trees"


def test_a_sound_wants_a_model_that_hears(tmp_path, run):
    written(tmp_path, pcm(SAMPLES, 16))
    for typed, said in (
        (
            "heatmap a.wav",
            "sound input needs a speech model; give --model DIR, the directory of a Whisper or a run of tones",
        ),
        ("heatmap a.wav --model mini", "--model mini reads text, not sounds"),
        ("encode a.wav", "a sound"),
    ):
        done = run(*typed.split(), cwd=tmp_path)
        assert (done.code, len(done.stderr.splitlines())) == (2, 1)
        assert said in done.stderr


@pytest.mark.parametrize(
    ("samples", "rate"), [([], 8), ([[0.0]], 8), ([np.inf], 8), ([0.0], 0), ([0.0], 1.5)]
)
def test_a_sound_is_checked_where_it_is_made(samples, rate):
    with pytest.raises(InputError):
        attn.Sound(np.array(samples), rate)
