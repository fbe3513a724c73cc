"""Derive CAMEO and PLOVER codes by table; a model is never asked for them.

Sources: CAMEO Codebook 1.1b3 (Schrodt, 2012); PLOVER 2 codebook (Political Instability Task Force, 2022).
"""

from mahdar.schemas.enums import Act, Channel, Format, MeetingKind, Polarity, Status, TopicCode

CONSULT = "CONSULT"

STATUS_CAMEO: dict[Status, str | None] = {
    "planned": "036",
    "proposed": "026",
    "postponed": None,
    "cancelled": "164",
    "denied": "016",
}
STATUS_PLOVER: dict[Status, str | None] = {
    "planned": "AGREE",
    "proposed": "AGREE",
    "postponed": None,
    "cancelled": "SANCTION-discontinue",
    "denied": None,
}
KIND_CAMEO: dict[MeetingKind, str | None] = {
    "talks": "040",
    "negotiation": "046",
    "summit": "040",
    "press_conference": "010",
    "signing": "057",
    "ceremony": None,
    "session": None,
    "visit": "042",
    "other": None,
}
NO_PLOVER: frozenset[MeetingKind] = frozenset({"ceremony", "session", "press_conference", "other"})
STANCE_CAMEO: dict[tuple[Act, Polarity | None], str | None] = {
    ("support", "favor"): "051",
    ("praise", "favor"): "051",
    ("thank", "favor"): "051",
    ("commit", "favor"): "030",
    ("call_for", None): "020",
    ("demand", None): "100",
    ("affirm_importance", None): "010",
    ("accord", None): "019",
    ("reject", None): "120",
    ("condemn", None): "111",
    ("accuse", None): "112",
    ("warn", None): "130",
    ("concern", None): "012",
    ("optimism", None): "013",
    ("deny", None): "016",
    ("recognize", None): "054",
}
STANCE_PLOVER: dict[Act, str | None] = {
    "support": "SUPPORT",
    "praise": "SUPPORT",
    "thank": "SUPPORT",
    "recognize": "SUPPORT",
    "commit": None,
    "call_for": "REQUEST",
    "demand": "REQUEST",
    "reject": "REJECT",
    "condemn": "ACCUSE-disapprove",
    "accuse": "ACCUSE-allege",
    "warn": "THREATEN",
}
PLOVER_CONTEXT: dict[TopicCode, str] = {
    "bilateral_relations": "diplomatic",
    "political_process": "political_institutions",
    "elections": "election",
    "ceasefire_military": "military",
    "counterterrorism": "terrorism",
    "migration_border": "migration",
    "organized_crime": "crime",
    "economy_trade": "economic",
    "energy": "natural_resources",
    "infrastructure_reconstruction": "economic",
    "humanitarian_rights": "human_rights",
    "regional_international": "diplomatic",
}
"""Contexts of PLOVER 2 by topic; `security_cooperation`, `aviation_consular` and `other` have none."""


def meeting_format(countries: tuple[str | None, ...]) -> Format | None:
    """Return the format by the countries of the principals; None if one is unknown, or there are fewer than two."""
    if len(countries) < 2 or None in countries:
        return None
    return {1: "domestic", 2: "bilateral", 3: "trilateral"}.get(len(set(countries)), "multilateral")  # type: ignore[return-value]


def meeting_cameo(
    kind: MeetingKind, channel: Channel, status: Status, *, third_place: bool, mediated: bool
) -> str | None:
    """Return a meeting's CAMEO code: by its status, or for a held one by how and where it was held; None for no code.

    Args:
        kind: the meeting's kind.
        channel: the meeting's channel.
        status: the meeting's status.
        third_place: whether it was held in a country that none of the principals represents.
        mediated: whether a mediator took part.
    """
    if status in STATUS_CAMEO:
        return STATUS_CAMEO[status]
    if mediated:
        return "045"
    if kind == "talks" and channel == "phone":
        return "041"
    return "044" if third_place and kind in {"talks", "summit"} else KIND_CAMEO[kind]


def meeting_plover(
    kind: MeetingKind, channel: Channel, status: Status, format_: Format | None, *, mediated: bool
) -> str | None:
    """Return a meeting's PLOVER code, by the arguments of `meeting_cameo` and its format; None for no code."""
    if status in STATUS_PLOVER:
        return STATUS_PLOVER[status]
    if kind in NO_PLOVER or kind == "signing":
        return "AGREE" if kind == "signing" else None
    if mediated:
        return f"{CONSULT}-third-party"
    if channel == "phone":
        return f"{CONSULT}-phone"
    if kind == "visit":
        return f"{CONSULT}-visit"
    return f"{CONSULT}-multilateral" if format_ in {"trilateral", "multilateral"} else CONSULT


def stance_cameo(act: Act, polarity: Polarity) -> str | None:
    """Return the CAMEO code of an act toward its target; None if its polarity contradicts the code."""
    if (act, None) in STANCE_CAMEO:
        return STANCE_CAMEO[act, None]
    return STANCE_CAMEO.get((act, polarity))


def stance_plover(act: Act, polarity: Polarity) -> str | None:
    """Return the PLOVER code of an act toward its target; None if its polarity contradicts the code."""
    if act in {"support", "praise", "thank", "recognize"} and polarity != "favor":
        return None
    return STANCE_PLOVER.get(act)
