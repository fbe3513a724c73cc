"""Schemas of what a model writes (drafts) and what a user gets (records).

Drafts have words copied from the article; records add what code resolves and derives from them.
"""

from mahdar.schemas.drafts import MeetingDraft, MeetingDrafts, StanceDraft, StanceDrafts
from mahdar.schemas.records import (
    Actor,
    Date,
    Evidence,
    Extraction,
    Meeting,
    Outcome,
    Participant,
    Place,
    Provenance,
    Record,
    Rejected,
    Stance,
    Target,
    Topic,
)

__all__ = [
    "Actor",
    "Date",
    "Evidence",
    "Extraction",
    "Meeting",
    "MeetingDraft",
    "MeetingDrafts",
    "Outcome",
    "Participant",
    "Place",
    "Provenance",
    "Record",
    "Rejected",
    "Stance",
    "StanceDraft",
    "StanceDrafts",
    "Target",
    "Topic",
]

if __name__ != "mahdar.schemas":  # imported under two names, the classes would exist twice
    raise ImportError("this folder is installed as mahdar.schemas: import that")
