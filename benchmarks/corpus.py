"""Invented terms for benchmarks and tests: as many as are wanted, the same each time.

Every text is put together from the words below, and says nothing. A term is some 6 KB
as Nuxt writes its payload, and has every field that an import knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from glossary.payload.devalue import UNDEFINED, Tagged, dumps


SEED = 2026
MAX_COUNT = 250_000
CATEGORIES = 12
TAGS = 40
SENTENCES = 4_000
# A term of a glossary asks for one that nobody has written yet, now and then.
UNKNOWN_SHARE = 0.1

SYLLABLES = [first + second for first in "bcdfghjklmnprstvwxyz" for second in "aiou"]
NOUNS = str.split("""
    anchor answer archive balance batch border branch bridge budget buffer cable
    catalogue channel chapter circle clock column compass corner counter courier cursor
    custom delay depot draft drawer driver editor engine entry estimate fabric factor
    figure filter folder forecast frame garden gauge grammar guide habit harbour hinge
    hour image index ink island journal kettle kernel ladder lantern layer ledger lever
    library limit loom machine margin market measure member meter mirror model module
    needle network notebook number offer orchard order outline packet page pattern
    phrase picture pipe planet pocket prism protocol proof pulse question queue range
    reader record region result river robot route sample scale schedule sensor series
    shelf signal sketch spindle stage station storm stream surface switch symbol table
    target thread ticket tool tower track vector version vessel village wheel window
    winter worker workshop zone
""")
ADJECTIVES = str.split("""
    ample brief broad calm careful cheap clear common compact constant cool crisp deep
    dense direct distant early even exact fair faint familiar fast final firm flat
    formal fresh gentle handy heavy hidden hollow honest idle large late lean light
    local long loose minor modest narrow neat open patient plain prompt proper quiet
    rare ready rough round sharp short silent simple slow smooth solid spare steady
    stiff strict strong sudden tall thin tidy tight usual vague vivid warm weak wide
    young
""")
VERBS = str.split("""
    accept adjust announce arrange balance borrow carry change check collect combine
    compare connect copy count cover describe divide draw exchange expect explain extend
    fetch fill finish follow gather guide hold improve join keep lead lift limit list
    measure move name notice offer open order pass predict prepare print protect pull
    reach read recall receive remember repeat replace report return save scatter select
    share shift show sort split start store support switch test touch trade trim watch
