"""A sound of the user's own as a run that has learned notes hears it, and what it writes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError, note, warn
from ...records.encoding import Sound
from ...records.fields import changed
from ...text.escaping import escape
from ...text.tokenizers import whitespace
from ..hearing import stretched
from ..native.vision import WHOLE_IMAGE
from ..showing import Side
from .tokens import Tokens

if TYPE_CHECKING:
    from jaxtyping import Float

    from ...records.attention import Attention
    from ..reading import Reading
    from .run import Run

# As the task `tones` makes its sounds; a test holds them to it.
RATE, HOP = 1000, 32  # samples a second, from frame to frame
NOISE = 0.2  # standard deviation, where a note has amplitude 1: without any a frame sounds like none that was learned
_SOUNDING = 0.1  # of the loudest frame's power
_HEARD = 0.01  # of a sound's power, that must lie below half the rate
_LONGEST, _FIRST = 20, 2  # frames of sound at most, and before it
_HELD = (3, 5)  # frames of a note
_MOST_NOTES = 4


@dataclass(frozen=True, eq=False)
class Frames:
    """Short-time spectra, and when each begins."""

    loud: Float[np.ndarray, "frequency frame"]
    begins: tuple[float, ...]  # seconds of the sound


def listen(run: Run, sound: Any, reading: Reading) -> Attention:
    """The attention while a run hears a sound, as those of its task, and writes its notes or a target.

    Raises InputError when it is no sound, has nothing that it could hear, or an option is given that is for text.
    """
    if not isinstance(sound, Sound):
        raise InputError("this run hears sounds, not text or images", hint="give a .wav file")
    _refuse(reading)
    config = run.model.config
    frames = frames_of(sound, 2 * (config.vocab - 1), (run.longest or 1) - 1)
    source = torch.from_numpy(frames.loud)[None, :, None]  # [1, frequency, 1, frame]
    kind, layers = reading.chosen_kind(run.kinds), reading.chosen(config.n_layers)
    reading = replace(reading, intervention=run._done(kind, reading))
    side = Side([WHOLE_IMAGE, *(f"{second:.2f}s" for second in frames.begins)])
    start, said, target = run.starts[0], "", None
    if reading.target is not None:
        target = _target(run, reading.target)
    elif kind != "encoder":
        target, said = run._write(source, start, run._done(kind, reading))
    made = run.look(source, side, layers, kind, target, start, reading)
    made = replace(made, provenance=made.provenance + said)
    if kind == "decoder":
        return made
    places = range(len(side.labels)) if reading.keys is None else reading.keys(side.labels)
    shades = np.rint(255 * frames.loud / (frames.loud.max() or 1)).astype(np.uint8)
    shades = np.pad(shades, ((0, 0), (1, 0)))[:, list(places)]
    found: Attention = changed(
        made, spectrogram=shades, frequencies=np.linspace(0, RATE / 2, len(frames.loud))
    )
    return found


def frames_of(sound: Sound, window: int, n: int) -> Frames:
    """A sound in n frames: from where it begins to sound, as far apart as makes its notes as long as those that were
    learned from; as loud as these, with their noise.
    """
    samples = _slow(sound)
    power = np.convolve(samples**2, np.ones(window) / window, mode="same")
    (sounding,) = np.nonzero(power > _SOUNDING * power.max())
    early = round((0.5 - _SOUNDING) * window)  # so much before a sound its part in the mean around is enough
    first = int(sounding[0]) + early
    last = max(int(sounding[-1]) + 1 - early, first + 1)
    hop = _hop(samples[first:last], window)
    begins = np.rint(first + hop * (np.arange(n) - _FIRST)).astype(int)
    padded = np.pad(samples, (max(0, -begins[0]), max(0, begins[-1] + window - len(samples))))
    cut = padded[(begins + max(0, -begins[0]))[:, None] + np.arange(window)]
    level = np.sqrt((samples[first:last] ** 2).mean()) * np.sqrt(2)
    noise = NOISE * np.random.default_rng(0).standard_normal(cut.shape)
    spectra = np.abs(np.fft.rfft((cut / level + noise) * np.hanning(window))).T
    return Frames(np.log1p(spectra).astype(np.float32), tuple(np.maximum(begins, 0) / RATE))


def _hop(samples: Float[np.ndarray, " sample"], window: int) -> float:
    """From frame to frame in a sound, so that each of its notes has 3 to 5; said where it is not as in training."""
    n_frames, n_notes = len(samples) / HOP, _n_notes(samples, window)
    if n_notes > _MOST_NOTES:
        warn(f"{n_notes} notes, and the run has learned from at most {_MOST_NOTES}")
    least, most = (n_notes * held for held in _HELD)
    wanted = min(max(n_frames, least), most, _LONGEST)
    if round(n_frames) != round(wanted):
        note(
            f"the sound takes {n_frames:.0f} frames, and is read in {wanted:.0f}, as long as those learned from"
        )
    return len(samples) / wanted


def _n_notes(samples: Float[np.ndarray, " sample"], window: int) -> int:
    """How many notes follow one another: semitones that stay loudest for two frames.

    >>> time = np.arange(320) / RATE
    >>> _n_notes(np.sin(2 * np.pi * np.where(time < 0.16, 262, 392) * time), 64)
    2
    """
    begins = range(0, max(1, len(samples) - window), HOP)
    cut = np.stack([np.pad(samples[i : i + window], (0, max(0, i + window - len(samples)))) for i in begins])
    loud = np.abs(np.fft.rfft(cut * np.hanning(window), 1024))[:, 1:]
    semitones = np.rint(12 * np.log2(1 + loud.argmax(axis=1))).tolist()
    held = [a for a, b in pairwise([*semitones, semitones[-1]]) if a == b]
    return max(1, sum(a != b for a, b in pairwise([None, *held])))


def _slow(sound: Sound) -> Float[np.ndarray, " sample"]:
    """The samples at the rate of the task; raises InputError where nearly nothing is left of them."""
    samples = sound.samples.astype(np.float64) - sound.samples.mean()
    slow = stretched(samples, max(1, round(sound.seconds * RATE)))
    if not samples.any() or (slow**2).mean() < _HEARD * (samples**2).mean():
        what = f"nearly nothing of this sound lies below {RATE // 2} Hz, which is all that the run hears"
        raise InputError(what, hint="give notes from C (262 Hz) to B (494 Hz)")
    return slow


def _target(run: Run, text: str) -> Tokens:
    """Notes as the run is to write them; raises InputError for what it cannot write."""
    named = whitespace(text)
    if unknown := [name for name in named if name not in run.outputs]:
        notes = " ".join(name for name in run.outputs if not name.startswith("["))
        raise InputError(f"the run cannot write {escape(unknown[0])!r}", hint=f"give notes: {notes}")
    return Tokens([run.outputs.index(name) for name in named], list(named))


def _refuse(reading: Reading) -> None:
    of_text = {
        "--pair": reading.pair is not None,
        "--special": reading.special != "keep",
        "--too-long": reading.too_long != "error",
    }
    for option in (name for name, given in of_text.items() if given):
        raise InputError(f"{option} does not apply to sounds", hint="leave it out")
    reading.refuse_generating("this run", "leave --generate out, it writes by itself")
