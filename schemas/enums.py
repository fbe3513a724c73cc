"""The closed lists of the contract, each a type alias."""

from typing import Literal

ActorType = Literal["person", "organization", "government", "country", "delegation", "people", "role"]
Capacity = Literal["principal", "member", "attendee", "host", "mediator"]

MeetingKind = Literal[
    "talks", "negotiation", "summit", "press_conference", "signing", "ceremony", "session", "visit", "other"
]
Channel = Literal["in_person", "phone", "video", "written", "unspecified"]
Status = Literal["held", "ongoing", "planned", "proposed", "postponed", "cancelled", "denied"]
TopicCode = Literal[
    "bilateral_relations",
    "political_process",
    "elections",
    "ceasefire_military",
    "security_cooperation",
    "counterterrorism",
    "migration_border",
    "organized_crime",
    "economy_trade",
    "energy",
    "infrastructure_reconstruction",
    "aviation_consular",
    "humanitarian_rights",
    "regional_international",
    "other",
]
OutcomeType = Literal[
    "agreement_signed",
    "agreement_verbal",
    "decision",
    "commitment",
    "resumption",
    "joint_body",
    "next_meeting",
    "joint_statement",
    "other",
]
Format = Literal["bilateral", "trilateral", "multilateral", "domestic"]

HolderMode = Literal["individual", "institution", "joint", "collective"]
Polarity = Literal["favor", "against", "neutral"]
Act = Literal[
    "support",
    "praise",
    "thank",
    "commit",
    "call_for",
    "demand",
    "affirm_importance",
    "accord",
    "reject",
    "condemn",
    "accuse",
    "warn",
    "concern",
    "optimism",
    "deny",
    "recognize",
    "other",
]
Speech = Literal["direct", "indirect", "mixed"]

DateResolution = Literal[
    "explicit", "relative_to_publication", "year_from_publication", "from_other_mention", "partial", "unresolved"
]
DateFlag = Literal["weekday_mismatch"]
EvidenceMatch = Literal["exact", "folded"]
