"""Read a corpus of articles with their labels; refuse it with every problem of every file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mahdar.documents.document import BadInput, Document, read_documents
from mahdar.errors import BadInputError, UsageError
from mahdar.schemas import labels as label_files
from mahdar.schemas.labels import LabelError, Labels


@dataclass(frozen=True, slots=True)
class Case:
    """An article and its labels."""

    document: Document
    labels: Labels


def read_corpus(articles: Path, labels: Path, *, partly: bool = False) -> tuple[Case, ...]:
    """Read every labelled article, sorted by id.

    Args:
        articles: a folder of texts.
        labels: a folder of label files.
        partly: skip articles without labels instead of refusing them.

    Raises:
        UsageError: a file is invalid, labels have no article, or an article no labels; one line for each problem.
    """
    texts = read_articles(articles)
    gold, problems = _read_labels(labels)
    problems += _problems(texts, gold, articles, labels)
    if not partly:  # to skip an article without labels would silently shrink the corpus
        problems += [
            f"{articles}: article {id_!r} has no labels in {labels}: label it (mahdar seeds new), or move it away"
            for id_ in sorted(texts)
            if not (labels / f"{id_}.json").exists()
        ]
    if problems:
        raise UsageError("\n".join(problems))
    documents = {id_: replace(texts[id_], published_at=gold[id_].published_at) for id_ in sorted(gold)}
    return tuple(Case(document, gold[id_]) for id_, document in documents.items())


def read_articles(folder: Path) -> Mapping[str, Document]:
    """Return the articles of a folder by id.

    Raises:
        UsageError: there is no such folder, it has no articles, or one cannot be read.
    """
    try:
        found = list(read_documents([folder]))
    except BadInputError as error:
        raise UsageError(f"articles: {error}") from None
    unread = [document.reason for document in found if isinstance(document, BadInput)]
    if unread:
        raise UsageError("\n".join(unread))
    return {document.id: document for document in found if isinstance(document, Document)}


def read_labels(folder: Path) -> Mapping[str, Labels]:
    """Return the labels of a folder by the stem of their files.

    Raises:
        UsageError: there is no such folder, it has no labels, or a file is no label file.
    """
    found, problems = _read_labels(folder)
    problems += [
        f"{folder / stem}.json: $.document_id: {one.document_id!r} is not the file's name {stem!r}: rename one of them"
        for stem, one in found.items()
        if one.document_id != stem
    ]
    if problems:
        raise UsageError("\n".join(problems))
    return found


def _read_labels(folder: Path) -> tuple[dict[str, Labels], list[str]]:
    """Return the valid label files by stem, and the problems of the others."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise UsageError(f"{folder}: no label files; name a folder of ARTICLE.json with --labels")
    found: dict[str, Labels] = {}
    problems: list[str] = []
    for file in files:
        try:
            found[file.stem] = label_files.read(file)
        except LabelError as error:
            problems.append(str(error))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{file}: cannot be read: {error}")
    return found, problems


def _problems(texts: Mapping[str, Document], gold: Mapping[str, Labels], articles: Path, labels: Path) -> Iterator[str]:
    """Yield the problems of labels, each with its file and the path in it."""
    for stem, one in gold.items():
        file = labels / f"{stem}.json"
        if stem not in texts:
            yield f"{file}: no article {stem}.txt in {articles}: add it, or remove the labels"
        else:
            yield from (f"{file}: {problem}" for problem in label_files.check(one, texts[stem].text, stem))
