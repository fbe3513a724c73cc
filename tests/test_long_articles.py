"""An article longer than a model reads is asked in passages; what comes back is one extraction of the whole."""

from pathlib import Path

from extractor import Extractor, Settings

from loopback import Asked, Endpoint, Reply, completion

FILLER = "وتناول التقرير الاقتصادي رقم {} أسعار القمح والشعير في أسواق المدينة القديمة خلال الموسم الماضي.\n"
MET = "التقى وزير الخارجية المصري سامح شكري نظيره الأردني أيمن الصفدي في القاهرة.\n"
AGAIN = "وقال شكري عقب لقائه الصفدي إن التعاون مستمر بين الطرفين.\n"
LAST = "ومن المقرر أن يلتقي الصفدي المبعوث الأممي في جنيف.\n"
PARTIES = [{"name": "سامح شكري"}, {"name": "أيمن الصفدي"}]


def article() -> str:
    filler = [FILLER.format(number) for number in range(900)]
    return "".join([MET, *filler[:450], AGAIN, *filler[450:], LAST])


def answer(asked: Asked) -> Reply:
    told = {
        MET: PARTIES,
        AGAIN: [{"name": "شكري"}, {"name": "الصفدي"}],
        LAST: [{"name": "الصفدي"}, {"name": "المبعوث الأممي"}],
    }
    meetings = [
        {"evidence": [sentence.strip()], "participants": parties, "status": "planned" if sentence == LAST else "held"}
        for sentence, parties in told.items()
        if sentence.strip() in asked.article
    ]
    return completion({"meetings": meetings})


def test_passages_are_asked_apart_and_told_once(tmp_path: Path) -> None:
    text = article()
    with Endpoint(answer) as endpoint:
        settings = Settings(base_url=endpoint.url, api_key="k", model="m", cache=tmp_path)
        with Extractor(settings, tasks=["meetings"]) as mahdar:
            result = mahdar.extract(text)

    passages = [asked.article for asked in endpoint.requests]
    assert len(passages) > 1
    assert all(passage.rstrip().endswith(".") for passage in passages)
    assert [[actor.name for actor in meeting.participants] for meeting in result.meetings] == [
        ["سامح شكري", "أيمن الصفدي"],
        ["أيمن الصفدي", "المبعوث الأممي"],
    ]
    quotes = [piece for meeting in result.meetings for piece in meeting.evidence]
    assert [piece.quote for piece in quotes] == [MET.strip(), AGAIN.strip(), LAST.strip()]
    assert [text[piece.start : piece.end] for piece in quotes] == [piece.quote for piece in quotes]
