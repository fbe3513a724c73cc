"""English and French articles: who is mentioned, who met, who takes which position toward what."""

import pytest

from mahdar.offline.readings import RuleReading, read


def names(reading: RuleReading, mentions: object) -> str:
    return " + ".join(reading.cast.actor(one).name for one in mentions)  # type: ignore[attr-defined]


def positions(text: str) -> list[tuple[str, str, str, str]]:
    reading = read(text)
    return [(one.act, one.polarity, names(reading, one.holders), one.target) for one in reading.positions]


def encounters(text: str) -> list[tuple[str, str, str, str]]:
    reading = read(text)
    return [(one.kind, one.status, one.channel, names(reading, one.principals)) for one in reading.encounters]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Egyptian President Anwar Sadat condemned the bombing of Beirut on Monday.",
            ("condemn", "against", "Anwar Sadat", "the bombing of Beirut"),
        ),
        (
            "The Arab League strongly rejected the annexation of the Golan Heights.",
            ("reject", "against", "Arab League", "the annexation of the Golan Heights"),
        ),
        (
            "Cyrus Vance, the US secretary of state, said that he supports the peace plan.",
            ("support", "favor", "Cyrus Vance", "the peace plan"),
        ),
        (
            "Jordan's foreign minister, Hazem Nuseibeh, called on Israel to withdraw from the West Bank.",
            ("call_for", "favor", "Hazem Nuseibeh", "withdraw from the West Bank"),
        ),
        (
            "The White House urged both parties to end the fighting.",
            ("call_for", "against", "White House", "the fighting"),
        ),
        ("Hamas warned against a return to war.", ("warn", "against", "Hamas", "a return to war")),
        (
            "President Carter called for an immediate halt to settlement activity.",
            ("call_for", "against", "Carter", "settlement activity"),
        ),
        (
            "“We reject this agreement,” said Yasser Arafat.",
            ("reject", "against", "Yasser Arafat", "this agreement"),
        ),
        (
            "Britain welcomes the release of the hostages.",
            ("support", "favor", "Britain", "the release of the hostages"),
        ),
        (
            "The Syrian government denied any role in the assassination.",
            ("deny", "against", "Syrian government", "any role in the assassination"),
        ),
        (
            "The decision was criticised by the Palestinians.",
            ("condemn", "against", "Palestinians", "The decision"),
        ),
        (
            "Mr. Vance expressed concern about the situation in Lebanon.",
            ("concern", "against", "Vance", "the situation in Lebanon"),
        ),
        (
            "King Hussein thanked Kuwait for its generous aid.",
            ("thank", "favor", "Hussein", "its generous aid"),
        ),
        (
            "Iraq accused Iran of shelling border villages.",
            ("accuse", "against", "Iraq", "shelling border villages"),
        ),
        (
            "The United Nations stressed the need for free elections.",
            ("affirm_importance", "favor", "United Nations", "free elections"),
        ),
        (
            "Tunisia reiterated its commitment to the Geneva process.",
            ("commit", "favor", "Tunisia", "the Geneva process"),
        ),
        (
            "The European Union does not support the embargo.",
            ("reject", "against", "European Union", "the embargo"),
        ),
        (
            "Saudi Arabia praised Egypt's efforts to mediate.",
            ("praise", "favor", "Saudi Arabia", "Egypt's efforts to mediate"),
        ),
        (
            "Prime Minister Menachem Begin refused to discuss the status of Jerusalem.",
            ("reject", "against", "Menachem Begin", "discuss the status of Jerusalem"),
        ),
        (
            "The Algerian minister said his country would continue to support the Sahrawi people.",
            ("support", "favor", "Algerian minister", "the Sahrawi people"),
        ),
        (
            "Washington has pledged to defend its allies in the Gulf.",
            ("commit", "favor", "Washington", "defend its allies in the Gulf"),
        ),
        (
            "The rebels demanded the release of all prisoners.",
            ("demand", "favor", "rebels", "the release of all prisoners"),
        ),
        (
            "Kuwait voiced its opposition to the blockade.",
            ("reject", "against", "Kuwait", "the blockade"),
        ),
        (
            "A statement was issued in Cairo.\nThe Organisation of African Unity hailed the ceasefire accord.",
            ("praise", "favor", "Organisation of African Unity", "the ceasefire accord"),
        ),
        (
            "Boutros Boutros-Ghali, who was speaking in Geneva, said the blockade was unacceptable.",
            ("condemn", "against", "Boutros Boutros-Ghali", "the blockade"),
        ),
        (
            "France recognised the new state in 1962.",
            ("recognize", "favor", "France", "the new state"),
        ),
        (
            "The foreign ministry in Rabat said it deplored the incident.",
            ("condemn", "against", "foreign ministry in Rabat", "the incident"),
        ),
        (
            "“The siege must be lifted,” the Qatari minister said.",
            ("affirm_importance", "favor", "Qatari minister", "The siege must be lifted"),
        ),
    ],
)
def test_an_english_position_has_a_holder_and_a_target(sentence: str, expected: tuple[str, ...]) -> None:
    assert positions(sentence) == [expected]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Le président égyptien Anouar el-Sadate a condamné lundi le bombardement de Beyrouth.",
            ("condemn", "against", "Anouar el-Sadate", "le bombardement de Beyrouth"),
        ),
        (
            "La Ligue arabe rejette l'annexion du Golan.",
            ("reject", "against", "Ligue arabe", "l'annexion du Golan"),
        ),
        (
            "Le ministre jordanien des affaires étrangères, Hazem Nousseibeh, a appelé Israël à se retirer du Golan.",
            ("call_for", "favor", "Hazem Nousseibeh", "se retirer du Golan"),
        ),
        (
            "Claude Cheysson a déclaré qu'il soutenait le plan de paix.",
            ("support", "favor", "Claude Cheysson", "le plan de paix"),
        ),
        (
            "L'Union européenne a salué la libération des otages.",
            ("support", "favor", "Union européenne", "la libération des otages"),
        ),
        (
            "Le gouvernement syrien a démenti toute implication dans l'assassinat.",
            ("deny", "against", "gouvernement syrien", "toute implication dans l'assassinat"),
        ),
        (
            "Cette décision a été condamnée par les Palestiniens.",
            ("condemn", "against", "Palestiniens", "Cette décision"),
        ),
        (
            "M. Cheysson a mis en garde contre une reprise des combats.",
            ("warn", "against", "Cheysson", "une reprise des combats"),
        ),
        (
            "« Nous refusons cet accord », a déclaré Yasser Arafat.",
            ("reject", "against", "Yasser Arafat", "cet accord"),
        ),
        (
            "La Tunisie a réaffirmé son soutien au peuple palestinien.",
            ("support", "favor", "Tunisie", "peuple palestinien"),
        ),
        (
            "L'Irak accuse l'Iran d'avoir bombardé des villages frontaliers.",
            ("accuse", "against", "Irak", "avoir bombardé des villages frontaliers"),
        ),
        (
            "Paris a exprimé son inquiétude face à la situation au Liban.",
            ("concern", "against", "Paris", "la situation au Liban"),
        ),
        (
            "Le roi Hussein a remercié le Koweït pour son aide.",
            ("thank", "favor", "Hussein", "son aide"),
        ),
        (
            "L'ONU a souligné la nécessité d'élections libres.",
            ("affirm_importance", "favor", "ONU", "élections libres"),
        ),
        (
            "Alger s'est félicité de l'accord conclu à Nairobi.",
            ("support", "favor", "Alger", "l'accord conclu à Nairobi"),
        ),
        (
            "Le Maroc s'oppose à toute ingérence étrangère.",
            ("reject", "against", "Maroc", "toute ingérence étrangère"),
        ),
        (
            "Le Premier ministre Menahem Begin a refusé de discuter du statut de Jérusalem.",
            ("reject", "against", "Menahem Begin", "discuter du statut de Jérusalem"),
        ),
        (
            "Le Caire ne soutient pas cette initiative.",
            ("reject", "against", "Le Caire", "cette initiative"),
        ),
        (
            "L'Union africaine réclame la fin des hostilités.",
            ("demand", "against", "Union africaine", "hostilités"),
        ),
        (
            "Washington s'est engagé à défendre ses alliés du Golfe.",
            ("commit", "favor", "Washington", "défendre ses alliés du Golfe"),
        ),
        (
            "Le blocus est inacceptable, a estimé le ministre koweïtien.",
            ("condemn", "against", "ministre koweïtien", "Le blocus"),
        ),
        (
            "Le ministère des affaires étrangères a dénoncé une provocation.",
            ("condemn", "against", "ministère des affaires étrangères", "une provocation"),
        ),
        (
            "Les rebelles exigent la libération de tous les prisonniers.",
            ("demand", "favor", "rebelles", "la libération de tous les prisonniers"),
        ),
        (
            "Mahmoud Riad a exhorté les deux parties à reprendre les négociations.",
            ("call_for", "favor", "Mahmoud Riad", "reprendre les négociations"),
        ),
    ],
)
def test_a_french_position_has_a_holder_and_a_target(sentence: str, expected: tuple[str, ...]) -> None:
    assert positions(sentence) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The Jordanian minister condemned the raid and called for an inquiry.",
            [
                ("condemn", "against", "Jordanian minister", "the raid"),
                ("call_for", "favor", "Jordanian minister", "an inquiry"),
            ],
        ),
        (
            (
                "President Anwar Sadat met with Prime Minister Menachem Begin in Jerusalem.\n"
                "The two leaders welcomed the opening of borders."
            ),
            [("support", "favor", "Anwar Sadat + Menachem Begin", "the opening of borders")],
        ),
        (
            "Le ministre tunisien a salué l'accord, appelant les parties à le respecter.",
            [
                ("support", "favor", "ministre tunisien", "l'accord"),
                ("call_for", "favor", "ministre tunisien", "le respecter"),
            ],
        ),
        (
            "Mais l'Espagne a exprimé ses doutes, refusant toute intervention et réclamant un vote.",
            [
                ("reject", "against", "Espagne", "toute intervention"),
                ("demand", "favor", "Espagne", "un vote"),
            ],
        ),
        (
            "Iran and Syria rejected the plan, saying that it violated their sovereignty.",
            [("reject", "against", "Iran + Syria", "the plan")],
        ),
        (
            "The council stressed the need to protect civilians, open the borders and end the siege.",
            [
                ("affirm_importance", "favor", "council", "protect civilians"),
                ("affirm_importance", "favor", "council", "open the borders"),
                ("affirm_importance", "against", "council", "the siege"),
            ],
        ),
    ],
)
def test_a_sentence_may_hold_several_positions(text: str, expected: list[tuple[str, ...]]) -> None:
    assert positions(text) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "The drought raised fears that the harvest would fail.",
        "Support for the plan is growing.",
        "Did Egypt reject the plan?",
        "The airport, which was attacked last year, reopened on Sunday.",
        "Kissinger discussed the importance of trade with his hosts.",
        "Thousands of people called home.",
        "If Syria rejects the offer, talks will end.",
        "Le soutien au plan grandit.",
        "Les deux hommes ont évoqué la situation régionale.",
        "La population soutient mal la chaleur.",
        "L'attaque a fait douze morts dans la ville.",
        "Le nombre de morts inquiète.",
    ],
)
def test_where_nobody_takes_a_position_none_is_found(sentence: str) -> None:
    assert positions(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "President Anwar Sadat met with Prime Minister Menachem Begin in Jerusalem on Sunday.",
            ("talks", "held", "in_person", "Anwar Sadat + Menachem Begin"),
        ),
        (
            "Secretary of State Cyrus Vance held talks in Amman with King Hussein.",
            ("talks", "held", "in_person", "Cyrus Vance + Hussein"),
        ),
        (
            "Jimmy Carter spoke by phone with Leonid Brezhnev on Friday.",
            ("talks", "held", "phone", "Jimmy Carter + Leonid Brezhnev"),
        ),
        (
            "Mr. Vance will travel to Damascus next week for meetings with President Hafez al-Assad.",
            ("talks", "planned", "in_person", "Vance + Hafez al-Assad"),
        ),
        (
            "The Jordanian prime minister was received by Leonid Brezhnev at the Kremlin.",
            ("talks", "held", "in_person", "Jordanian prime minister + Leonid Brezhnev"),
        ),
        (
            "A meeting between Moshe Dayan and Hassan Tuhami was cancelled.",
            ("talks", "cancelled", "in_person", "Moshe Dayan + Hassan Tuhami"),
        ),
        (
            "Foreign Minister Mahmoud Riad hosted his Iraqi counterpart in Cairo.",
            ("talks", "held", "in_person", "Mahmoud Riad + Iraqi counterpart"),
        ),
        (
            "Anwar Sadat visited Israel in November 1977.",
            ("visit", "held", "in_person", "Anwar Sadat"),
        ),
        (
            "Egypt and Israel signed a peace treaty in Washington in 1979.",
            ("signing", "held", "in_person", "Egypt + Israel"),
        ),
        (
            "Cyrus Vance is scheduled to meet Moshe Dayan on Tuesday.",
            ("talks", "planned", "in_person", "Cyrus Vance + Moshe Dayan"),
        ),
        (
            "Talks between Iran and Iraq were postponed.",
            ("talks", "postponed", "in_person", "Iran + Iraq"),
        ),
        (
            "King Hassan invited President Jimmy Carter to visit Morocco.",
            ("visit", "proposed", "in_person", "Jimmy Carter"),
        ),
    ],
)
def test_an_english_encounter_has_parties(sentence: str, expected: tuple[str, ...]) -> None:
    assert encounters(sentence) == [expected]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Le président Anouar el-Sadate a rencontré Menahem Begin à Jérusalem dimanche.",
            ("talks", "held", "in_person", "Anouar el-Sadate + Menahem Begin"),
        ),
        (
            "Lundi, le roi Hassan s'est entretenu avec le président Houari Boumédiène.",
            ("talks", "held", "unspecified", "Hassan + Houari Boumédiène"),
        ),
        (
            "Jimmy Carter a téléphoné au roi Hussein.",
            ("talks", "held", "phone", "Jimmy Carter + Hussein"),
        ),
        (
            "Le ministre algérien a été reçu par Valéry Giscard d'Estaing à l'Elysée.",
            ("talks", "held", "in_person", "ministre algérien + Valéry Giscard d'Estaing"),
        ),
        (
            "Habib Bourguiba a reçu le chef de la diplomatie française, Claude Cheysson.",
            ("talks", "held", "in_person", "Habib Bourguiba + Claude Cheysson"),
        ),
        (
            "Claude Cheysson doit se rendre à Tunis mardi pour des entretiens avec Habib Bourguiba.",
            ("talks", "planned", "in_person", "Claude Cheysson + Habib Bourguiba"),
        ),
        (
            "Un entretien téléphonique entre Jimmy Carter et Leonid Brejnev a eu lieu vendredi.",
            ("talks", "held", "phone", "Jimmy Carter + Leonid Brejnev"),
        ),
        (
            "La rencontre entre Moshe Dayan et Hassan Touhami a été annulée.",
            ("talks", "cancelled", "in_person", "Moshe Dayan + Hassan Touhami"),
        ),
        (
            "L'Egypte et Israël ont signé un traité de paix en 1979.",
            ("signing", "held", "unspecified", "Egypte + Israël"),
        ),
        (
            "Les délégations de Tunisie et du Maroc se rencontreront lundi à Rabat.",
            ("talks", "planned", "in_person", "Tunisie + Maroc"),
        ),
        (
            "Emmanuel Macron a rencontré mardi à Paris le chancelier allemand Olaf Scholz.",
            ("talks", "held", "in_person", "Emmanuel Macron + Olaf Scholz"),
        ),
    ],
)
def test_a_french_encounter_has_parties(sentence: str, expected: tuple[str, ...]) -> None:
    assert encounters(sentence) == [expected]


