"""The letters of languages: under which one a name stands, and in which order.

Pure, and alike on every database: a name is sorted by a key of bytes, which no
database's own collation has a say in. Numbers come first, then the letters of the
language, then those of other scripts. Punctuation decides nothing; after the letters
decide accents, then case, then whatever is left.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from .names import PLAIN, is_accent


OTHER = "#"
MAX_LETTER = 8
MAX_KEY = 255

# --- The alphabets

LATIN = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"
SPANISH = LATIN.replace("N", "N Ñ")
DANISH = f"{LATIN} Æ Ø Å"
SWEDISH = f"{LATIN} Å Ä Ö"
CROATIAN = "A B C Č Ć D DŽ Đ E F G H I J K L LJ M N NJ O P (Q) R S Š T U V (W X Y) Z Ž"
ARABIC = "ا ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه و ي"
DEVANAGARI = (
    "अ आ इ ई उ ऊ ऋ ए ऐ ओ औ क ख ग घ ङ च छ ज झ ञ ट ठ ड ढ ण त थ द ध न प फ ब भ म य र ल ळ व"
    " श ष स ह"
)
# Each in its order; in brackets what stands there in words from elsewhere. Accented
# letters that a language does not count as letters stand with the plain ones.
ALPHABETS = {
    **dict.fromkeys(["af", "ca", "de", "en", "fr", "ga", "id", "it"], LATIN),
    **dict.fromkeys(["lb", "ms", "nl", "pt", "sw"], LATIN),
    **dict.fromkeys(["ast", "es", "eu", "fil", "gl"], SPANISH),
    **dict.fromkeys(["da", "nb", "nn", "no"], DANISH),
    **dict.fromkeys(["fi", "sv"], SWEDISH),
    **dict.fromkeys(["bs", "hr", "sh", "sr-latn"], CROATIAN),
    "az": "A B C Ç D E Ə F G Ğ H X I İ J K Q L M N O Ö P R S Ş T U Ü V (W) Y Z",
    "cs": "A B C Č D E F G H CH I J K L M N O P Q R Ř S Š T U V W X Y Z Ž",
    "cy": "A B C CH D DD E F FF G NG H I J (K) L LL M N O P PH (Q) R RH S T TH U (V) W"
    " (X) Y (Z)",
    "eo": "A B C Ĉ D E F G Ĝ H Ĥ I J Ĵ K L M N O P (Q) R S Ŝ T U Ŭ V (W X Y) Z",
    "et": "A B (C) D E F G H I J K L M N O P (Q) R S Š Z Ž T U V (W) Õ Ä Ö Ü (X Y)",
    "hu": "A B C CS D DZ DZS E F G GY H I J K L LY M N NY O Ö P Q R S SZ T TY U Ü V W X"
    " Y Z ZS",
    "is": "A Á B (C) D Ð E É F G H I Í J K L M N O Ó P (Q) R S T U Ú V (W) X Y Ý (Z) Þ"
    " Æ Ö",
    "lt": "A B C Č D E F G H I Y J K L M N O P (Q) R S Š T U V (W X) Z Ž",
    "lv": "A B C Č D E F G Ģ H I (Y) J K Ķ L Ļ M N Ņ O P (Q) R S Š T U V (W X) Z Ž",
    "pl": "A Ą B C Ć D E Ę F G H I J K L Ł M N Ń O Ó P (Q) R S Ś T U (V) W (X) Y Z Ź Ż",
    "ro": "A Ă Â B C D E F G H I Î J K L M N O P Q R S Ș T Ț U V W X Y Z",
    "sk": "A Ä B C Č D E F G H CH I J K L M N O Ô P Q R S Š T U V W X Y Z Ž",
    "sl": "A B C Č (Ć) D (Đ) E F G H I J K L M N O P (Q) R S Š T U V (W X Y) Z Ž",
    "sq": "A B C Ç D DH E Ë F G GJ H I J K L LL M N NJ O P Q R RR S SH T TH U V (W) X"
    " XH Y Z ZH",
    "tr": "A B C Ç D E F G Ğ H I İ J K L M N O Ö P (Q) R S Ş T U Ü V (W X) Y Z",
    "vi": "A Ă Â B C D Đ E Ê (F) G H I (J) K L M N O Ô Ơ P Q R S T U Ư V (W) X Y (Z)",
    "el": "Α Β Γ Δ Ε Ζ Η Θ Ι Κ Λ Μ Ν Ξ Ο Π Ρ Σ Τ Υ Φ Χ Ψ Ω",
    "be": "А Б В Г Д Е Ё Ж З (И) І Й К Л М Н О П Р С Т У Ў Ф Х Ц Ч Ш (Щ Ъ) Ы Ь Э Ю Я",
    "bg": "А Б В Г Д Е Ж З И Й К Л М Н О П Р С Т У Ф Х Ц Ч Ш Щ Ъ (Ы) Ь (Э) Ю Я",
    "mk": "А Б В Г Д Ѓ Е Ж З Ѕ И Ј К Л Љ М Н Њ О П Р С Т Ќ У Ф Х Ц Ч Џ Ш",
    "ru": "А Б В Г Д Е Ж З И Й К Л М Н О П Р С Т У Ф Х Ц Ч Ш Щ Ъ Ы Ь Э Ю Я",
    "sr": "А Б В Г Д Ђ Е Ж З И Ј К Л Љ М Н Њ О П Р С Т Ћ У Ф Х Ц Ч Џ Ш",
    "uk": "А Б В Г Ґ Д Е Є Ж З И І Ї Й К Л М Н О П Р С Т У Ф Х Ц Ч Ш Щ (Ъ Ы) Ь (Э) Ю Я",
    "hy": " ".join(map(chr, range(0x0531, 0x0557))),
    "ka": " ".join(map(chr, range(0x10D0, 0x10F1))),
    "he": "א ב ג ד ה ו ז ח ט י כ ל מ נ ס ע פ צ ק ר ש ת",
    "ar": ARABIC,
    "fa": "ا ب پ ت ث ج چ ح خ د ذ ر ز ژ س ش ص ض ط ظ ع غ ف ق ک گ ل م ن و ه ی",
    "ur": "ا ب پ ت ٹ ث ج چ ح خ د ڈ ذ ر ڑ ز ژ س ش ص ض ط ظ ع غ ف ق ک گ ل م ن و ہ ھ ء ی ے",
    **dict.fromkeys(["hi", "mr", "ne"], DEVANAGARI),
    "th": " ".join(map(chr, [*range(0x0E01, 0x0E24), 0x0E25, *range(0x0E27, 0x0E2F)])),
    "ko": "ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅅ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ",
    "ja": "あ か さ た な は ま や ら わ",
    "zh": LATIN.replace("I", "(I)").replace("U V", "(U V)"),
}
# Letters that stand with another one of the language, as an accented one would.
SAME = {
    **{language: {"ä": "æ", "ö": "ø"} for language in ("da", "nb", "nn", "no")},
    **{language: {"æ": "ä", "ø": "ö"} for language in ("fi", "sv")},
    "hu": {"ő": "ö", "ű": "ü"},
    "ro": {"ş": "ș", "ţ": "ț"},
    "he": dict(zip("ךםןףץ", "כמנפצ", strict=True)),
    "ar": dict(zip("کیىةء", "كييها", strict=True)),
    "ur": {"ه": "ہ"},
}
# In Turkish and Azerbaijani the small I has no dot.
DOTLESS = {"tr", "az"}
# Languages whose names in Chinese characters are not sorted by their sound in Mandarin.
NOT_MANDARIN = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")

# --- Scripts whose signs are not letters

# The consonants that Hangul syllables begin with; a doubled one stands with the single.
INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"
# The first kana of each row.
ROWS = "あかさたなはまやらわ"
SMALL_KANA = dict(zip("ぁぃぅぇぉっゃゅょゎ", "あいうえおつやゆよわ", strict=True))
# GB 2312 has the 3,755 commonest characters in the order of their sound. These are the
# first ones of each initial letter.
PINYIN = dict(
    zip(
        "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝",
        "abcdefghjklmnopqrstwxyz",
        strict=True,
    )
)
_PINYIN_STARTS = [char.encode("gb2312") for char in PINYIN]
_PINYIN_LETTERS = list(PINYIN.values())
_PINYIN_END = "座".encode("gb2312")
# Vowels that are written before the consonant after which they are spoken and sorted.
WRITTEN_BEFORE = {*"เแโใไເແໂໃໄ"}

# --- Weights, by their first byte; 0 ends a level

SPACE = b"\x02"
SIGN = b"\x03"
NUMBER = b"\x04"
OWN = 0x10
FOREIGN_LATIN = 0xE0
FOREIGN = b"\xfb"
SYLLABLE = b"\xfc"
PLAIN_LETTER = b"\x05"
SMALL = b"\x05"
CAPITAL = b"\x06"


class Unit(NamedTuple):
    """A letter of a name, or what stands in its place."""

    weight: bytes
    letter: str
    """Under which a name stands that begins with it; empty for a space."""
    marks: str = ""
    is_capital: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Alphabet:
    letters: tuple[str, ...]
    """Those of the language itself, in order."""
    dotless: bool
    mandarin: bool
    same: Mapping[str, str]
    ranks: dict[str, int] = field(default_factory=dict)
    """Where each letter stands, by its small form; those from elsewhere as well."""
    capitals: dict[str, str] = field(default_factory=dict)
    longest: int = 1

    def small(self, char: str) -> str:
        if self.dotless and char in "Iİ":
            return "ı" if char == "I" else "i"
        return char.casefold()


def letter_of(name: str, language: str) -> str:
    """The letter of this language that a name stands under: at most 8 characters,
    without an accent that makes no letter of its own; ``#`` for numbers, signs, and
    Chinese characters whose sound is not known.

    Hangul stands under its consonant and kana under its row, as in dictionaries.
    """
    for unit in _units(name, _alphabet(language)):
        if unit.letter:
            return unit.letter[:MAX_LETTER]
    return OTHER


def letters(language: str) -> tuple[str, ...]:
    """The alphabet of a language such as ``pt-br``, in order; empty if it is not known.

    Names can also stand under other letters, from elsewhere; ``sort_key`` tells where
    these belong.
    """
    return _alphabet(language).letters


def sort_key(name: str, language: str) -> bytes:
    """What names are sorted by, byte by byte: at most 255 bytes."""
    weights, marks, cases = bytearray(), bytearray(), bytearray()
    for unit in _units(name, _alphabet(language)):
        weights += unit.weight
        if len(weights) >= MAX_KEY:  # all that follows would be cut off
            return bytes(weights[:MAX_KEY])
        marks += PLAIN_LETTER + unit.marks.encode(errors="surrogatepass")
        cases += CAPITAL if unit.is_capital else SMALL
    rest = unicodedata.normalize("NFC", name).encode(errors="surrogatepass")
    levels = (
        bytes(weights).rstrip(SPACE),
        bytes(marks).rstrip(PLAIN_LETTER),
        bytes(cases).rstrip(SMALL),
        rest,
    )
    return b"\0".join(levels)[:MAX_KEY]


@lru_cache(maxsize=256)
def _alphabet(language: str) -> Alphabet:
    tag = language.lower().replace("_", "-")
    known = "" if tag.startswith(NOT_MANDARIN) else tag
    while known and known not in ALPHABETS:
        known = known.rpartition("-")[0]
    places = ALPHABETS.get(known, LATIN)
    own, is_own = [], True
    ranks, capitals = {}, {}
    for rank, place in enumerate(places.split()):
        is_own &= not place.startswith("(")
        capital = place.strip("()")
        if is_own:
            own.append(capital)
        is_own |= place.endswith(")")
        small = {"I": "ı", "İ": "i"}.get(capital) if known in DOTLESS else None
        small = small or capital.casefold()
        ranks[small] = rank
        capitals[small] = capital
    return Alphabet(
        letters=tuple(own) if known else (),
        dotless=known in DOTLESS,
        mandarin=known == "zh",
        same=SAME.get(known, {}),
        ranks=ranks,
        capitals=capitals,
        longest=max(map(len, ranks)),
    )


# --- From a name to its units


class Piece(NamedTuple):
    """A character in its small form, what modifies it, and whether it was a capital."""

    char: str
    marks: str
    is_capital: bool


def _units(name: str, alphabet: Alphabet) -> Iterator[Unit]:
    """The name in units of its alphabet; a space only stands between two others."""
    pieces = _in_spoken_order(_pieces(name, alphabet))
    at, is_begun, space = 0, False, None
    while at < len(pieces):
        unit, length = _unit(pieces, at, alphabet)
        at += length
        if unit is None or not unit.letter:
            space = unit or space
            continue
        if space and is_begun:
            yield space
        is_begun, space = True, None
        yield unit


def _pieces(name: str, alphabet: Alphabet) -> list[Piece]:
    found: list[Piece] = []
    for char in unicodedata.normalize("NFKC", name):
        pieces = _decomposed(char, alphabet)
        if pieces[0].char:
            found += pieces
        elif found:
            marks = found[-1].marks + pieces[0].marks
            found[-1] = _with_own_accent(found[-1]._replace(marks=marks), alphabet)
    return found


@lru_cache(maxsize=4096)
def _decomposed(char: str, alphabet: Alphabet) -> list[Piece]:
    """What one character stands for; for a mark, a piece without a character."""
    whole = "가" <= char <= "힣" or (alphabet.dotless and char == "İ")
    decomposed = char if whole else unicodedata.normalize("NFD", char)
    base, marks = decomposed[0], decomposed[1:]
    if is_accent(base) or unicodedata.category(base) == "Lm":
        return [Piece("", base + marks, False)]
    small = alphabet.small(base)
    return [
        _with_own_accent(piece._replace(is_capital=small != base), alphabet)
        for piece in _resolve(small, marks, alphabet)
    ]


def _resolve(small: str, marks: str, alphabet: Alphabet) -> list[Piece]:
    """One character, as one or more that the alphabet knows, if that can be."""
    if small in alphabet.ranks:
        return [Piece(small, marks, False)]
    if small in alphabet.same:
        return [Piece(alphabet.same[small], small + marks, False)]
    if small in SMALL_KANA:
        return [Piece(SMALL_KANA[small], small + marks, False)]
    if small in PLAIN or len(small) > 1:
        plain = PLAIN.get(small, small)
        others = [Piece(other, "", False) for other in plain[1:]]
        return [Piece(plain[0], small + marks, False), *others]
    return [Piece(small, marks, False)]


def _with_own_accent(piece: Piece, alphabet: Alphabet) -> Piece:
    """With an accent, some letters are others."""
    for mark in piece.marks:
        composed = unicodedata.normalize("NFC", piece.char + mark)
        composed = alphabet.same.get(composed, composed)
        if composed in alphabet.ranks and len(composed) == 1:
            return piece._replace(char=composed, marks=piece.marks.replace(mark, "", 1))
    return piece


def _in_spoken_order(pieces: list[Piece]) -> list[Piece]:
    for at, piece in enumerate(pieces[:-1]):
        if piece.char in WRITTEN_BEFORE and pieces[at] is piece:
            pieces[at], pieces[at + 1] = pieces[at + 1], piece
    return pieces


def _unit(pieces: list[Piece], at: int, alphabet: Alphabet) -> tuple[Unit | None, int]:
    """The unit that begins at a place, and of how many pieces it is."""
    for length in range(alphabet.longest, 1, -1):
        part = pieces[at : at + length]
        text = "".join(piece.char for piece in part)
        if len(part) == length and text in alphabet.ranks:
            marks = "".join(piece.marks for piece in part)
            return _own(text, marks, part[0].is_capital, alphabet), length
    if pieces[at].char.isdecimal():
        return _number(pieces, at)
    return _single(pieces[at], alphabet), 1


def _own(text: str, marks: str, is_capital: bool, alphabet: Alphabet) -> Unit:
    weight = bytes([OWN + alphabet.ranks[text]])
    return Unit(weight, alphabet.capitals[text], marks, is_capital)


def _number(pieces: list[Piece], at: int) -> tuple[Unit, int]:
    """A number stands by its value: 9 before 10."""
    end = at
    while end < len(pieces) and pieces[end].char.isdecimal():
        end += 1
    digits = "".join(str(unicodedata.decimal(piece.char)) for piece in pieces[at:end])
    value = digits.lstrip("0")
    size = bytes([min(len(value) + 1, 0xFF)])
    return Unit(NUMBER + size + value.encode(), OTHER), end - at


@lru_cache(maxsize=4096)
def _single(piece: Piece, alphabet: Alphabet) -> Unit | None:
    """A letter, a sign or a space; None for what decides nothing."""
    char, marks, is_capital = piece
    category = unicodedata.category(char)
    if category[0] in "LM":
        if reading := _reading(char, alphabet):
            return _syllable(piece, reading, alphabet)
        if char in alphabet.ranks:
            return _own(*piece, alphabet)
        if "a" <= char <= "z":
            weight = bytes([FOREIGN_LATIN + ord(char) - ord("a")])
            return Unit(weight, char.upper(), marks, is_capital)
        is_chinese = unicodedata.name(char, "").startswith("CJK ")
        # title(): capitals of Georgian never begin a word.
        letter = OTHER if is_chinese else char.title()
        return Unit(FOREIGN + _code(char), letter, marks, is_capital)
    if category in ("Pd", "Pc") or category[0] == "Z" or char in "/\\":
        return Unit(SPACE, "")
    if (category[0] in "SN" and category != "Sk") or char in "#%&*@":
        return Unit(SIGN + _code(char), OTHER, marks)
    return None


def _syllable(piece: Piece, reading: str, alphabet: Alphabet) -> Unit:
    """A sign that stands for more than a letter: behind all that begins with its
    letter and goes on with another."""
    char, marks, _is_capital = piece
    rank = alphabet.ranks.get(reading.casefold())
    place = b"" if rank is None else bytes([OWN + rank])
    code = char.encode("gb2312") if reading in LATIN else _code(_hiragana(char))
    return Unit(place + SYLLABLE + code, reading, char + marks)


def _reading(char: str, alphabet: Alphabet) -> str:
    """The letter that a syllable stands under, if the script or the language says."""
    if "가" <= char <= "힣":
        return INITIALS[(ord(char) - ord("가")) // 588]
    if "\u1100" <= char <= "\u1112":
        return INITIALS[ord(char) - 0x1100]
    kana = _hiragana(char)
    if "あ" <= kana <= "ん":
        return ROWS[bisect_right(ROWS, kana) - 1]
    if alphabet.mandarin and "一" <= char <= "龥":
        code = char.encode("gb2312", errors="ignore")
        if _PINYIN_STARTS[0] <= code <= _PINYIN_END:
            return _PINYIN_LETTERS[bisect_right(_PINYIN_STARTS, code) - 1].upper()
    return ""


def _hiragana(char: str) -> str:
    return chr(ord(char) - 0x60) if "ァ" <= char <= "ヶ" else char


def _code(char: str) -> bytes:
    return ord(char).to_bytes(3)
