"""The articles for linking, and what is one and what is two in them: enough of it, sound, and split in halves."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

FOLDER: Final = Path(__file__).parents[1] / "evals" / "linking" / "articles"
ARTICLES: Final = {
    article["id"]: article
    for article in map(json.loads, (FOLDER / "articles.jsonl").read_text(encoding="utf-8").splitlines())
}
ACTORS: Final[dict[str, list[dict[str, Any]]]] = json.loads((FOLDER / "actors.json").read_text(encoding="utf-8"))
EVENTS: Final[dict[str, list[dict[str, Any]]]] = json.loads((FOLDER / "events.json").read_text(encoding="utf-8"))
README: Final = (FOLDER / "README.md").read_text(encoding="utf-8")

Mention = tuple[str, str]


def actor_of() -> dict[Mention, dict[str, Any]]:
    return {(one["document_id"], one["name"]): actor for actor in ACTORS["actors"] for one in actor["mentions"]}


def ends(pair: dict[str, Any]) -> tuple[Mention, Mention]:
    one, other = ((pair[end]["document_id"], pair[end]["name"]) for end in ("a", "b"))
    return one, other


def forms() -> Iterator[Mention]:
    """Every form of an actor that the gold says to stand in an article."""
    for actor in ACTORS["actors"]:
        for one in actor["mentions"]:
            yield from ((one["document_id"], form) for form in (one["name"], *one.get("forms", ())))
    for event in EVENTS["events"]:
        for one in event["meetings"]:
            yield from ((one["document_id"], name) for name in one["principals"])


def test_every_form_of_a_name_stands_in_its_article() -> None:
    assert [(id_, form) for id_, form in forms() if form not in ARTICLES[id_]["text"]] == []


def test_a_mention_is_of_one_actor() -> None:
    assert len(actor_of()) == sum(len(actor["mentions"]) for actor in ACTORS["actors"])


def test_every_principal_is_a_mention() -> None:
    known = actor_of()
    told = [
        (one["document_id"], name)
        for each in EVENTS["events"]
        for one in each["meetings"]
        for name in one["principals"]
    ]
    assert [mention for mention in told if mention not in known] == []


def test_the_pairs_are_those_of_the_actors() -> None:
    known = actor_of()
    wrong = [
        pair
        for pair in ACTORS["pairs"]
        for one, other in [ends(pair)]
        if (known[one] is known[other]) != pair["same"]
        or {known[one]["split"], known[other]["split"]} != {pair["split"]}
    ]
    assert wrong == []


def test_no_pair_is_counted_twice() -> None:
    found = Counter(frozenset(ends(pair)) for pair in ACTORS["pairs"])
    assert [pair for pair, count in found.items() if count > 1] == []


def test_there_are_sixty_pairs_that_must_be_one_and_sixty_that_must_stay_two() -> None:
    found = Counter(pair["same"] for pair in ACTORS["pairs"])
    assert min(found[True], found[False]) >= 60


def test_fifteen_encounters_are_told_two_to_four_times() -> None:
    told = [len({one["document_id"] for one in event["meetings"]}) for event in EVENTS["events"]]
    assert told == [len(event["meetings"]) for event in EVENTS["events"]]
    assert sum(2 <= count <= 4 for count in told) >= 15
    assert max(told) <= 4


def test_twenty_look_alikes_are_two_events() -> None:
    known = {event["id"] for event in EVENTS["events"]}
    pairs = [frozenset(one["events"]) for one in EVENTS["look_alikes"]]
    assert {len(pair) for pair in pairs} == {2}
    assert set().union(*pairs) <= known
    assert len(set(pairs)) == len(pairs) >= 20


def test_what_must_be_told_apart_is_in_one_half() -> None:
    half = {event["id"]: event["split"] for event in EVENTS["events"]}
    together = [one["events"] for one in EVENTS["look_alikes"]]
    for id_ in ARTICLES:
        inside = [event["id"] for event in EVENTS["events"] for one in event["meetings"] if one["document_id"] == id_]
        together += itertools.pairwise(inside)
    assert [pair for pair in together if len({half[one] for one in pair}) > 1] == []
    assert all(half[one["events"][0]] == one["split"] for one in EVENTS["look_alikes"])


@pytest.mark.parametrize(
    "marked", [*ACTORS.values(), *EVENTS.values()], ids=["actors", "pairs", "events", "look-alikes"]
)
def test_the_halves_are_about_equal(marked: list[dict[str, Any]]) -> None:
    shares = Counter(one["split"] for one in marked)
    assert set(shares) == {"tune", "report"}
    assert min(shares.values()) >= 0.4 * len(marked)


def test_the_articles_are_short_and_dated() -> None:
    assert [id_ for id_, one in ARTICLES.items() if not 50 <= len(one["text"].split()) <= 95] == []
    assert all(set(one) == {"id", "published_at", "outlet", "text"} for one in ARTICLES.values())


def test_the_readme_counts_what_there_is() -> None:
    cases = Counter((pair["same"], pair["case"]) for pair in ACTORS["pairs"])
    look = Counter(one["case"] for one in EVENTS["look_alikes"])
    stated = [f"| `{case}` | {count} |" for (_, case), count in cases.items()]
    stated += [f"| `{case}` | {count} |" for case, count in look.items()]
    mentions = sum(len(actor["mentions"]) for actor in ACTORS["actors"])
    stated += [f"{len(ARTICLES)} short news items", f"{len(ACTORS['actors'])} actors with {mentions} mentions"]
    several = sum(len(event["meetings"]) > 1 for event in EVENTS["events"])
    stated += [f"{len(EVENTS['events'])} events; {several} of them"]
    stated += [f"`{case}`" for event in EVENTS["events"] for case in event["cases"]]
    assert [one for one in stated if one not in README] == []
