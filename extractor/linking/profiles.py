"""Summarize finished clusters as actors: names, offices over time, countries, articles, and why they are one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mahdar.linking.clusters import ActorCluster
from mahdar.linking.duplicates import Originals
from mahdar.linking.mentions import NameMention
from mahdar.resolving.offices import Office


@dataclass(frozen=True, slots=True)
class Profile:
    """An actor over all articles."""

    actor_id: str
    name: str
    type: str
    country: str | None
    """commonest code; None if no mention has one"""
    offices: frozenset[Office]
    cluster: ActorCluster

    @classmethod
    def of(cls, cluster: ActorCluster) -> "Profile":
        """Summarize a finished cluster, which has an id."""
        assert cluster.actor_id is not None
        head = cluster.head
        kind = head.reading.kind
        types = Counter(mention.type for mention in head.mentions)
        type_ = kind if kind in {"country", "role", "person"} else min(types, key=lambda one: (-types[one], one))
        countries = _by_number(mention.reading.country or mention.country for mention in cluster.mentions)
        return cls(cluster.actor_id, head.name, type_, next(iter(countries), None), cluster.known.offices, cluster)

    def as_json(self, originals: Originals) -> dict[str, Any]:
        """Return the actor as an object of `actors.jsonl`; near-duplicates count as one independent article."""
        mentions = list(self.cluster.mentions)
        articles = sorted({mention.article for mention in mentions})
        return {
            "actor_id": self.actor_id,
            "name": self.name,
            "type": self.type,
            "names": [
                {"name": name, "articles": number}
                for name, number in _by_number(mention.name for mention in mentions).items()
            ],
            "countries": list(_by_number(mention.reading.country or mention.country for mention in mentions)),
            "offices": _offices(mentions),
            "articles": articles,
            "n_articles": len(articles),
            "n_independent": len({originals[article] for article in articles}),
            "why": [{"left": join.left, "right": join.right, "reasons": join.reasons} for join in self.cluster.joins],
            "former_ids": sorted(set(self.cluster.former_ids)),
        }


def _offices(mentions: Iterable[NameMention]) -> list[dict[str, Any]]:
    """Return the roles as written, each with the first and last day of an article that gives it, in order of time."""
    days: dict[str, list[Any]] = {}
    articles: dict[str, set[str]] = {}
    for mention in mentions:
        for role in mention.roles:
            articles.setdefault(role, set()).add(mention.article)
            days.setdefault(role, []).extend([mention.day.isoformat()] if mention.day else [])
    told = (
        {
            "role": role,
            "first": min(days[role], default=None),
            "last": max(days[role], default=None),
            "articles": len(articles[role]),
        }
        for role in articles
    )
    return sorted(told, key=lambda one: (one["first"] is None, one["first"] or "", one["role"]))


def _by_number(values: Iterable[str | None]) -> dict[str, int]:
    """Count values, the commonest first; ignore None."""
    counted = Counter(value for value in values if value is not None)
    return {value: counted[value] for value in sorted(counted, key=lambda one: (-counted[one], one))}
