"""Read all articles of a run from files, folders, patterns and URLs, one at a time."""

import datetime as dt
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePath

from mahdar.documents.document import STDIN, BadInput, Document, as_date, read_stream
from mahdar.errors import MahdarError, UsageError
from mahdar.runs.disk_dict import DiskDict
from mahdar.runs.file_ids import FileIds, place_of
from mahdar.runs.locations import COMPRESSED, Location, locations
from mahdar.runs.results import RunResults
from mahdar.runs.rows import Columns, RowFile, check_table


class Articles:
    """The articles of files, folders, patterns and URLs: texts, and the rows of JSONL, CSV and Parquet.

    Iterable more than once (except standard input), in the same order each time. Ids are unique. A file's id is its
    stem, or its path if several files have that stem; in all runs into the same results it keeps the id that it had
    first, whatever other files come and go, and also if it is packed or unpacked. A row's id is the value of its id
    column, else the file's id and the line number. A second article with the same id, text and day is skipped and
    counted; one with the same id and another text or day becomes a `BadInput`.

    Args:
        paths: files, folders, patterns, URLs, "-".
        columns: names of the columns of rows.
        published_at: day of publication of articles that have none of their own.
        language: language of all articles; None to detect it.
        without: files to skip although a pattern or a folder includes them: a run's own output.
        only: absolute names of the files to read, of all that `paths` stand for; by default all. The others still
            count in deciding whether a stem is unique.
        owners: ids that earlier `Articles` of the same paths have found, to which these are added: as long as a file
            exists, no other file has an article with an id of its own.

    Attributes:
        results: the files keep the ids that they have in these results; None if there are none.
        total: number of articles; None if they must be read to be counted.
        repeated: number of articles skipped so far.
        absent: the names in `columns.keep` that no article has; empty until all have been read.

    Raises:
        BadInputError: a path does not exist, a folder has no texts, or `published_at` is no date.
        UsageError: a URL takes a library that is not installed, a path is one of `without`, or a table lacks a column.
    """

    def __init__(
        self,
        paths: Iterable[str | Path],
        columns: Columns | None = None,
        *,
        published_at: str | dt.date | None = None,
        language: str | None = None,
        without: Iterable[Path] = (),
        only: Collection[str] | None = None,
        owners: DiskDict | None = None,
    ) -> None:
        without = list(without)
        self._without = frozenset(os.path.abspath(path) for path in without)  # noqa: PTH100  # as `locations` names them
        self._outputs = frozenset(map(os.path.realpath, without))
        self._paths = list(dict.fromkeys(str(path) for path in paths))
        self._columns = columns or Columns()
        self._day = as_date(published_at)
        self._language = language
        self._only = only
        self._owners = owners
        self._stems = DiskDict()
        self._common: str | None = None
        self.results: RunResults | None = None
        self.repeated = 0
        self.absent: tuple[str, ...] = ()
        self._kept = set[str]()
        self.total: int | None = 0
        for found in self._locations():
            self._count(found)

    def __iter__(self) -> Iterator[Document | BadInput]:
        seen = DiskDict()
        self.repeated = 0
        for article, place, file in self._read():
            version = f"{article.sha256} {article.published_at}" if isinstance(article, Document) else ""
            if isinstance(article, Document):
                self._kept.update(article.kept)
            earlier = seen.add(article.id, version)
            if earlier is None:
                earlier = self._other_owner(article.id, version, file)
            if earlier is None:
                yield article
            elif (earlier == version and isinstance(article, Document)) or seen.add(place, "") is not None:
                self.repeated += 1
            else:  # the id is taken: its place serves as its id
                reason = article.reason if isinstance(article, BadInput) else "give every article an id of its own"
                yield BadInput(
                    place, f"{place} has the id {article.id!r}, as an earlier article with another text: {reason}"
                )
        self.absent = tuple(name for name in self._columns.keep if name not in self._kept)

    def _other_owner(self, article: str, version: str, file: str) -> str | None:
        """Return the text and day that the id has in another file, which still exists; None if it is this file's."""
        if self._owners is None:
            return None
        owned = self._owners.add(article, f"{version}\n{file}")
        if owned is None:
            return None
        earlier, _, owner = owned.partition("\n")
        if owner != file and os.path.lexists(owner):
            return earlier
        self._owners.set(article, f"{version}\n{file}")
        return None

    def _read(self) -> Iterator[tuple[Document | BadInput, str, str]]:
        """Yield every article with its place and the name of its file."""
        for found in self._locations():
            if not self._is_read(found):
                continue
            if isinstance(found, BadInput):
                yield found, found.id, found.id
            elif found.is_article:
                yield self._article(found), found.shown, found.name
            else:
                rows = RowFile(found, self._id(found), self._columns, self._day, self._language, self._kept)
                yield from ((article, place, found.name) for article, place in rows.articles())

    def _article(self, location: Location) -> Document | BadInput:
        article: Document | BadInput
        try:
            article = read_stream(location.stem, location.shown, location.stream, self._day, self._language)
        except MahdarError:
            raise
        except Exception as error:  # noqa: BLE001  # every kind of storage and compression has errors of its own
            article = BadInput(location.stem, f"{location.shown} cannot be read: {location.fault(error)}")
        id_ = self._id(location, article)
        return article if article.id == id_ else replace(article, id=id_)

    def _locations(self) -> Iterator[Location | BadInput]:
        """Yield every file once, although several paths may lead to it."""
        seen = DiskDict()
        for path in self._paths:
            self._refuse_output(path)
            for found in locations(path):
                name = found.name if isinstance(found, Location) else found.id
                if name in self._without:
                    if name == os.path.abspath(path):  # noqa: PTH100  # as above
                        raise UsageError(f"{path!r} is where the results go: name another file with --output")
                    continue
                if len(self._paths) == 1 or seen.add(name, "") is None:
                    yield found

    def _is_read(self, found: Location | BadInput) -> bool:
        return self._only is None or (isinstance(found, Location) and found.name in self._only)

    def _refuse_output(self, path: str) -> None:
        """Refuse an input that is also the output, or a link to it: its results would be read as articles."""
        is_folder = os.path.isdir(path)  # noqa: PTH112  # as above
        if (is_folder or os.path.isfile(path)) and os.path.realpath(path) in self._outputs:  # noqa: PTH113  # as above
            raise UsageError(
                f"{path!r} is where the results go: name another {'folder' if is_folder else 'file'} with --output"
            )

    def _count(self, found: Location | BadInput) -> None:
        """Update which stems occur more than once, the common folder of all files, and the total."""
        if isinstance(found, Location):
            if self._stems.add(found.stem, "once") is not None:
                self._stems.set(found.stem, "often")
            if found.files is None and found.name != STDIN:
                parent = os.path.dirname(found.name)  # noqa: PTH120  # a million times: a Path takes ten times as long
                self._common = os.path.commonpath([self._common or parent, parent])
        rows = isinstance(found, Location) and not found.is_article
        if isinstance(found, Location) and rows and self._is_read(found):
            check_table(found, self._columns)
        self.total = None if rows or self.total is None else self.total + 1

    def _id(self, location: Location, article: Document | BadInput | None = None) -> str:
        """Return the id of a file: the one that it has in the results, or a new one."""
        if self.results is None:
            return location.stem if self._stems.get(location.stem) == "once" else self._paths_of(location)[0]
        files = self.results.files
        id_ = files.get(location.name)
        if id_ is None:
            id_ = self._repacked_id(location, files) or self._new_id(location, article, self.results)
            files.set(location.name, id_)
        return id_

    def _repacked_id(self, location: Location, files: FileIds) -> str | None:
        """Return the id that the file had before it was packed or unpacked; None if it was not."""
        unpacked = location.name.removesuffix(location.compression)
        others = {unpacked, *(unpacked + ending for ending in COMPRESSED)} - {location.name}
        found = ((files.get(name), name) for name in sorted(others))
        return next((id_ for id_, name in found if id_ is not None and not os.path.lexists(name)), None)

    def _new_id(self, location: Location, article: Document | BadInput | None, results: RunResults) -> str:
        """Return the id of a file that the results do not know, or not under this name."""

        def is_free(id_: str) -> bool:
            place = results.files.holder(id_)
            return place is None or self._places.get(f"{place}") is None

        stem = location.stem
        if self._stems.get(stem) == "once":
            return stem
        if isinstance(article, Document) and is_free(stem):
            state = results.state(replace(article, id=stem))
            if state in {"done", "failed"}:
                return stem
        return next(filter(is_free, self._paths_of(location)), location.shown)

    def _paths_of(self, location: Location) -> list[str]:
        """Return the path of a file below the folder that all files have in common, and its longer paths."""
        if location.files is not None or location.name == STDIN:
            return [location.shown]
        parts, above = PurePath(location.shown).parts, len(PurePath(self._common or "/").parts)
        return ["/".join(parts[first:]) for first in range(above, 0, -1)]

    @cached_property
    def _places(self) -> DiskDict:
        """All files, as `place_of` names them; gathered only once a file asks for an id that another has had."""
        places = DiskDict()
        for found in self._locations():
            if isinstance(found, Location):
                places.add(f"{place_of(found.name)}", "")
        return places