""")
SHAPES = [
    "The {a} {n} has to {v} the {n} before any {n} can {v} it.",
    "A {n} and a {n} {v} each other, and the {a} {n} pays for both.",
    "Most readers {v} a {a} {n} without a thought about the {n} behind it.",
    "When the {n} is {a}, nobody can {v} it twice in one {n}.",
    "It helps to {v} the {n} early, because a {a} {n} is hard to {v} later.",
    "Some {v} every {n} by hand; others let a {a} {n} {v} what is left.",
    "Where a {n} seems {a}, look at the {n} next to it and {v} that first.",
    "Nothing in the {n} says that it may {v} a {n}, and yet it does.",
    "Without a {n} the {n} stays {a}, however often they {v} it.",
    "The {n} of a {a} {n} is the {n} that one can {v} in a minute.",
    "Two {a} tests are enough to {v} a {n} and to {v} its {n}.",
    "Once they {v} the {a} {n}, the {n} and the {n} tend to agree.",
]
CHANGED_FIELDS = ("shortDefinition", "explanation", "howItWorks", "seoDescription")

Record = dict[str, Any]


def write_corpus(
    folder: Path, count: int, *, changed_share: float = 0.0, seed: int = SEED
) -> None:
    """Write the payloads of ``count`` terms, each as ``<slug>/_payload.json``.

    With ``changed_share``, that share of them has one text that is longer than without.
    """
    for record in records(count, changed_share=changed_share, seed=seed):
        place = folder / record["slug"]
        place.mkdir(parents=True, exist_ok=True)
        (place / "_payload.json").write_text(payload(record), encoding="utf-8")


def records(
    count: int, *, changed_share: float = 0.0, seed: int = SEED
) -> Iterator[Record]:
    """Give the records of ``count`` terms: what a payload holds, as plain JSON.

    ``changed_count`` says how many differ from those of a ``changed_share`` of 0.
    """
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"{count} terms: the names are enough for {MAX_COUNT}")
    chosen = Random(f"{seed} changed").sample(
        range(count), changed_count(count, changed_share)
    )
    changed = dict(zip(chosen, cycle(CHANGED_FIELDS), strict=False))
    for number in range(count):
        random = Random(f"{seed} {number}")
        record = _record(number, count, random, _sentences(seed))
        if number in changed:
            record[changed[number]] += " Since then, it has changed."
        yield record


def changed_count(count: int, changed_share: float) -> int:
    return round(count * changed_share)


def payload(record: Record) -> str:
    """The text of the file in which Nuxt serves a record."""
    digest = hashlib.sha256(record["slug"].encode()).hexdigest()
    data = Tagged("ShallowReactive", {f"$f{digest[:43]}": record})
    return dumps({"data": data, "prerenderedAt": UNDEFINED})


@cache
def _sentences(seed: int) -> list[str]:
    random = Random(f"{seed} sentences")
    return [_sentence(random) for _number in range(SENTENCES)]


def _sentence(random: Random) -> str:
    text = random.choice(SHAPES)
    for place, words in (("{n}", NOUNS), ("{a}", ADJECTIVES), ("{v}", VERBS)):
        while place in text:
            text = text.replace(place, random.choice(words), 1)
    return text


def _name(number: int) -> str:
    """The name of a term: its second word is its own, and found in no other name."""
    scattered = number * 7_919 % len(SYLLABLES) ** 3
    rest, last = divmod(scattered, len(SYLLABLES))
    first, middle = divmod(rest, len(SYLLABLES))
    word = "".join(SYLLABLES[place] for place in (first, middle, last))
    return f"{ADJECTIVES[number % len(ADJECTIVES)].capitalize()} {word}n"


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _record(number: int, count: int, random: Random, pool: list[str]) -> Record:
    name = _name(number)
    own = name.partition(" ")[2]
    related = [_name(other) for other in _neighbours(number, count, random)]
    say = _Speaker(name, random, pool)
    return {
        "slug": _slug(name),
        "term": name,
        "shortDefinition": say.sentences(2, named=True),
        "seoTitle": f"{name}: what it is and how it works",
        "seoDescription": say.sentences(1, named=True),
        "h1": f"What is a {name.lower()}?",
        "explanation": say.explanation(related[0]),
        "howItWorks": say.steps(),
        "inChatbots": say.points(),
        "vsRelatedConcepts": [
            {"term": related[0], "comparison": say.sentences(2, named=True)},
            {"term": f"Common {random.choice(NOUNS)}", "comparison": say.sentences(2)},
        ],
        "relatedTerms": [{"slug": _slug(other), "name": other} for other in related],
        "relatedFeatures": [f"features/{random.choice(NOUNS)}"],
        "faq": [
            {"question": question, "answer": say.sentences(3)}
            for question in (
                f"Who needs a {name.lower()}?",
                f"What does a {own} cost?",
                f"Can a {own} {random.choice(VERBS)} a {random.choice(NOUNS)}?",
            )
        ],
        "category": f"{NOUNS[number % CATEGORIES]}-and-others",
        "labels": [
            {"text": f"{name}s", "kind": "inflection", "caseRule": "ignore"},
            {"text": own.upper(), "kind": "abbreviation", "caseRule": "exact"},
        ],
        "tags": sorted(random.sample(NOUNS[:TAGS], 3)),
    }


def _neighbours(number: int, count: int, random: Random) -> list[int]:
    """Four terms other than this one; numbers from ``count`` on have no record."""
    found: list[int] = []
    while len(found) < 4:
        if random.random() < UNKNOWN_SHARE or count < 10:
            other = count + random.randrange(max(count, 10))
        else:
            other = random.randrange(count)
        if other != number and other not in found:
            found.append(other)
    return found


class _Speaker:
    """Says things about one term, in Markdown."""

    def __init__(self, name: str, random: Random, pool: list[str]) -> None:
        self.name = name
        self.random = random
        self.pool = pool

    def sentences(self, count: int, *, named: bool = False) -> str:
        text = " ".join(self.random.choices(self.pool, k=count))
        return f"{self.name}: {text}" if named else text

    def bold(self) -> str:
        return f"**{self.random.choice(ADJECTIVES)} {self.random.choice(NOUNS)}**"

    def explanation(self, other: str) -> str:
        address = f"https://example.org/{_slug(other)}"
        return "\n\n".join(
            [
                f"A {self.name.lower()} is a {self.bold()}. {self.sentences(4)}",
                f"{self.sentences(4)} See [{other}]({address}) for more.",
                f"{self.sentences(4)} Write `{self.random.choice(NOUNS)}` for it.",
                f"{self.sentences(4)} It is *{self.random.choice(ADJECTIVES)}*.",
            ]
        )

    def steps(self) -> str:
        steps = [
            f"{place}. {self.bold()}: {self.sentences(1)}" for place in range(1, 7)
        ]
        return "\n\n".join([self.sentences(3), "\n".join(steps), self.sentences(3)])

    def points(self) -> str:
        address = f"https://example.org/{self.random.choice(NOUNS)}"
        points = [f"- {self.bold()} {self.sentences(1)}" for _place in range(5)]
        link = f"More in [the {self.random.choice(NOUNS)}]({address})."
        return "\n".join(points) + f"\n\n{self.sentences(3)} {link}"
