"""Files as other services and spreadsheets write them: the shared cases, kept here so that they run in any clone."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsdesk.core.errors import InputError
from subscribers.models import Consent, Subscriber, Suppression
from tests.subscribers.importing import Load, mailed

pytestmark = pytest.mark.django_db


_MAILCHIMP = (
    '"Email Address","First Name","Last Name",Address,"Phone Number",Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,'
    "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,"
)
SUBSCRIBED = _MAILCHIMP + (
    'NOTES,TAGS\nmc1@example.com,Ana,Silva,"1 Rua Nova  Lisboa 1000 PT",,03/14,4,"2019-03-14 09:12:31",192.0.2.1,'
    '"2019-03-14 09:14:00",192.0.2.1,38.7,-9.1,0,1,Europe/Lisbon,PT,11,"2024-01-02 03:04:05",101,ab12cd,,'
    '"""VIP"",""Blog, weekly"""\n'
    'mc2@example.com,Ben,"O\'Hara",,,,2,"2020-02-03 04:05:06",,"2020-02-03 04:06:00",192.0.2.9,,,,,US/Eastern,US,NY,'
    '"2021-01-01 00:00:00",102,ab12ce,"line one\nline two","""VIP"""\n'
    'mc4@example.com,Di,,,,,2,,,"2020-02-03 04:06:00",192.0.2.9,1.3,103.8,8,8,Asia/Kuala_Lumpur/Singapore,SG,00,'
    '"2021-01-01 00:00:00",104,ab12cg,,\n'
)
UNSUBSCRIBED = _MAILCHIMP + (
    "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,NOTES,TAGS\n"
    'mc1@example.com,Ana,Silva,,,,1,"2018-01-01 00:00:00",,"2018-01-01 00:00:00",192.0.2.3,,,,,,,,"2022-05-05 05:05:05",201,'
    'uu1,"2022-05-05 05:05:05","May issue",c0ffee,"No longer interested",,,\n'
)
CLEANED = _MAILCHIMP + (
    "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,NOTES,TAGS\n"
    'mcc1@example.com,Cleo,Gone,,,,1,"2018-01-01 00:00:00",,"2018-01-01 00:00:00",192.0.2.3,,,,,,,,"2022-05-05 05:05:05",301,'
    'cc1,"2022-06-06 06:06:06","June issue",deadbe,,\n'
)


def test_mailchimps_subscribed(load: Load) -> None:
    report = load(SUBSCRIBED, "subscribed_members_export_a1b2c3.csv")

    assert (report.preset, report.created) == ("mailchimp", 3)
    assert {"EUID", "LATITUDE", "NOTES"} <= set(report.left_out)
    assert report.unknown_columns == ("Address", "Phone Number", "Birthday")
    ana, ben, di = Subscriber.objects.order_by("email")
    assert (ana.name, ana.tags, ben.timezone, ben.tags) == ("Ana Silva", ["VIP", "Blog, weekly"], "US/Eastern", ["VIP"])
    assert ana.consents.get().at == datetime(2019, 3, 14, 9, 14, tzinfo=UTC)
    assert (di.timezone, [warning.line for warning in report.warnings]) == ("", [5])


@pytest.mark.parametrize("turned", [False, True])
def test_mailchimps_unsubscribed_and_cleaned(load: Load, turned: bool) -> None:
    files = [(SUBSCRIBED, "subscribed_x.csv"), (UNSUBSCRIBED, "unsubscribed_x.csv"), (CLEANED, "cleaned_x.csv")]
    for content, name in reversed(files) if turned else files:
        load(content, name)

    assert mailed() == {"mc2", "mc4"}
    assert Consent.objects.get(kind="withdrawn").at == datetime(2022, 5, 5, 5, 5, 5, tzinfo=UTC)
    assert set(Suppression.objects.values_list("address", "reason")) == {
        ("mc1@example.com", "unsubscribed"),
        ("mcc1@example.com", "hard_bounce"),
    }


def test_two_columns_of_one_name(load: Load) -> None:
    report = load(
        '"Email Address",Name,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_TIME,UNSUB_CAMPAIGN_ID,UNSUB_REASON,Languages,LEID\n'
        'mcu9@example.com,Uli,,,"2013-06-20 00:00:00",y,NORMAL,"de, en",99\n'
    )

    assert (report.preset, report.created, mailed()) == ("mailchimp", 1, set())
    assert "two columns are named UNSUB_CAMPAIGN_ID" in report.warnings[0].message
    assert load("email,city,city\nada@example.com,Oslo,Rome\n").created == 1
    assert Subscriber.objects.get(email="ada@example.com").attributes == {"city": "Oslo", "city (2)": "Rome"}


def test_stray_quotes_swallow_nobody(load: Load) -> None:
    people = "".join(f"sq{number}@example.com,N{number}\n" for number in range(3, 60))
    report = load(
        f'email,note\nsq1@example.com,A\nsq2@example.com,"hello\n{people}sq60@example.com,bye"\nsq61@example.com,Z\n'
    )

    assert (report.rows, report.created) == (61, 60)
    assert [line for line, _ in report.rejected] == [3]
    assert "closed only on line 61" in report.rejected[0].reason


def test_a_letter_quoted_in_a_note_makes_no_readers(load: Load) -> None:
    report = load('email,note\nada@example.com,"She wrote:\nbob@example.com,hello\nand more"\neve@example.com,x\n')

    assert set(Subscriber.objects.values_list("email", flat=True)) == {"eve@example.com"}
    assert report.rejected == ((2, "a quoted cell holds what may be rows of their own, up to line 4"),)


def test_short_and_long_rows_are_kept(load: Load) -> None:
    report = load(
        "email,name,city\nr1@example.com\nr2@example.com,B\nr3@example.com,C,Oslo,extra\nr4@example.com,D,Rome,\n,E\n"
    )

    assert (report.created, [line for line, _ in report.rejected]) == (4, [6])
    assert [warning.line for warning in report.warnings] == [2, 3, 4, 6]
    assert Subscriber.objects.get(email="r3@example.com").attributes == {"city": "Oslo"}


def test_a_long_row_is_refused_where_its_state_may_have_moved(load: Load) -> None:
    report = load("email,name,status\na@example.com,Long, Ida,unsubscribed\nb@example.com,B,active\n")

    assert report.rejected == ((2, "4 cells, but the heading has 3: which one says the state is not certain"),)
    assert load("email,name,status\nc@example.com,C\n").statuses["pending"] == 1


@pytest.mark.parametrize(
    ("word", "zone"),
    [("GMT+8", "Etc/GMT-8"), ("asia/singapore", "Asia/Singapore"), ("SGT", "Asia/Singapore"), ("+08:00", "Etc/GMT-8"),
     ("UTC-3", "Etc/GMT+3"), ("+05:30", "Asia/Kolkata"), ("US/Eastern", "US/Eastern"), ("Europe/Paris", "Europe/Paris"),
     ('"(GMT-05:00) Eastern Time (US & Canada)"', "America/New_York"), ("(UTC+01:00) Nowhere", "Etc/GMT-1"),
     ("CST", ""), ("Mars/Olympus", "")],
)  # fmt: skip
def test_time_zones_in_the_words_of_people(load: Load, word: str, zone: str) -> None:
    report = load(f"email,timezone\nada@example.com,{word}\n")

    assert Subscriber.objects.get().timezone == zone
    assert len(report.warnings) == (not zone)


@pytest.mark.parametrize(
    ("word", "tag"),
    [("English", "en"), ("French", "fr"), ("Portuguese", "pt"), ("Portuguese (Brazil)", "pt-BR"), ("Deutsch", "de"),
     ("Chinese (Traditional)", "zh-Hant"), ("fr_ca", "fr-CA"), ("english please", ""), ("Klingon", "")],
)  # fmt: skip
def test_languages_in_the_words_of_people(load: Load, word: str, tag: str) -> None:
    report = load(f"email,language\nada@example.com,{word}\n")

    assert Subscriber.objects.get().language == tag
    assert len(report.warnings) == (not tag)


@pytest.mark.parametrize(
    "content",
    [
        'Email Address,"Interests (news;sport;arts;food)"\nada@example.com,news\n',
        "E-Mail-Adresse;Vorname\r\nada@example.com;Jo\r\n",
        "email|name\nada@example.com|Jo, Ida; and Al\n",
        "email\nada@example.com\n",
    ],
)
def test_the_separator_is_found_by_all_rows(load: Load, content: str) -> None:
    assert load(content).created == 1
    assert Subscriber.objects.get().email == "ada@example.com"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1252", "Jörg Müller"), ("cp1252", "Hélène García"), ("cp1250", "Jiří Dvořák"), ("cp932", "やまだ タロウ")],
)
def test_old_encodings_are_read_where_they_are_certain(load: Load, encoding: str, name: str) -> None:
    report = load(f"email,name\nada@example.com,{name}\n".encode(encoding))

    assert (report.encoding, report.rejected) == (encoding, ())
    assert Subscriber.objects.get().name == name


def test_in_doubt_the_encoding_has_to_be_named(load: Load) -> None:
    content = "email,name\nada@example.com,山田\n".encode("cp932")
    with pytest.raises(InputError, match="name its encoding with --encoding"):
        load(content)

    assert load(content, encoding="shift_jis").encoding == "shift_jis"
    assert Subscriber.objects.get().name == "山田"
    with pytest.raises(InputError, match="--encoding: there is no encoding 'klingon'"):
        load(content, encoding="klingon")


def test_warnings_end_somewhere(load: Load) -> None:
    people = "".join(f"r{number}@example.com,Mars\n" for number in range(1100))
    report = load(f"email,timezone\n{people}")

    assert len(report.warnings) == 1001
    assert report.warnings[-1].message == "and 100 more like these"


SHARED = Path(os.environ.get("NEWSDESK_IMPORTS", "../shared/cases/imports"))
#: Who is mailed of each shared file.
CASES = {
    "buttondown_export": {"bd1"},
    "cleaned_members_export_a1b2c3": set(),
    "clear": {"clr"},
    "consent_dates": set(),
    "email_list.mypub": {"ss1", "ss2"},
    "excel_email_adresse": {"xa1"},
    "excel_semicolon_1252": {"xl1", "xl2"},
    "excel_sep_line": {"xs1", "xs2"},
    "heading_semicolons": {"hq1"},
    "lang_words": {"lw1", "lw2", "lw3", "lw4"},
    "listmonk_subscribers": {"lm1"},
    "members.2026-11-20": {"gh1", "gh3"},
    "ragged": {"r1", "r2", "r3", "r4"},
    "subscribed_members_export_a1b2c3": {"mc1", "mc2", "mc3", "mc4"},
    "two_stray_quotes": {f"sq{number}" for number in range(1, 62) if number != 2},
    "tzs": {"tz1", "tz2", "tz3", "tz4", "tz5"},
    "unsubscribed_members_export_a1b2c3": set(),
    "unsubscribed_members_export_old": set(),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared cases are not at hand")
@pytest.mark.parametrize("case", CASES)
def test_the_shared_cases(load: Load, case: str) -> None:
    load((SHARED / f"{case}.csv").read_bytes(), f"{case}.csv")

    assert mailed() == CASES[case]


def test_titles_above_the_heading_are_left_out_and_said(load: Load) -> None:
    report = load(
        "Readers of May\n\nE-mail;Name;Status\nada@example.com;Ada;Subscribed\nbob@example.com;Bob;Unsubscribed\nSum: 2;;\n"
    )

    assert (report.rows, report.created, [one.line for one in report.rejected]) == (3, 2, [6])
    assert mailed() == {"ada"}
    assert [one.line for one in report.warnings] == [1]
    assert "line 3 names the columns" in report.warnings[0].message


def test_a_row_of_people_is_no_title(load: Load) -> None:
    with pytest.raises(InputError, match="line 1: no column named email"):
        load("ada@example.com,Ada\nemail,name\nbob@example.com,Bob\n")


@pytest.mark.parametrize("choices", [{}, {"only": ("city",)}])
def test_a_word_that_says_it_outright_is_heard_in_any_column(load: Load, choices: dict[str, tuple[str, ...]]) -> None:
    report = load(
        "email,Weekly,city,Note\nada@example.com,subscribed,Rome,\nbob@example.com,Unsubscribed,Rome,\n"
        "cleo@example.com,subscribed,Oslo,unsubscribed by phone\n",
        **choices,
    )

    assert mailed() == {"ada", "cleo"}
    assert [(one.line, one.message.split(":")[0]) for one in report.warnings] == [
        (3, "Weekly says 'Unsubscribed'"),
        (4, "Note speaks of leaving"),
    ]


@pytest.mark.parametrize("choices", [{"columns": {"Weekly": "weekly"}}, {"drop": ("Weekly",)}])
def test_who_names_a_column_has_looked_at_it(load: Load, choices: dict[str, object]) -> None:
    load("email,Weekly\nada@example.com,unsubscribed\n", **choices)

    assert mailed() == {"ada"}


def test_the_only_column_of_states_stops_at_a_word_that_nobody_knows(load: Load) -> None:
    content = "email,Statut email\nada@example.com,abonné\nbob@example.com,parti en vacances\n"
    with pytest.raises(InputError, match="line 3: Statut email: 'parti en vacances' is no state"):
        load(content)

    load(content, columns={"Statut email": "statut"})
    assert mailed() == {"ada", "bob"}
