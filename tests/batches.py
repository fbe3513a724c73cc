"""A provider of batches on loopback: it takes files, makes batches, and answers all of them at once when it is told to.

    provider = Provider(reads_well)
    with Endpoint(provider) as endpoint:
        …                                    # submit
        provider.end()                       # every batch is completed
        …                                    # collect

What goes wrong is said by the lines of the answers (`provider.end(lines)`), or by what a path answers next
(`provider.next["/v1/batches"] = [status(500)]`). A reply there with status 200 is sent after the work was done: the
client is told nothing of what it has achieved.
"""

import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any, Final

from loopback import Asked, Reply, status

Line = dict[str, Any]
Answering = Callable[[Asked], Reply]
_FILE: Final = re.compile(rb'name="file".*?\r\n\r\n(.*)\r\n--', re.DOTALL)


class Provider:
    """The replies of a provider of batches.

    Attributes:
        files: their content by id.
        batches: by id, as they are shown.
        next: replies that come first, by method and path.
        answering: the model.
    """

    def __init__(self, answering: Answering) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.next: dict[str, list[Reply]] = {}
        self.answering = answering
        self._numbers = itertools.count(1)

    def __call__(self, asked: Asked) -> Reply:
        path = asked.path.partition("?")[0].removeprefix("/v1")
        method = "POST" if asked.raw else "GET"
        instead = self.next.get(f"{method} {path}", [])
        if instead and instead[0].status != 200:
            return instead.pop(0)
        done = self._done(method, path, asked)
        return instead.pop(0) if instead else done

    def end(self, lines: Callable[[list[Line]], tuple[list[Line], list[Line]]] | None = None, **changes: Any) -> None:
        """Complete every batch that runs.

        Args:
            lines: from the answers, the lines of the output file and those of the error file.
            changes: to what is shown of a batch.
        """
        for batch in self.batches.values():
            if batch["status"] == "in_progress":
                answers = [self._answer(line) for line in self.requests(batch["id"])]
                out, errors = lines(answers) if lines else (answers, [])
                done = {"total": len(answers), "completed": len(out), "failed": len(errors)}
                batch |= {"status": "completed", "request_counts": done, **changes}
                batch["output_file_id"] = self._put(_jsonl(out)) if out else None
                batch["error_file_id"] = self._put(_jsonl(errors)) if errors else None

    def requests(self, batch_id: str) -> list[Line]:
        """The lines of a batch's input."""
        return [json.loads(line) for line in self.files[self.batches[batch_id]["input_file_id"]].splitlines()]

    def _done(self, method: str, path: str, asked: Asked) -> Reply:
        match method, path.strip("/").split("/"):
            case "POST", ["files"]:
                found = _FILE.search(asked.raw)
                return Reply(self._file(self._put(found[1] if found else b"")))
            case "GET", ["files", id_, "content"]:
                return Reply(self.files[id_]) if id_ in self.files else status(404, message=f"no file {id_}")
            case "POST", ["batches"]:
                return Reply(self._create(asked.body))
            case "GET", ["batches"]:
                newest = list(reversed(self.batches.values()))
                return Reply({"object": "list", "data": newest, "has_more": False})
            case "GET", ["batches", id_]:
                return Reply(self.batches[id_]) if id_ in self.batches else status(404, message=f"no batch {id_}")
        return self.answering(asked)

    def _create(self, asked: Line) -> Line:
        id_, now = f"batch_{next(self._numbers)}", int(time.time())
        shown = {"id": id_, "object": "batch", "status": "in_progress", "created_at": now, **asked}
        self.batches[id_] = shown
        return shown

    def _put(self, content: bytes) -> str:
        id_ = f"file-{next(self._numbers)}"
        self.files[id_] = content
        return id_

    def _file(self, id_: str) -> Line:
        size = len(self.files[id_])
        return {"id": id_, "object": "file", "bytes": size, "created_at": 0, "filename": "f", "purpose": "batch"}

    def _answer(self, line: Line) -> Line:
        reply = self.answering(Asked(line["url"], {}, line["body"]))
        response = {"status_code": reply.status, "request_id": "r", "body": reply.body}
        return {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}


def expired(line: Line) -> Line:
    """A line of the error file, of a request whose turn never came."""
    return line | {"response": None, "error": {"code": "batch_expired", "message": "not executed in time"}}


def _jsonl(lines: list[Line]) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
