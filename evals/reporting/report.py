"""Render the page of a run: what changed since another run, scores with their intervals, and every record."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mahdar.documents.bidi import clean
from mahdar.evals.comparing.compare import TYPES, RecordChange, compare_runs
from mahdar.evals.comparing.tables import signed
from mahdar.evals.reporting.telling import accepted, lines, told
from mahdar.evals.running import runs
from mahdar.evals.running.runs import CaseResult, Run
from mahdar.evals.scorer.uncertainty import ArticleCounts, RecordType, micro_interval
from mahdar.evals.tables import interval as interval_text
from mahdar.evals.tables import number
from mahdar.html import page
from mahdar.html.page import Language, PageSource

SOURCE: Final = PageSource(
    "mahdar.evals.reporting", "evaluation.html.j2", ("page.css", "evaluation.css"), ("page.js", "evaluation.js")
)

View = Mapping[str, Any]
"""Values of one part of the page, as the template names them."""


def of_runs(run: Path, against: Path | None, name: str, language: Language) -> Iterator[tuple[str, str]]:
    """Yield the page of a run file: its file name, and its HTML.

    Args:
        run: the file.
        against: the file of the run that it is compared with, if any.
        name: the page's file name.
        language: of the interface when the page opens.

    Raises:
        UsageError: a file is no run file, or the two cannot be compared.
    """
    yield name, render(runs.read(run), runs.read(against) if against else None, title=run.name, language=language)


def render(run: Run, before: Run | None = None, *, title: str, language: Language = "en") -> str:
    """Return the HTML of a run, which starts with what changed since `before` if that is given."""
    compared = compare_runs(before, run) if before else None
    summary = run.summary
    interval = summary.meetings.micro_interval
    apart = summary.stances_not_affirming
    return page.render(
        SOURCE,
        language=language,
        title=title,
        asked=_asked(run),
        before=_asked(before) if before else None,
        compared=compared,
        changes=sorted(map(_change, compared.changes), key=lambda view: view["difference"]) if compared else [],
        moves=sorted(compared.moves, key=lambda move: move.difference) if compared else [],
        most=max((abs(move.difference) for move in compared.moves), default=1.0) if compared else 1.0,
        headlines=[
            *(
                {
                    "name": f"total.{name}",
                    "rates": found.micro,
                    "interval": found.micro_interval,
                    "counts": found.counts,
                }
                for name, found in (("meetings", summary.meetings), ("stances", summary.stances))
            ),
            {"name": "eval.not_affirming", "rates": apart.micro, "interval": None, "counts": apart.counts},
        ],
        interval={"method": interval.method, "articles": interval.articles, "level": f"{interval.level:.0%}"},
        fields={records: list(_fields(run, records)) for records in TYPES},
        repeats=len(run.repeats),
        articles=[_article(result) for result in run.outcomes],
        scoring=f"scoring {run.scoring_version} sha256:{run.scoring_sha256[:12]}",
        number=lambda value: page.numeral(number(value)),
        signed=lambda value: page.numeral(signed(value)),
        plain=number,
        plain_signed=signed,
        span=lambda found: page.numeral(interval_text(found) if found else "–"),
    )


def _asked(run: Run) -> tuple[str, ...]:
    said = (run.asked.said,) if run.asked.said else ()
    return tuple(map(clean, (run.heading, *said, *(f"{task}: {ref}" for task, ref in run.asked.prompts.items()))))


def _fields(run: Run, records: RecordType) -> Iterator[View]:
    """Yield each field over all articles. Its F1 is resampled as the headline is: twice the right over all stated."""
    for name, score in getattr(run.summary, records).fields.items():
        rows = []
        for result in run.outcomes:
            found = getattr(result.score, records).fields[name]
            counts = found.counts
            stated = counts.correct + counts.incorrect
            predicted, gold = stated + counts.spurious, stated + counts.missing
            rows.append(ArticleCounts(result.document_id, counts.correct, predicted, gold, found.rates.f1))
        yield {"name": name, "score": score, "interval": micro_interval(rows)}


def _article(result: CaseResult) -> View:
    types = [_type(result, records) for records in TYPES]
    return {
        "id": result.document_id,
        "failed": result.failed,
        "types": types,
        "is_right": not result.failed and all(view["is_right"] for view in types),
    }


def _type(result: CaseResult, records: RecordType) -> View:
    score = getattr(result.score, records)
    gold = {record.id: record for record in getattr(result.labels, records)}
    found = {record.id: record for record in getattr(result.extraction, records)} if result.extraction else {}
    pairs = [
        {
            "gold": pair.gold,
            "predicted": pair.predicted,
            "quality": pair.quality,
            "is_right": all(judged.outcome == "correct" for judged in pair.fields.values()),
            "fields": [
                {
                    "field": name,
                    "gold": lines(name, gold[pair.gold]),
                    "predicted": lines(name, found[pair.predicted]),
                    "accepted": accepted(name, gold[pair.gold]),
                    "outcome": judged.outcome,
                    "score": judged.score,
                }
                for name, judged in pair.fields.items()
            ],
            "note": gold[pair.gold].note,
            "quotes": (_quotes(gold[pair.gold]), _quotes(found[pair.predicted])),
        }
        for pair in score.pairs
    ]
    remarks = {"eval.duplicate": score.duplicates, "eval.noise": score.only_in_noise}
    return {
        "name": records,
        "soft_f1": score.rates.soft.f1,
        "pairs": pairs,
        "missed": [_alone(gold[id_]) for id_ in score.missed],
        "made_up": [
            _alone(found[id_], *(remark for remark, ids in remarks.items() if id_ in ids)) for id_ in score.spurious
        ],
        "is_right": not (score.missed or score.spurious) and all(pair["is_right"] for pair in pairs),
    }


def _alone(record: Any, *remarks: str) -> View:
    return {"id": record.id, "fields": told(record), "quotes": _quotes(record), "remarks": remarks}


def _quotes(record: Any) -> list[str]:
    return [piece.quote for piece in record.evidence]


def _change(change: RecordChange) -> View:
    """Return a record that two runs have differently; one made up anew is a loss of 1, one no longer made up a gain."""
    gold, before, after = (_alone(record) if record else None for record in (change.gold, change.before, change.after))
    made_up = 1.0 if after is None else -1.0
    return {
        "article": change.article,
        "gold": gold,
        "before": before,
        "after": after,
        "worth": change.worth,
        "fields": change.fields,
        "difference": change.worth[1] - change.worth[0] if gold else made_up,
    }
