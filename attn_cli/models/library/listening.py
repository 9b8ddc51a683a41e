"""Models of the library that hear: Whisper, whose encoder attends over time and whose words look at moments of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, note
from ...records.fields import changed
from ...text.characters import one_line
from ..hearing import resampled
from ..showing import Side, sides_of
from . import writing
from .running import Pass
from .silence import reason, silent
from .writing import Target

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, UInt8
    from torch import Tensor

    from ...records.attention import Attention, Kind
    from ...records.encoding import Sound
    from ..reading import Pick, Reading
    from .words import Words

FAMILIES = ("whisper",)  # by model_type
_PROMPT = 4  # tokens at most that say the language and what to do, before any word


def is_heard(config: Any) -> bool:
    """Whether a model of this configuration hears sounds, and that is read."""
    return config.model_type in FAMILIES


@dataclass(frozen=True, eq=False)
class Heard:
    """A sound as a model takes it: always as long, with silence after it."""

    features: Float[Tensor, "1 band frame"]
    frequencies: Float[np.ndarray, " band"]  # in the middle of each band, in Hz
    seconds: float  # of all of it, the silence too
    n_frames: int  # of the encoder, as many as attend
    n_of_sound: int  # of these; silence follows

    @property
    def names(self) -> list[str]:
        """What the frames of the encoder are called: when they begin.

        >>> Heard(None, None, 1.0, 4, 3).names
        ['0.00s', '0.25s', '0.50s', '0.75s']
        """
        return [f"{i * self.seconds / self.n_frames:.2f}s" for i in range(self.n_frames)]

    @property
    def spectrogram(self) -> UInt8[np.ndarray, "band key"]:
        """How loud each band is in each frame of the encoder, of several of the features their mean."""
        loud = self.features[0].float().cpu().numpy()
        loud = loud.reshape(len(loud), self.n_frames, -1).mean(axis=-1)
        low, high = loud.min(), loud.max()
        return np.rint(255 * (loud - low) / ((high - low) or 1)).astype(np.uint8)

    def within(self, pick: Pick | None) -> Pick | None:
        """Picks among the frames of the sound; None where that is all there are."""
        n = self.n_of_sound
        if pick is None:
            return None if n == self.n_frames else lambda _: range(n)
        return lambda names: pick(names[:n])


def listen(
    model: Any, directory: Path, sound: Sound, words: Words, reading: Reading, kind: Kind, provenance: str
) -> Attention:
    """The attention of one kind while a model hears a sound and writes what is said in it, or a target.

    A frame is called by the second at which it begins; of the silence after the sound none is shown. Raises
    InputError where the sound is too long, or an option is given that is for texts.
    """
    _refuse(reading)
    heard = hear(directory, model.config, sound, reading)
    features = heard.features.to(next(model.parameters()))
    keys = queries = Side(heard.names)
    written = likely = None
    how = replace(reading, keys=heard.within(reading.keys), queries=heard.within(reading.queries))
    if kind != "encoder":
        target = _target(model, words, features, reading)
        written = target.read.numbers
        shown = target.piece if kind == "cross" else target.read
        queries = Side(shown.labels, shown.special, target.text)
        keys = keys if kind == "cross" else queries
        how = replace(how, queries=reading.queries) if kind == "cross" else reading
        likely = target.likely.get(kind)
        provenance += target.said
        provenance += "; a row for each token while it is written" if kind == "cross" else ""
    provenance += f", {sound.seconds:.2f} seconds of sound"
    sides, wanted = sides_of(queries, keys, kind, provenance, how, likely)
    made = Pass(model, model, kind, [features], written).record(sides, wanted, how)
    if kind == "decoder":
        return made
    if heard.n_of_sound < heard.n_frames:
        note(
            f"rows sum to less than 1: the silence up to {heard.seconds:g} s, which the model hears too, is not shown"
        )
    kept = range(heard.n_frames) if wanted.keys is None else wanted.keys
    found: Attention = changed(
        made, spectrogram=heard.spectrogram[:, list(kept)], frequencies=heard.frequencies
    )
    return found


def hear(directory: Path, config: Any, sound: Sound, reading: Reading) -> Heard:
    """A sound as the directory says that it is prepared; of one that is too long the beginning, if that is asked for."""
    extractor = _extractor(directory)
    seconds, rate = float(extractor.chunk_length), int(extractor.sampling_rate)
    if sound.seconds > seconds:
        what = f"{sound.seconds:,.1f} seconds of sound, the model hears at most {seconds:g}"
        if reading.too_long != "truncate":
            raise InputError(what, hint=f"--too-long truncate hears the first {seconds:g}")
        note(f"the sound is cut: {what}")
    samples = resampled(sound, rate, seconds)
    with silent():
        given = extractor(samples, sampling_rate=rate, return_tensors="pt")["input_features"]
    n = config.max_source_positions
    if tuple(given.shape[:2]) != (1, config.num_mel_bins) or given.shape[2] != 2 * n:
        what = f"prepares a sound as {list(given.shape[1:])}, the model takes {[config.num_mel_bins, 2 * n]}"
        raise InputError(what, hint="use files that were saved together", where=str(directory))
    return Heard(
        given, _frequencies(extractor), seconds, n, min(n, math.ceil(n * len(samples) / rate / seconds))
    )


def _frequencies(extractor: Any) -> Float[np.ndarray, " band"]:
    """The mean of the frequencies that each band lets through, in Hz; one that lets none through is as its neighbour."""
    filters = np.asarray(extractor.mel_filters)  # [frequency, band]
    sums, bands = filters.sum(axis=0), np.arange(filters.shape[1])
    means = np.linspace(0, extractor.sampling_rate / 2, len(filters)) @ filters
    there = bands[sums > 0]
    found: np.ndarray = np.interp(bands, there, means[there] / sums[there])
    return found


def _extractor(directory: Path) -> Any:
    """What makes numbers of a sound; raises InputError where the directory does not say it."""
    with silent():
        from transformers import AutoFeatureExtractor

        try:
            return AutoFeatureExtractor.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
        except Exception as problem:
            hint = "save it: AutoFeatureExtractor.from_pretrained(DIR).save_pretrained(DIR) with transformers"
            what = f"no preprocessor_config.json that says how it hears ({reason(problem)})"
            raise InputError(what, hint=hint, where=str(directory)) from None


def _refuse(reading: Reading) -> None:
    """Raise InputError for an option that could have no effect on a sound."""
    of_text = {"--pair": reading.pair is not None, "--too-long chunk": reading.too_long == "chunk"}
    for option in (name for name, given in of_text.items() if given):
        raise InputError(f"{option} does not apply to sounds", hint="leave it out")
    reading.refuse_generating("a model that hears", "leave --generate out, it writes by itself")


def _target(model: Any, words: Words, features: Float[Tensor, "1 band frame"], reading: Reading) -> Target:
    """What the decoder writes, after the tokens with which the library has it begin: language and task."""
    room = model.config.max_target_positions - _PROMPT
    # So it gives these tokens too, and the end.
    whole = {"return_timestamps": False, "force_unique_generate_call": True, "return_dict_in_generate": True}
    if reading.target is None:
        return writing.own(model, words, features, min(writing.LONGEST, room), **whole)
    start, *prompt = writing.greedy(model, features, 1, **whole)[:-1]
    numbers = words.tokenizer(f" {one_line(reading.target).strip()}", add_special_tokens=False)["input_ids"]
    numbers = [*prompt, *numbers, words.tokenizer.eos_token_id]
    if len(numbers) > room:
        what = f"{len(numbers):,} tokens of the target, the model writes at most {room:,}"
        raise InputError(what, hint="give a shorter target")
    return Target(start, words.written(numbers), reading.target)
