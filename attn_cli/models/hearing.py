"""A sound at the rate that a model was trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import note

if TYPE_CHECKING:
    from jaxtyping import Float

    from ..records.encoding import Sound


def resampled(sound: Sound, rate: int, seconds: float | None = None) -> Float[np.ndarray, " sample"]:
    """The first seconds of a sound, or all of it, at another rate, which is said in a note."""
    samples = sound.samples if seconds is None else sound.samples[: max(1, round(seconds * sound.rate))]
    if sound.rate == rate:
        return samples
    note(f"resampled from {sound.rate:,} to {rate:,} samples a second")
    n = max(1, round(len(samples) * rate / sound.rate))
    return stretched(samples.astype(np.float64), n).astype(np.float32)


def stretched(samples: Float[np.ndarray, " sample"], n: int) -> Float[np.ndarray, " sample"]:
    """The same waves in so many samples: their spectrum, cut where they are fewer, continued with zeros where more.

    >>> stretched(np.array([0.0, 1.0, 0.0, -1.0]), 8).round(2).tolist()
    [0.0, 0.71, 1.0, 0.71, 0.0, -0.71, -1.0, -0.71]
    """
    spectrum, whole = np.fft.rfft(samples), np.zeros(n // 2 + 1, complex)
    kept = min(len(spectrum), len(whole))
    whole[:kept] = spectrum[:kept]
    if n > len(samples) and len(samples) % 2 == 0:  # the fastest wave is counted once, all others twice
        whole[len(samples) // 2] /= 2
    made: np.ndarray = np.fft.irfft(whole, n) * n / len(samples)
    return made
