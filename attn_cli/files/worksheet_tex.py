"""Worked attention as a LaTeX document. Its formulas come in plain characters and are set as mathematics."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ..records.worked import printed
from .typeset import tex_row, tex_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..records.worked import Arithmetic, Step, Words, Worked

_PREAMBLE = r"""% Set this with pdflatex or xelatex. To \input it into a document of your own, load the package docmute there.
\documentclass{article}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath,array,booktabs,graphicx,iftex}
\setlength{\parindent}{0pt}
\newcommand{\fit}[1]{\sbox0{#1}\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi}
"""
# Characters that pdflatex has not, unless they are defined, are spelled as their codes.
_SPELL = r"""\ifPDFTeX\makeatletter
\newcommand{\spell}[2]{\@ifundefined{u8:\detokenize{#1}}{\DeclareUnicodeCharacter{#2}{\texttt{U+#2}}}{}}
%s
\makeatother\fi
"""
_CJK = r"""\ifPDFTeX
\usepackage{CJKutf8}\AtBeginDocument{\begin{CJK}{UTF8}{gbsn}}\AtEndDocument{\end{CJK}}
\else
\usepackage{fontspec}
\newcommand{\tryfont}[1]{\IfFontExistsTF{#1}{\setmainfont{#1}}{}}
\ifXeTeX\XeTeXlinebreaklocale "zh"\XeTeXlinebreakskip=0pt plus 1pt\fi
\tryfont{FandolSong-Regular.otf}\tryfont{SimSun}\tryfont{Songti SC}\tryfont{Noto Serif CJK SC}
\fi
"""
_IDEOGRAPHS = "\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef"  # and kana and punctuation: what the font gbsn has


def tex(worked: Sequence[Worked]) -> Iterator[bytes]:
    """A LaTeX document, for pdflatex and xelatex."""
    yield from document("".join(_tex_body(worked)))


def document(body: str) -> Iterator[bytes]:
    """A whole document around what it says, with what its characters need."""
    yield _PREAMBLE.encode()
    if re.search(f"[{_IDEOGRAPHS}]", body):
        yield _CJK.encode()
    if others := sorted(set(re.findall(f"[^\x00-\x7f{_IDEOGRAPHS}]", body))):
        yield (_SPELL % "\n".join(f"\\spell{{{c}}}{{{ord(c):04X}}}" for c in others)).encode()
    yield f"\\begin{{document}}\n{body}\\end{{document}}\n".encode()


def _tex_body(worked: Sequence[Worked]) -> Iterator[str]:
    words = worked[0].words
    about = set_text(words.sentences(worked[0].provenance, words.rounding))
    yield f"\\section*{{{words.title}}}\n\n{about}\n"
    for layer in worked:
        if len(worked) > 1:
            yield f"\n\\section*{{{words.begun(words.layer, layer.layer)}}}\n"
        for step in layer.steps:
            yield from _tex_step(step, layer.heads, words)
        if layer.arithmetic:
            yield from _tex_arithmetic(layer.arithmetic, words)


def _tex_step(step: Step, heads: Sequence[int | str], words: Words) -> Iterator[str]:
    formula = f"\\[ {_math(step.formula)} \\]\n" if step.formula else ""
    yield f"\n\\subsection*{{{set_text(words.term(step.name))}}}\n\n{formula}"
    yield f"{set_text(words.sentences(words.shape.format(shape=words.shape_of(step)), step.meaning))}\n"
    for head, matrix in zip(heads, step.matrices, strict=False):
        named = f"\n{words.begun(words.head, head)}\n" if len(step.matrices) > 1 else ""
        yield f"{named}\n\\medskip\n\\fit{{\\begin{{tabular}}{{l{'r' * matrix.shape[1]}}}\n"
        yield (
            tex_row([set_text(words.corner(step)), *map(set_text, step.column_names)]).decode()
            + "\\midrule\n"
        )
        for row, numbers in zip(step.row_names, printed(matrix), strict=True):
            cells = [f"${_math(number)}$" for number in numbers]
            yield tex_row([set_text(row), *cells]).decode()
        yield "\\end{tabular}}\n\n\\medskip\n"


def _tex_arithmetic(arithmetic: Arithmetic, words: Words) -> Iterator[str]:
    yield f"\n\\subsection*{{{set_text(words.heading(arithmetic))}}}\n\n"
    yield "\\begin{tabular}{l>{\\raggedright\\arraybackslash}p{.75\\linewidth}}\n"
    for line in arithmetic.lines:
        remark = f" \\quad ({set_text(line.remark)})" if line.remark else ""
        yield tex_row([set_text(line.name), f"${_math(line.text)}${remark}"]).decode()
    yield "\\end{tabular}\n"


_SYMBOLS = {
    "·": "\\cdot ", "×": "\\times ", "≈": "\\approx ", "≤": "\\le ", "≥": "\\ge ", "−": "-", "√": "\\surd ",
    "∞": "\\infty ", "Σ": "\\sum ", "ᵀ": "^{\\top}", "‖": "\\Vert ", "⌊": "\\lfloor ", "⌋": "\\rfloor ",
    "θ": "\\theta ", "σ": "\\sigma ", "τ": "\\tau ", "φ": "\\varphi ", "²": "^2", "ₖ": "{}_{k}", "→": "\\to ",
}  # fmt: skip
_PARTS = re.compile(
    r"√(?P<root>\w+)|e\^(?P<power>[^\s,]+)|(?P<mantissa>[\d.]+)e(?P<exponent>[+-]\d+)"
    r"|\b(?P<function>exp|tanh)\b"
    rf"|(?P<words>[A-Za-z]{{2,}}(?:[ _][A-Za-z]{{2,}})*|[{_IDEOGRAPHS}]+)"
    r"|(?P<name>[A-Za-z])_(?P<index>[a-z]+)"
    rf"|(?P<symbol>[{''.join(_SYMBOLS)}])"
)


def _math(formula: str) -> str:
    r"""A formula in plain characters as LaTeX.

    >>> print(_math("scaled = Q · Kᵀ / √d_head"))
    \text{scaled} = Q \cdot  K^{\top} / \sqrt{d_{\text{head}}}
    """
    return _PARTS.sub(_part, formula)


def _part(match: re.Match[str]) -> str:
    found = match.groupdict()
    if found["root"]:
        return f"\\sqrt{{{_math(found['root'])}}}"
    if found["power"]:
        return f"e^{{{_math(found['power'])}}}"
    if found["mantissa"]:
        return f"{found['mantissa']}\\times10^{{{int(found['exponent'])}}}"
    if found["function"]:
        return f"\\{found['function']}"
    if found["words"]:
        return f"\\text{{{tex_text(found['words'])}}}"
    if found["name"]:
        index = found["index"]
        return found["name"] + (f"_{index}" if len(index) == 1 else f"_{{\\text{{{index}}}}}")
    return _SYMBOLS[found["symbol"]]


def set_text(text: str) -> str:
    """A text in which nothing is a command, its symbols as LaTeX knows them."""
    return "".join(
        f"\\ensuremath{{{_SYMBOLS[c]}}}" if c in _SYMBOLS else _settable(c) for c in tex_text(text)
    )


def _settable(character: str) -> str:
    """The character, or the code of one that is in no font for text, as emoji are."""
    strange = ord(character) > 0xFFFF or unicodedata.category(character) in ("Cf", "Cn", "Co", "Mn", "So")
    return f"\\texttt{{U+{ord(character):04X}}}" if strange else character
