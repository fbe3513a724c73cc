"""Prompt templates: one folder a template, one file a version, with few-shot examples beside them.

A template is a Markdown file with TOML front matter and two Jinja blocks, `system` and `user`. It is rendered in a
sandbox in which an undefined name is an error. The article enters as a value, never as template text.
"""

from mahdar.prompts.library import (
    ARTICLE,
    FIELDS,
    SENTENCES,
    SMALL,
    STANDARD,
    TASKS,
    Example,
    Prompt,
    PromptLibrary,
    TemplateError,
    delimited,
)

__all__ = [
    "ARTICLE",
    "FIELDS",
    "SENTENCES",
    "SMALL",
    "STANDARD",
    "TASKS",
    "Example",
    "Prompt",
    "PromptLibrary",
    "TemplateError",
    "delimited",
]

if __name__ != "mahdar.prompts":  # imported under two names, the classes would exist twice
    raise ImportError("this folder is installed as mahdar.prompts: import that")
