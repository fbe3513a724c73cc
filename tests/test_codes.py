"""CAMEO and PLOVER codes follow from kind, channel, status, place and act, by table."""

import pytest

from mahdar.schemas.enums import Act, Channel, MeetingKind, Polarity, Status
from mahdar.schemas.records import Evidence, Meeting, Participant, Place, Stance, Target

QUOTE = Evidence(quote="التقى الوزير نظيره", start=0, end=18, match="exact")


def party(country: str | None, capacity: str = "principal") -> Participant:
    return Participant.model_validate({"name": str(country), "type": "role", "country": country, "capacity": capacity})


@pytest.mark.parametrize(
    ("kind", "channel", "status", "countries", "place", "expected"),
    [
        pytest.param("talks", "in_person", "held", "LY FR", "FR", ("bilateral", "040", "CONSULT"), id="talks"),
        pytest.param("talks", "in_person", "held", "LY MT", "TR", ("bilateral", "044", "CONSULT"), id="third place"),
        pytest.param("talks", "phone", "held", "EG RU", None, ("bilateral", "041", "CONSULT-phone"), id="call"),
        pytest.param(
            "talks", "in_person", "held", "LY TR MT", "TR", ("trilateral", "040", "CONSULT-multilateral"), id="3"
        ),
        pytest.param("talks", "in_person", "held", "LY LY", "LY", ("domestic", "040", "CONSULT"), id="domestic"),
        pytest.param("talks", "in_person", "held", "LY ?", "TR", (None, "040", "CONSULT"), id="unknown country"),
        pytest.param("negotiation", "unspecified", "ongoing", "PS", None, (None, "046", "CONSULT"), id="negotiation"),
        pytest.param("visit", "in_person", "held", "EG", "LY", (None, "042", "CONSULT-visit"), id="visit"),
        pytest.param("signing", "in_person", "held", "LY FR", "FR", ("bilateral", "057", "AGREE"), id="signing"),
        pytest.param("press_conference", "in_person", "held", "LY TR", "TR", ("bilateral", "010", None), id="press"),
        pytest.param("talks", "in_person", "planned", "ES MA", "MA", ("bilateral", "036", "AGREE"), id="planned"),
        pytest.param("talks", "in_person", "proposed", "ES MA", None, ("bilateral", "026", "AGREE"), id="invited"),
        pytest.param(
            "session", "in_person", "cancelled", "TR GR", None, ("bilateral", "164", "SANCTION-discontinue"), id="off"
        ),
        pytest.param("talks", "in_person", "denied", "TN LY", None, ("bilateral", "016", None), id="denied"),
    ],
)
def test_a_meeting_is_coded_by_how_and_where_it_was_held(
    *,
    kind: MeetingKind,
    channel: Channel,
    status: Status,
    countries: str,
    place: str | None,
    expected: tuple[str | None, str | None, str | None],
) -> None:
    parties = [party(None if code == "?" else code) for code in countries.split()]
    if len(parties) == 1:
        parties.append(party("QA", "attendee"))
    meeting = Meeting(
        id="m1",
        kind=kind,
        channel=channel,
        status=status,
        participants=tuple(parties),
        place=Place(country=place) if place else None,
        evidence=(QUOTE,),
    )

    assert (meeting.format, meeting.cameo, meeting.plover) == expected


def test_talks_with_a_mediator_are_mediation() -> None:
    parties = (party("PS"), party("IL"), party("EG", "mediator"))
    meeting = Meeting(
        id="m1", kind="negotiation", channel="in_person", status="held", participants=parties, evidence=(QUOTE,)
    )

    assert (meeting.cameo, meeting.plover) == ("045", "CONSULT-third-party")


@pytest.mark.parametrize(
    ("act", "polarity", "cameo", "plover"),
    [
        ("support", "favor", "051", "SUPPORT"),
        ("praise", "against", None, None),
        ("commit", "favor", "030", None),
        ("call_for", "favor", "020", "REQUEST"),
        ("demand", "against", "100", "REQUEST"),
        ("reject", "against", "120", "REJECT"),
        ("condemn", "against", "111", "ACCUSE-disapprove"),
        ("accuse", "against", "112", "ACCUSE-allege"),
        ("warn", "against", "130", "THREATEN"),
        ("concern", "against", "012", None),
        ("optimism", "favor", "013", None),
        ("deny", "against", "016", None),
        ("recognize", "favor", "054", "SUPPORT"),
        ("other", "neutral", None, None),
    ],
)
def test_a_stance_is_coded_by_its_act(act: Act, polarity: Polarity, cameo: str | None, plover: str | None) -> None:
    stance = Stance(
        id="s1",
        holders=(party("LY"),),
        holder_mode="individual",
        target=Target(text="المشروع"),
        polarity=polarity,
        act=act,
        proposition="رفض الوزير المشروع",
        speech="indirect",
        evidence=(QUOTE,),
    )

    assert (stance.cameo, stance.plover) == (cameo, plover)
