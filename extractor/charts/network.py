"""The network of meetings: actors who met are joined and laid out near each other."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import combinations
from typing import Final

from mahdar.charts import chart
from mahdar.charts.figure import Figure
from mahdar.charts.tally import Key, Tally
from mahdar.charts.wording import Wording

ACTORS: Final = 30
"""Most names in the chart; a note gives the number of the others."""
TIES: Final = 60
"""Most lines in the chart."""
COUNTRIES: Final = 7
"""Countries with a colour of their own; the others share grey."""
WIDTH: Final = 820
HEIGHT: Final = 600
"""Size of the chart in pixels."""
SEED: Final = 7
"""Seed of the layout: the same meetings give the same chart."""
THICKEST: Final = 8.0
MARGIN: Final = 40
LETTER: Final = 6.2
LINE: Final = 40
"""Pixels for a name: the width of a letter, and the distance down to the next circle."""
ROUNDS: Final = 200
TETHER: Final = 0.15
"""Weight of undrawn edges that keep unconnected groups near each other."""
_STROKES: Final = {"symbolType": "stroke", "symbolStrokeColor": "#8a8a8a"}
_AT: Final = {
    axis: {"field": axis, "type": "quantitative", "axis": None, "scale": {"domain": [0, size], "nice": False}}
    for axis, size in (("x", WIDTH), ("y", HEIGHT))
}

Position = tuple[float, float]


def network(counted: Tally, words: Wording) -> Figure:
    """Return who met whom: the more meetings, the thicker the line; colours are countries."""
    kept = _chosen(counted)
    actors = list(dict.fromkeys(key for pair in kept for key in pair))
    among = sum(1 for pair in counted.encounters if set(pair) <= set(actors))
    notes = words.notes(
        other_actors=len(counted.present) - len(actors),
        other_ties=among - len(kept),
        not_met=counted.not_met,
        alone=counted.alone,
    )
    headings = words.columns("one", "one_country", "other", "other_country", "meetings")
    rows = tuple(
        dict(zip(headings, (*_who(counted, words, one), *_who(counted, words, other), number), strict=True))
        for (one, other), number in sorted(kept.items(), key=lambda pair: -pair[1])
    )
    spec = (
        _spec(counted, words, actors, kept) if rows and find_spec("networkx") else {}
    )  # the terminal shows only the table
    return chart.figure("network", words, spec, rows, columns=headings, notes=notes)


def _chosen(counted: Tally) -> dict[tuple[Key, Key], int]:
    """Return the most frequent pairs of actors with their number of meetings."""

    def weight(pair: tuple[Key, Key]) -> tuple[int, int, tuple[Key, Key]]:
        return -counted.encounters[pair], -sum(counted.present[key] for key in pair), pair

    chosen: dict[tuple[Key, Key], int] = {}
    actors: set[Key] = set()
    for pair in sorted(counted.encounters, key=weight):
        if len(chosen) < TIES and len(actors.union(pair)) <= ACTORS:
            chosen[pair] = counted.encounters[pair]
            actors.update(pair)
    return chosen


def _who(counted: Tally, words: Wording, key: Key) -> tuple[str, str]:
    return counted.actors.name(key), words.country(counted.actors.country(key))


def _spec(counted: Tally, words: Wording, actors: Sequence[Key], met: Mapping[tuple[Key, Key], int]) -> chart.Spec:
    labels = dict(zip(actors, chart.labels([counted.actors.name(key) for key in actors]), strict=True))
    places = _layout(actors, met, labels)
    countries = _countries(counted, words, actors)
    nodes = [
        {"x": x, "y": y, "label": labels[key], "country": countries[key], "n": counted.present[key]}
        for key, (x, y) in places.items()
    ]
    edges = [
        {"x": places[one][0], "y": places[one][1], "x2": places[other][0], "y2": places[other][1], "n": number}
        for (one, other), number in met.items()
    ]
    layers = [_lines(edges, words), _circles(nodes, words), _names(nodes, "halo"), _names(nodes, "name")]
    return {"width": WIDTH, "height": HEIGHT, "layer": layers}


def _countries(counted: Tally, words: Wording, actors: Sequence[Key]) -> dict[Key, str]:
    """Return the legend's term for each actor: a frequent country, or the term for the others."""
    codes = {key: counted.actors.country(key) for key in actors}
    frequent = {code for code, _number in Counter(filter(None, codes.values())).most_common(COUNTRIES)}
    other = words.say("term", "other_countries")
    return {key: words.country(code) if code in frequent or code is None else other for key, code in codes.items()}


