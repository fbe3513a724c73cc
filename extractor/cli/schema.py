"""Implement `mahdar schema`: write the schemas of drafts, answers and records as JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mahdar.cli.options import Schemas, import_schemas
from mahdar.errors import UsageError

app = typer.Typer(help="Write the JSON Schemas.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _schema() -> None:
    """Make typer treat `export` as a subcommand although it is the only one."""


@app.command()
def export(folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False)], schemas: Schemas = None) -> None:
    """Write the JSON Schemas of drafts, answers and records to a folder, and print their hashes."""
    from mahdar.schemas.json_schema import content_hash
    from mahdar.task_modules import import_installed

    import_schemas(schemas)
    import_installed()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in _schemas():
            text = json.dumps(schema, ensure_ascii=False, indent=2)
            (folder / name).write_text(text + "\n", encoding="utf-8")
            typer.echo(f"{name:<28} sha256:{content_hash(schema)}")
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written ({error.strerror}); name another folder") from None


def _schemas() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield file names and schemas: draft and record of each task, a model's answer, and an extraction.

    Records have the fields that code derives, as in the output.
    """
    from mahdar.schemas.drafts import DRAFTS
    from mahdar.schemas.json_schema import strict
    from mahdar.schemas.records import Extraction
    from mahdar.schemas.tasks import answer_schema, task_schema
    from mahdar.tasks import TASKS

    for task in sorted(DRAFTS):
        schema = task_schema(task)
        yield f"{task}.draft.schema.json", strict(schema.item.model_json_schema())
        yield f"{task}.record.schema.json", schema.record.model_json_schema(mode="serialization")
    yield "answer.schema.json", answer_schema(TASKS).json_schema
    yield "extraction.schema.json", Extraction.model_json_schema(mode="serialization")
