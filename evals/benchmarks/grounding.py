"""Compare grounding with a plain `text.find`: quotes found, misquotes refused, and time.

Run it from anywhere: `python evals/benchmarks/grounding.py`. Times are the best of several runs.
"""

import time
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from mahdar.grounding.ground import Ground

SEEDS = Path(__file__).parents[2] / "seeds" / "articles"
ARTICLE_LENGTH = 3_400
"""Characters: a long news article."""
MEGABYTE = 1_000_000
ABSENT_QUOTES = 200
RUNS = 50

PLAIN = "أكد 12 مسؤولا «أهمية» الاتفاق على إنهاء الأزمة"
VARIANTS = {
    "tashkeel": "أَكَدَ 12 مَسؤولًا «أَهَميةَ» الاتِفاقِ عَلى إِنهاءِ الأَزمةِ",
    "shadda": "أكّد 12 مسؤولا «أهميّة» الاتّفاق على إنهاء الأزمة",
    "hamza": "اكد 12 مسوولا «اهمية» الاتفاق على انهاء الازمة",
    "ى and ي": "أكد 12 مسؤولا «أهمية» الاتفاق علي إنهاء الأزمة",
    "ة and ه": "أكد 12 مسؤولا «أهميه» الاتفاق على إنهاء الأزمه",
    "tatweel": "أكـــد 12 مسؤولا «أهميـة» الاتفاق عـلى إنهاء الأزمـة",
    "digits": "أكد ١٢ مسؤولا «أهمية» الاتفاق على إنهاء الأزمة",
    "quote marks": 'أكد 12 مسؤولا "أهمية" الاتفاق على إنهاء الأزمة',
    "spaces": "أكد  12\u00a0مسؤولا «أهمية»\nالاتفاق على إنهاء الأزمة",
    "lam-alef": "أكد 12 مسؤوﻻ «أهمية» اﻻتفاق على إنهاء اﻷزمة",
    "zero-width and bidi": "أكد \u206712\u2069 مسؤو\u200cلا «أهمية» الاتفاق\u200f على إنهاء الأزمة",
    "NFD": unicodedata.normalize("NFD", PLAIN),
    "alef wasla": "أكد 12 مسؤولا «أهمية» ٱلاتفاق على إنهاء ٱلأزمة",
}

SAID = "أعلن الوزير رفضه للمبادرة وقال إن لقاءات الوفدين لن تتوقف. وافق المجلس على ميزانية قدرها 12,500 مليون"
MISQUOTED = {
    "reversed meaning": "أعلن الوزير قبوله للمبادرة",
    "invented name": "أعلن الوزير حفتر رفضه للمبادرة",
    "paraphrase": "أعلن الوزير أنه يرفض المبادرة",
    "words left out": "أعلن الوزير … للمبادرة",
    "half a word": "وقال إن لقاء",
    "half a number": "وافق المجلس على ميزانية قدرها 12",
    "first letter cut": "افق المجلس على ميزانية",
    "negation cut": "تتوقف. وافق المجلس",
    "too short": "وقال إن",
}

Finder = Callable[[str, str], tuple[int, int] | None]


def grounded(text: str, quote: str) -> tuple[int, int] | None:
    """Find a quote with mahdar's grounding."""
    span = Ground(text).find(quote)
    return (span.start, span.end) if span else None


def plainly(text: str, quote: str) -> tuple[int, int] | None:
    """Find a quote with `str.find`."""
    start = text.find(quote)
    return (start, start + len(quote)) if start >= 0 else None


def variants_found(finder: Finder) -> int:
    """Count the spelling variants, in the quote or in the article, that are found with the right span."""
    pairs = [pair for variant in VARIANTS.values() for pair in ((PLAIN, variant), (variant, PLAIN))]
    return sum(finder(f"في خبر سابق: {said}، بحسب الوكالة", quote) == (13, 13 + len(said)) for said, quote in pairs)


def misquotes_refused(finder: Finder) -> int:
    """Count the misquotes that are refused."""
    return sum(finder(SAID, quote) is None for quote in MISQUOTED.values())


def milliseconds(action: Callable[[], object]) -> float:
    """Return the best time of several runs, in milliseconds."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best * 1_000


def seconds_to_look_up(finder: Callable[[str], object], quotes: Iterable[str]) -> float:
    """Return the time for all quotes, including the setup before the first."""
    start = time.perf_counter()
    for quote in quotes:
        finder(quote)
    return time.perf_counter() - start


def large_texts(article: str) -> dict[str, tuple[str, list[str]]]:
    """Return texts of a megabyte, news and near-matches, each with quotes that are not in it."""
    news = (article * (MEGABYTE // len(article) + 1))[:MEGABYTE]
    words = article.split()
    lengths = range(50, 50 + ABSENT_QUOTES)
    return {
        "news, its words in another order": (news, [" ".join(words[at : at + 8][::-1]) for at in range(ABSENT_QUOTES)]),
        "news, one name more": (news, [" ".join([*words[at : at + 8], "زرقون"]) for at in range(ABSENT_QUOTES)]),
        "ااااا…, another end": ("ا" * MEGABYTE, ["ا" * length + "ب" for length in lengths]),
        "ااا ااا…, another end": ("ااا " * (MEGABYTE // 4) + "ب", ["ااا " * length + "ب ا" for length in lengths]),
        "ااا ااا…, end before": ("ب " + "ااا " * (MEGABYTE // 4), ["ااا " * length + "ب" for length in lengths]),
    }


def show(name: str, ours: object, plain: object) -> None:
    """Print one row."""
    print(f"{name:<58}{ours:>12}{plain:>12}")


def main() -> None:
    """Print all figures side by side."""
    news = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt")))
    article = news[:ARTICLE_LENGTH]
    quote = " ".join(article[ARTICLE_LENGTH // 2 :].split()[1:16])
    respelt = quote.replace("أ", "ا").replace("ة", "ه")
    ground = Ground(article)
    ground.find(quote)

    show("", "grounding", "text.find")
    show(f"spelling variants found, of {2 * len(VARIANTS)}", variants_found(grounded), variants_found(plainly))
    show(f"misquotes refused, of {len(MISQUOTED)}", misquotes_refused(grounded), misquotes_refused(plainly))
    rows: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "first quote of an article": (lambda: Ground(article).find(quote), lambda: article.find(quote)),
        "first quote, respelt (text.find: absent)": (
            lambda: Ground(article).find(respelt),
            lambda: article.find(respelt),
        ),
        "every further quote": (lambda: ground.find(quote), lambda: article.find(quote)),
    }
    for name, (ours, plain) in rows.items():
        show(f"{name}, {ARTICLE_LENGTH:,} characters, ms", f"{milliseconds(ours):.3f}", f"{milliseconds(plain):.3f}")
    for name, (text, quotes) in large_texts(news).items():
        mine, plainest = seconds_to_look_up(Ground(text).find, quotes), seconds_to_look_up(text.find, quotes)
        show(f"{name}: {len(quotes)} quotes, 1 MB, s", f"{mine:.2f}", f"{plainest:.2f}")


if __name__ == "__main__":
    main()