def _lines(edges: Sequence[Mapping[str, float]], words: Wording) -> chart.Spec:
    most = int(max(edge["n"] for edge in edges))
    scale = {"domain": [1, max(most, 2)], "range": [1.2, min(1.2 + most, THICKEST)]}
    legend = {
        "title": words.say("column", "meetings"),
        "values": sorted({1, (most + 1) // 2, most}),
        "format": "d",
        **_STROKES,
    }
    width = {"field": "n", "type": "quantitative", "scale": scale, "legend": legend if most > 1 else None}
    return {
        "data": {"values": list(edges)},
        "mark": {"type": "rule", "strokeCap": "round"},
        "encoding": {**_AT, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "strokeWidth": width},
    }


def _circles(nodes: Sequence[Mapping[str, object]], words: Wording) -> chart.Spec:
    """Return the layer of circles. The palette is indexed by position; its last two colours are the greys."""
    greys = [words.say("term", "other_countries"), words.country(None)]
    counts = Counter(str(node["country"]) for node in nodes)
    coloured = [term for term, _number in counts.most_common() if term not in greys]
    present = [*coloured, *(term for term in greys if term in counts)]
    unused = [f"\u2060{number}" for number in range(COUNTRIES - len(coloured))]
    return {
        "data": {"values": list(nodes)},
        "mark": {"type": "circle", "opacity": 1, "style": "node"},
        "encoding": {
            **_AT,
            "color": chart.colours("country", [*coloured, *unused, *greys], "country", present, words),
            "size": {"field": "n", "type": "quantitative", "scale": {"range": [90, 520], "zero": True}, "legend": None},
        },
    }


def _names(nodes: Sequence[Mapping[str, object]], style: str) -> chart.Spec:
    return {
        "data": {"values": list(nodes)},
        "mark": {"type": "text", "dy": 20, "style": style},
        "encoding": {**_AT, "text": {"field": "label"}},
    }


def _layout(
    actors: Sequence[Key], met: Mapping[tuple[Key, Key], int], labels: Mapping[Key, str]
) -> dict[Key, Position]:
    """Return positions in pixels: actors who met are close, and names do not overlap."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(actors)
    graph.add_weighted_edges_from((one, other, math.sqrt(number)) for (one, other), number in met.items())
    hubs = [max(sorted(group), key=graph.degree) for group in nx.connected_components(graph)]
    graph.add_weighted_edges_from((hubs[0], hub, TETHER) for hub in hubs[1:])
    found = nx.spring_layout(graph, k=1.6 / math.sqrt(len(actors)), seed=SEED, iterations=300)
    sides = []
    for axis, size in enumerate((WIDTH, HEIGHT)):
        values = [float(place[axis]) for place in found.values()]
        low, reach = min(values), max(values) - min(values) or 1
        sides.append([MARGIN + (value - low) / reach * (size - 2 * MARGIN) for value in values])
    return _apart(dict(zip(found, zip(*sides, strict=True), strict=True)), labels)


def _apart(places: Mapping[Key, Position], labels: Mapping[Key, str]) -> dict[Key, Position]:
    """Move overlapping names apart in small steps."""
    moved = {key: list(place) for key, place in places.items()}
    half = {key: max(18.0, len(labels[key]) * LETTER / 2) for key in places}
    for _round in range(ROUNDS):
        for one, other in combinations(moved, 2):
            across, down = (moved[other][axis] - moved[one][axis] for axis in (0, 1))
            too_near = half[one] + half[other] - abs(across), LINE - abs(down)
            if min(too_near) > 0:
                axis = 0 if too_near[0] < too_near[1] else 1
                step = (too_near[axis] / 2 + 0.5) * (1 if (across, down)[axis] >= 0 else -1)
                moved[one][axis] -= step
                moved[other][axis] += step
        for key, place in moved.items():
            place[0] = min(max(place[0], half[key]), WIDTH - half[key])
            place[1] = min(max(place[1], MARGIN / 2), HEIGHT - MARGIN / 2)
    return {key: (round(x, 1), round(y, 1)) for key, (x, y) in moved.items()}
