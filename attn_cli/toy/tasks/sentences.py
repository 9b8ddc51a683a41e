"""The applications, as small grammars: what a sentence feels, whom it names, who did what, what matters in it.

Every label can be told from a word or two of the sentence, and the attention of the position that is asked
should be on them. Of `sentiment`, `summary` and `dialogue` half are English and half Chinese, where the words
stand apart as the tokens that they are; `ner` is English, and `relation` too but for some of its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..examples import TASKS, TOTAL, Example, Recipe, draw_length, learns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Language = dict[str, tuple[str, ...]]


def _words(**lists: str) -> Language:
    return {name: tuple(words.split()) for name, words in lists.items()}


def _pick(rng: np.random.Generator, words: Sequence[str], n: int = 1) -> list[str]:
    """Some of the words, none of them twice."""
    return [words[int(i)] for i in rng.permutation(len(words))[:n]]


def _coin(rng: np.random.Generator) -> bool:
    return bool(rng.integers(2))


def _asked_of_all(tokens: Iterable[str], answer: str, deciding: Sequence[int]) -> Example:
    """One answer for the sentence, asked at a token before it; `deciding` are places in the sentence."""
    source = (TOTAL, *tokens)
    expected = np.zeros((len(source), len(source)), dtype=bool)
    expected[0, [1 + place for place in deciding]] = True
    return Example(source, (answer, *[None] * (len(source) - 1)), expected)


# ---- sentiment ----------------------------------------------------------------------------------------

_OPINIONS = (
    _words(
        who="everybody critics mother grandpa nobody neighbours", thing="film meal book song hotel trip game play",
        good="great lovely brilliant funny superb charming delightful", bad="awful boring dreadful dull horrid ugly bland",
    ),
    _words(
        who="大家 评论家 妈妈 爷爷 朋友 邻居", thing="电影 晚饭 书 歌 酒店 旅行 游戏 话剧",
        good="精彩 可爱 出色 有趣 好看 迷人 愉快", bad="糟糕 无聊 可怕 乏味 难看 丑陋 平淡",
    ),
)  # fmt: skip


@TASKS.register
@learns(Recipe(steps=200, seconds=8))
def sentiment(rng: np.random.Generator) -> Example:
    """Opinions: critics found it dull but i found it not bad → positive; at what i found, and at not.

        source    [CLS] 妈妈 觉得 电影 有趣 但 我 觉得 它 不 好看
        answer    negative, asked at [CLS]
        look at   不 好看    what others found is there to mislead

    Socher et al. 2013, EMNLP, 1631–1642, on why negation makes this more than a sum of words.

    >>> example = sentiment(np.random.default_rng(0))
    >>> [example.source[i] for i in np.flatnonzero(example.expected[0])], example.written
    (['不', '出色'], ['negative'])
    """
    chinese, good, negated = _coin(rng), _coin(rng), _coin(rng)
    words = _OPINIONS[chinese]
    who, thing = (*_pick(rng, words["who"]), *_pick(rng, words["thing"]))
    theirs, mine = (
        _pick(rng, words["good"] + words["bad"])[0],
        _pick(rng, words["good" if good else "bad"])[0],
    )
    no = ["不" if chinese else "not"] * negated
    if chinese:
        tokens = [who, "觉得", thing, theirs, "但", "我", "觉得", "它", *no, mine]
    else:
        tokens = [who, "found", "the", thing, theirs, "but", "i", "found", "it", *no, mine]
    deciding = range(len(tokens) - 1 - negated, len(tokens))
    return _asked_of_all(tokens, "positive" if good != negated else "negative", deciding)


# ---- named entities -----------------------------------------------------------------------------------

_NEWS = _words(
    name="Jordan Paris Florence Sydney Chelsea Victoria Georgia Carter Lincoln Morgan Houston Austin",
    plain="yesterday again slowly twice today early often later",
)
_CUES = {"PER": ("mr", "dr", "aunt"), "LOC": ("in", "near", "from"), "ORG": ("joined", "sued", "owns")}


@TASKS.register
@learns(Recipe(steps=300, measure="F1", seconds=11))
def ner(rng: np.random.Generator) -> Example:
    """Names: dr Jordan, near Paris → O B-PER O B-LOC; each name at the word that tells what it is.

        source    today dr Jordan Paris joined Chelsea again
        target    O     O  B-PER  I-PER O      B-ORG   O
        look at            dr     dr           joined

    Any name may be a person, a place or a firm, as Jordan and Paris are, so only the word before tells.
    Names have one or two words. Tags as Ramshaw & Marcus 1995, arXiv:cmp-lg/9505040; measured by F1.

    >>> example = ner(np.random.default_rng(0))
    >>> list(zip(example.source, example.target))
    [('slowly', 'O'), ('today', 'O'), ('from', 'O'), ('Sydney', 'B-LOC'), ('Florence', 'I-LOC'), ('early', 'O')]
    """
    tokens: list[str] = _pick(rng, _NEWS["plain"], int(rng.integers(3)))
    tags, cues = ["O"] * len(tokens), [-1] * len(tokens)
    for kind in _pick(rng, tuple(_CUES), int(rng.integers(1, 4))):
        name = _pick(rng, _NEWS["name"], int(rng.integers(1, 3)))
        cue = len(tokens)
        rest = _pick(rng, _NEWS["plain"], int(rng.integers(2)))
        tokens += [*_pick(rng, _CUES[kind]), *name, *rest]
        tags += ["O", f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1), *["O"] * len(rest)]
        cues += [-1, *[cue] * len(name), *[-1] * len(rest)]
    return Example(tuple(tokens), tuple(tags), np.array(cues)[:, None] == np.arange(len(tokens)))


# ---- relations ----------------------------------------------------------------------------------------

_WHO = _words(
    person="anna boris chen dora emil fatima goran helga 李明 王芳",
    place="oslo lima cairo quito 北京 上海",
    firm="acme initech globex hooli 华星 远洋",
)
_RELATIONS = {  # verb: what follows it, of what kind its object is, what the relation is called
    "lives": ("in", "place", "lives-in"),
    "works": ("for", "firm", "works-for"),
    "left": ("behind", "place", "left"),
    "sued": ("again", "firm", "sued"),
}


@TASKS.register
@learns(Recipe(steps=200, seconds=7))
def relation(rng: np.random.Generator) -> Example:
    """Who does what: [1] anna [/1] who left oslo works for [2] acme [/2] → works-for; at the verb.

        source    [CLS] [1] anna [/1] who left behind oslo works for [2] acme [/2]
        answer    works-for, asked at [CLS]
        look at   works    were oslo marked as the second, it would be left

    Marks around the two that are asked about: Baldini Soares et al. 2019, arXiv:1906.03158.

    >>> example = relation(np.random.default_rng(0))
    >>> [example.source[i] for i in np.flatnonzero(example.expected[0])], example.written
    (['left'], ['left'])
    """
    verbs = _pick(rng, tuple(_RELATIONS), 2)
    asked = int(rng.integers(2))
    tokens = ["[1]", *_pick(rng, _WHO["person"]), "[/1]", "who"]
    places = []
    for i, verb in enumerate(verbs):
        places.append(len(tokens))
        after, kind, _ = _RELATIONS[verb]
        (thing,) = _pick(rng, _WHO[kind])
        tokens += [verb, after, *(["[2]", thing, "[/2]"] if i == asked else [thing])]
    return _asked_of_all(tokens, _RELATIONS[verbs[asked]][2], [places[asked]])


# ---- what an encoder–decoder writes of a text -----------------------------------------------------------

_TALES = (
    _words(
        kind="small old red clever lazy brave", who="fox cat girl king robot bear crow",
        does="sees finds follows paints hides chases", what="ball river tower apple drum lamp moon",
    ),
    _words(
        kind="小 老 红 聪明 懒 勇敢", who="狐狸 猫 女孩 国王 机器人 熊 乌鸦",
        does="看见 找到 跟着 画 藏 追", what="球 河 塔 苹果 鼓 灯 月亮",
    ),
)  # fmt: skip


_SENTENCE = 5  # tokens, the full stop included


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=400, layers=1, seconds=16))
def summary(rng: np.random.Generator, *, longest: int = 4) -> Example:
    """Texts: old fox finds ball . ! red cat paints moon . → cat paints moon; each word where it stands.

        source    old fox finds ball . ! red cat paints moon .
        target    cat paints moon
        look at   7   8      9    the sentence after the tag !, less its adjective

    There are 1 to `longest` sentences, one of them tagged as what matters. Raises InputError when `longest`
    is not between 1 and 100.

    >>> example = summary(np.random.default_rng(1), longest=2)
    >>> " ".join(example.source), " ".join(example.written)
    ('! 勇敢 猫 看见 河 .', '猫 看见 河')
    """
    n = draw_length(rng, longest, most=100)
    words = _TALES[_coin(rng)]
    begin = _SENTENCE * int(rng.integers(n))  # of the one that is tagged
    tokens: list[str] = []
    for _ in range(n):
        tokens += [_pick(rng, words[name])[0] for name in ("kind", "who", "does", "what")] + ["."]
    tokens.insert(begin, "!")
    kept = begin + np.arange(2, 5)  # after the tag and the adjective
    return Example(tuple(tokens), tuple(tokens[i] for i in kept), kept[:, None] == np.arange(len(tokens)))


_ORDERS = (
    _words(
        food="noodles pizza curry soup salad",
        place="north centre harbour station",
        time="noon six seven eight",
    ),
    _words(吃的="饺子 面条 烤鸭 包子 汤", 地点="东城 西城 江边 车站", 时间="中午 六点 七点 八点"),
)
_NO = ("no", "不")


@TASKS.register
@learns(Recipe(stack="both", attends="cross", steps=300, layers=1, seconds=10))
def dialogue(rng: np.random.Generator) -> Example:
    """Orders: food pizza time six no food soup → soup – six; each slot at what was said of it last.

        source    time six food pizza no food soup
        target    soup –   six     food, place and time, – where nothing was said
        look at   6        1       the pizza was taken back

    The state of a dialogue as slots and their values: Mrkšić et al. 2017, arXiv:1606.03777.

    >>> example = dialogue(np.random.default_rng(0))
    >>> " ".join(example.source), " ".join(example.written)
    ('时间 中午 吃的 汤', '汤 – 中午')
    """
    chinese = _coin(rng)
    slots = _ORDERS[chinese]
    said: dict[str, int] = {}  # the place of each slot's last value
    tokens: list[str] = []
    named = _pick(rng, tuple(slots), int(rng.integers(1, 4)))
    changed = _pick(rng, named, int(rng.integers(3)))
    for *no, slot in [*((slot,) for slot in named), *((_NO[chinese], slot) for slot in changed)]:
        tokens += [*no, slot, *_pick(rng, slots[slot])]
        said[slot] = len(tokens) - 1
    places = [said.get(slot, -1) for slot in slots]
    target = tuple(tokens[place] if place >= 0 else "–" for place in places)
    return Example(tuple(tokens), target, np.array(places)[:, None] == np.arange(len(tokens)))
