"""How long a run takes to resume, and how much memory: every line of the results is compared with its checksum.

Run from the project's root: `python evals/benchmarks/resume.py [ARTICLES]`. The results hold the records of one seed
article again and again, under other ids. They are opened in another process, so that its peak memory is theirs.
"""

import datetime as dt
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mahdar import Document, Extractor
from mahdar.runs.results import RunResults

ROOT: Final = Path(__file__).parents[2]
ARTICLES: Final = 20_000
MEGABYTE: Final = 1_000_000
RUN: Final = {"made_by": {"meetings": "mahdar-rules", "stances": "mahdar-rules"}, "prompts": {}, "schemas": {}}


def write(records: Path, articles: int) -> None:
    """Write the results of a run."""
    text = (ROOT / "seeds/articles/000_64624abc260ecb33.txt").read_bytes().decode()
    article = Document("000", text, dt.date(2020, 11, 19))
    with Extractor(model="offline") as extractor:
        extraction = extractor.extract(article)
    with RunResults(records, RUN) as results:
        for number in range(articles):
            results.expect(replace(article, id=str(number)))
            results.write(extraction.model_copy(update={"document_id": str(number)}))


def resume(records: Path) -> None:
    """Open the results, look up every article, and print what that took."""
    started = time.process_time()
    with RunResults(records, RUN) as results:
        opened = time.process_time()
        article = Document("0", "x")
        number = results.progress.done
        for each in range(number):
            results.state(replace(article, id=str(each)))
        looked = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{number:,} articles, {records.stat().st_size / MEGABYTE:,.0f} MB of records")
    print(f"opened in {opened - started:.2f} s of processor time, {memory / MEGABYTE:.0f} MB at most in the process")
    print(f"an article looked up in {(looked - opened) / number * 1e6:.0f} µs")


def main() -> None:
    """Write the results here, and resume the run in another process."""
    if sys.argv[1:2] == ["--resume"]:
        resume(Path(sys.argv[2]))
        return
    with TemporaryDirectory() as folder:
        records = Path(folder, "records.jsonl")
        write(records, int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES)
        subprocess.run([sys.executable, __file__, "--resume", str(records)], check=True)  # noqa: S603  # ours


if __name__ == "__main__":
    main()
