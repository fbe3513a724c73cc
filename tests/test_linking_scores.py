"""Scores of linking: pairwise and B³, and the gate on the project's own articles, from recorded answers."""

import json
from pathlib import Path
from typing import Final

import pytest

from mahdar.cli.app import main
from mahdar.evals.linking.clusters import ClusterRates, b_cubed, pairwise
from mahdar.evals.linking.replaying import relinked

ROOT: Final = Path(__file__).parents[1]
LABELS: Final = ROOT / "evals" / "linking"


def test_scores_of_clusters() -> None:
    gold = dict(zip("abcdef", "111223", strict=True))
    found = dict(zip("abcdef", "xxyyyz", strict=True))

    assert pairwise(gold, found) == ClusterRates(2 / 4, 2 / 4)
    assert b_cubed(gold, found) == ClusterRates(
        pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6), pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)
    )
    assert pairwise(gold, gold) == b_cubed(gold, gold) == ClusterRates(1, 1)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's articles about linking, from recorded answers to linked records."""
    articles = LABELS / "articles"
    return relinked(articles / "articles.jsonl", articles / "recordings", tmp_path_factory.mktemp("linking"))


def scored(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["eval", "link", *map(str, arguments)])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


@pytest.mark.parametrize("half", ["tune", "report"])
def test_linking_is_worth_what_was_accepted(linked: Path, capsys: pytest.CaptureFixture[str], half: str) -> None:
    labels = [part for name in ("actors", "events") for part in ("--labels", LABELS / "articles" / f"{name}.json")]
    code, out, err = scored(capsys, linked, *labels, "--half", half, "--baseline", LABELS / "baseline.json")

    assert (code, err) == (0, ""), out


def test_linking_of_the_seeds_is_worth_what_was_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = relinked(ROOT / "seeds" / "articles", ROOT / "evals" / "recordings", tmp_path)
    code, out, err = scored(capsys, records, "--labels", LABELS / "seeds.json", "--baseline", LABELS / "baseline.json")

    assert (code, err) == (0, ""), out


def test_worse_linking_is_refused(linked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apart = tmp_path / "apart.jsonl"
    with apart.open("w", encoding="utf-8") as file:
        for number, line in enumerate(linked.read_text(encoding="utf-8").splitlines()):
            found = json.loads(line)
            for one in (*found["meetings"], *found["stances"]):
                targeted = [actor] if (actor := one.get("target", {}).get("actor")) else []
                for actor in (*one.get("participants", ()), *one.get("holders", ()), *targeted):
                    actor["actor_id"] = f"{number}: {actor['name']}"
            file.write(f"{json.dumps(found, ensure_ascii=False)}\n")
    labels = ("--labels", LABELS / "articles" / "actors.json")
    code, _, err = scored(capsys, apart, *labels, "--half", "report", "--baseline", LABELS / "baseline.json")

    assert code == 1
    assert "actors.json, report: actors hard recall: 0.904 → 0.000" in err