@pytest.mark.parametrize(
    ("sentence", "date", "city"),
    [
        ("Anwar Sadat met Menachem Begin in Jerusalem on Sunday.", "Sunday", "Jerusalem"),
        ("On 19 November, Anwar Sadat met Menachem Begin in Jerusalem.", "19 November", "Jerusalem"),
        ("Anouar el-Sadate a rencontré Menahem Begin dimanche à Jérusalem.", "dimanche", "Jérusalem"),
    ],
)
def test_an_encounter_has_the_date_and_city_that_its_sentence_tells(sentence: str, date: str, city: str) -> None:
    (found,) = read(sentence).encounters
    assert (found.date, found.city) == (date, city)


@pytest.mark.parametrize(
    "sentence",
    [
        "Cyrus Vance met the demands of the opposition.",
        "The two sides will meet their obligations.",
        "Le ministre a rencontré des difficultés.",
        "The president will address parliament on Monday.",
        "Talks are under way.",
    ],
)
def test_where_nobody_meets_no_encounter_is_found(sentence: str) -> None:
    assert encounters(sentence) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Cyrus Vance stressed that Washington supports the truce and does not recognise the new borders.",
            [("support", "favor", "Cyrus Vance", "the truce"), ("reject", "against", "Cyrus Vance", "the new borders")],
        ),
        (
            "Iran's prime minister Amir Hoveyda said Tehran would not give up its islands.",
            [("reject", "against", "Amir Hoveyda", "give up its islands")],
        ),
        (
            "Kurt Waldheim s'est dit préoccupé par l'escalade au Liban et a exhorté les milices à cesser les combats.",
            [
                ("concern", "against", "Kurt Waldheim", "l'escalade au Liban"),
                ("call_for", "against", "Kurt Waldheim", "les combats"),
            ],
        ),
        (
            "« La Tunisie n'acceptera aucune tutelle », a martelé Habib Bourguiba.",
            [("reject", "against", "Habib Bourguiba", "aucune tutelle")],
        ),
        (
            "Egyptian President Abdel Fattah al-Sisi arrived in Paris. Sisi rejected foreign interference in Libya.",
            [("reject", "against", "Abdel Fattah al-Sisi", "foreign interference in Libya")],
        ),
    ],
)
def test_a_speaker_holds_what_he_says_for_his_country(text: str, expected: list[tuple[str, ...]]) -> None:
    assert positions(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Lors d'un entretien téléphonique avec Leonid Brejnev, Jimmy Carter a évoqué la Corne de l'Afrique.",
            [("talks", "held", "phone", "Jimmy Carter + Leonid Brejnev")],
        ),
        (
            "Claude Cheysson se rendra en Egypte lundi pour rencontrer le général Kamal Hassan Ali.",
            [("talks", "planned", "in_person", "Claude Cheysson + Kamal Hassan Ali")],
        ),
        (
            "King Hussein met Mr Cyrus Vance in Amman, and the two men discussed Lebanon.",
            [("talks", "held", "in_person", "Hussein + Cyrus Vance")],
        ),
        ("Britain and France called on all sides to exercise restraint.", []),
        ("L'opposition syrienne a rejeté tout dialogue avec Hafez Al-Assad.", []),
    ],
)
def test_an_encounter_is_told_once_and_only_where_it_is_told(text: str, expected: list[tuple[str, ...]]) -> None:
    assert encounters(text) == expected


def test_a_surname_and_a_title_mean_the_person_named_in_full() -> None:
    text = "French foreign minister Claude Cheysson arrived. Mr Cheysson met King Hussein. The minister left."
    reading = read(text)
    assert {one.country for one in map(reading.cast.actor, reading.cast.mentions) if one.name == "Claude Cheysson"} == {
        "FR"
    }
    assert [reading.cast.actor(one).name for one in reading.cast.mentions] == [
        "Claude Cheysson",
        "Claude Cheysson",
        "Hussein",
        "Claude Cheysson",
    ]


def test_every_mention_stands_where_it_says() -> None:
    text = "Le Premier ministre israélien Menahem Begin a reçu l'amiral Stansfield Turner, chef de la CIA."
    reading = read(text)
    assert all(text[one.start : one.end] == one.text for one in reading.cast.mentions)
    assert [one.office for one in reading.cast.mentions][:1] == ["Premier ministre israélien"]
