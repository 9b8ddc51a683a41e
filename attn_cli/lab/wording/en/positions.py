"""Mistakes with positions, in English."""

from ..text import Text

TEXTS = {
    "pe_exponent": Text(
        "The exponent doubles the column's number",
        "sin or cos(pos / base^(2c/d)) for column c",
        "In the paper i counts pairs: columns 2i and 2i + 1 share the exponent 2i/d.",
        "The first column is right, later ones change too slowly.",
        "Use the exponent 2·(c // 2)/d for column c.",
    ),
    "pe_cos_next": Text(
        "The cosine has the next exponent",
        "cos(pos / base^((2i + 1)/d)) or cos(pos / base^((2i + 2)/d))",
        "Sine and cosine of a pair have one wavelength; only so a shift is a rotation.",
        "Sine columns are right, cosine columns change too slowly.",
        "Use the exponent 2i/d for the sine and the cosine of pair i.",
    ),
    "pe_base": Text(
        "The base is another one",
        "pos / base^(2i/d) with base 100, 1000, 10000, 100000 or 500000",
        "The wavelengths grow to 2π · base; another base tells far positions apart differently.",
        "The first pair is right, and all others are off more and more.",
        "Use the base that the exercise gives; the paper's is 10000.",
    ),
    "pe_constant": Text(
        "All exponents are 0",
        "sin(pos), cos(pos) in every pair",
        "Whole-number division, or integer exponents, make 2i/d zero: every pair has the wavelength 2π.",
        "Every pair of columns is the same.",
        "Divide as floating-point numbers: 2 * i / d.",
    ),
    "pe_halves": Text(
        "Sines and cosines are laid out otherwise",
        "all sines, then all cosines, where they should alternate (or the other way round)",
        "The columns are another order of the same numbers: dot products of positions stay, added embeddings differ.",
        "The columns are right in another order.",
        "Fill even columns with sines and odd ones with cosines, unless told otherwise.",
    ),
    "pe_cos_first": Text(
        "The cosine comes before the sine",
        "cos in even columns, sin in odd ones",
        "The paper has the sine first; dot products of positions stay the same.",
        "Row 0 is 1, 0, 1, 0 where it should be 0, 1, 0, 1.",
        "Put the sine into column 2i and the cosine into 2i + 1.",
    ),
    "pe_from_one": Text(
        "Positions are counted from 1",
        "pos + 1 instead of pos",
        "The first token has position 0; distances stay right.",
        "Row 0 is what row 1 should be.",
        "Begin with position 0.",
    ),
    "pe_without_waves": Text(
        "There is no sine and no cosine",
        "(−1)^c · base^(2·pos/d + c mod 2)",
        "Powers grow without bound, and distances cannot be read from them.",
        "Values are far beyond −1 and 1.",
        "Take sine and cosine of pos / base^(2i/d).",
    ),
    "rope_halves": Text(
        "Other pairs are turned",
        "pairs (i, i + d/2) instead of (2i, 2i + 1), or the other way round",
        "Weights of a model were trained for one of the two; permuting the channels of W_q and W_k makes them agree.",
        "Row and column of position 0 are right; permuted channels agree exactly.",
        "Turn the pairs that the exercise names: half, or interleaved.",
    ),
    "rope_mixed": Text(
        "Angles are laid out for neighbouring pairs, numbers exchanged by halves",
        "x · cos(θ0 θ0 θ1 θ1 …) + rotate_half(x) · sin(θ0 θ0 θ1 θ1 …)",
        "That is no rotation: lengths change, and scores no longer depend on the distance alone.",
        "Of equal vectors at all positions, the scores are not constant along diagonals.",
        "Repeat the angles as the pairs lie: θ0 θ1 … θ0 θ1 … for halves.",
    ),
    "rope_sign": Text(
        "Vectors are turned the wrong way round",
        "rotation by −pos · θ",
        "Scores then belong to the opposite distance.",
        "Position 0 is right; the sines have the wrong sign.",
        "Turn (a, b) into (a cos − b sin, a sin + b cos).",
    ),
    "alibi_slope_first": Text(
        "The slopes of ALiBi begin with 1",
        "slope 2^(−8h/n) for head h = 0, 1, …",
        "The first head's slope is 2^(−8/n): heads count from 1 in the exponent.",
        "Every bias is 2^(8/n) times what it should be.",
        "Use 2^(−8(h + 1)/n) for head h, counted from 0.",
    ),
    "alibi_sign": Text(
        "The biases of ALiBi have the wrong sign",
        "S + slope · distance",
        "Far keys must lose weight, not win it.",
        "Weight grows with distance.",
        "Subtract slope · |query − key| from the scores.",
    ),
}
