"""What channels carry of a notice: one effect, a key that stays the same, and its short form within a length.

    key      sha256(ORIGIN 0x00 TARGET 0x00 NOTICE-KEY) in hex: Idempotency-Key, webhook-id, the left of a Message-ID
    length   as microblogs count: a link is 23 whatever its length, and so is a word that may be made one (`setup.py`);
             X counts a character outside the ranges of `_LIGHT` as two

Source of the counts: X's twitter-text, configuration version 3; Mastodon's API, `characters_reserved_per_url`.
"""

import re
from collections.abc import Iterable
from hashlib import sha256

from tagtrail.formats.notice import notice_blob
from tagtrail.model.facts import Effect, Logged, Skip
from tagtrail.model.notice import Notice

__all__ = ["LINK", "length", "notice_effects", "same_words", "shortened", "told_key"]

LINK = 23
"""Characters that a link counts."""
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_LINKED = re.compile(r"https?://\S+|\S*[^\s.]\.[A-Za-z]{2,}\S*")


def notice_effects(target: str, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
    """The one effect of a target that tells people; with nothing to tell, that it is left out."""
    if notice is None:
        because = "it tells people and holds no files: name it under announce, not publish"
        return (Skip(target=target, what=f"entry {logged.entry.index}", because=because),)
    entry = logged.entry.index
    key = f"{entry}/notice:{notice.key}"
    return (Effect(target=target, key=key, entry=entry, path=notice.subject, blob=notice_blob(notice)),)


def told_key(target: str, notice: Notice, about: str = "") -> str:
    """64 hex digits that are this notice's at this target for ever; `about` makes another of the same parts."""
    parts = [notice.origin, target, about or notice.key]
    return sha256("\0".join(["thread", *parts] if about else parts).encode()).hexdigest()


def length(text: str, *, weighed: bool = False) -> int:
    """The length as a microblog counts it; `weighed`: as X does."""
    rest, links = _LINKED.subn("", text)
    return links * LINK + (sum(map(_weight, rest)) if weighed else len(rest))


def shortened(notice: Notice, limit: int, *, weighed: bool = False) -> str:
    """The short form in at most `limit`: words go from the end, the address stays. Empty where not even that fits."""
    text = notice.short
    if length(text, weighed=weighed) <= limit:
        return text
    url = notice.url if notice.url in text else ""
    words = text.replace(url, " ").split() if url else text.split()
    while len(words) > 1:
        words.pop()
        shorter = " ".join([*words, "\u2026", *filter(None, [url])])
        if length(shorter, weighed=weighed) <= limit:
            return shorter
    return url if length(url, weighed=weighed) <= limit else ""


def same_words(there: str, links: Iterable[str], wanted: str, notice: Notice) -> bool:
    """Whether what is `there` says what is `wanted`, links apart, which services rewrite; and links to our page."""
    return _plain(there) == _plain(wanted) and (not notice.url or notice.url in links)


def _plain(text: str) -> list[str]:
    return [word for word in text.split() if "." not in word and not word.startswith("http")]


def _weight(character: str) -> int:
    return 1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2
