"""The articles for linking, and what is one and what is two in them: enough of it, sound, and split in halves."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from mahdar.evals.linking.labels import LinkedArticle, LinkingLabels, Mentioned, located
from mahdar.evals.running.unlabelled import replay
from mahdar.schemas.records import Extraction

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


@pytest.fixture(scope="module")
def extractions() -> dict[str, Extraction]:
    """What the recorded answers become, without the articles whose answer cannot be used."""
    made = replay(FOLDER / "articles.jsonl", FOLDER / "recordings")
    return {id_: one for id_, one in made.items() if isinstance(one, Extraction)}


def unlinked(extraction: Extraction) -> LinkedArticle:
    """An article's records, each name and each meeting as its own id: enough to find what is labelled."""
    parties = [actor for meeting in extraction.meetings for actor in meeting.participants]
    holders = [holder for stance in extraction.stances for holder in stance.holders]
    targets = [stance.target.actor for stance in extraction.stances if stance.target and stance.target.actor]
    actors = [*parties, *holders, *targets]
    return LinkedArticle(
        {actor.name: actor.name for actor in actors},
        {actor.name for actor in actors if actor.type == "country"},
        [{**meeting.model_dump(mode="json"), "event_id": meeting.id} for meeting in extraction.meetings],
    )


def ends(pair: dict[str, Any]) -> tuple[Mention, Mention]:
    one, other = ((pair[end]["document_id"], pair[end]["name"]) for end in ("a", "b"))
    return one, other


def test_every_form_of_a_name_stands_in_its_article() -> None:
    """Of a state or a body one form is enough: it may be named by its adjective, or its capital, only."""
    absent = []
    for actor in ACTORS["actors"]:
        for one in actor["mentions"]:
            forms = {one["name"], *one.get("forms", ())}
            standing = {form for form in forms if form in ARTICLES[one["document_id"]]["text"]}
            if not standing or (actor["type"] == "person" and standing != forms):
                absent.append((one, forms - standing))
    assert absent == []


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


def test_every_article_replays_into_records(extractions: dict[str, Extraction]) -> None:
    assert list(extractions) == list(ARTICLES)


def test_the_readme_says_how_much_of_the_gold_has_records(extractions: dict[str, Extraction]) -> None:
    labels = LinkingLabels.model_validate(ACTORS | EVENTS)
    found = located(labels, {id_: unlinked(extraction) for id_, extraction in extractions.items()})
    rows = []
    for half in ("tune", "report"):
        mentions = [
            Mentioned(one.document_id, one.name)
            for actor in labels.actors
            if actor.split == half
            for one in actor.mentions
        ]
        pairs = [
            [Mentioned(end.document_id, end.name) in found.mentions for end in (pair.a, pair.b)]
            for pair in labels.pairs
            if pair.split == half
        ]
        meetings = [one for event in labels.events if event.split == half for one in event.meetings]
        rows.append(
            [
                *(sum(one in found.mentions for one in mentions), len(mentions)),
                *(sum(map(all, pairs)), len(pairs)),
                *(sum(one in found.meetings for one in meetings), len(meetings)),
            ]
        )
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    names = ("`tune`", "`report`", "both")
    stated = [
        f"| {name} | {a} of {b} | {c} of {d} | {e} of {f} |"
        for name, (a, b, c, d, e, f) in zip(names, rows, strict=True)
    ]
    assert [one for one in stated if one not in README] == []


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
