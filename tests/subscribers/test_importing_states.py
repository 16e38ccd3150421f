"""Who had left another service is never mailed by this one: every preset, every order of files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.importing.presets import PRESETS
from subscribers.models import Consent, List, Subscriber, Subscription, Suppression
from subscribers.suppression import unsubscribe
from tests.subscribers.importing import Load, mailed

pytestmark = pytest.mark.django_db


#: preset, file name, header, rows; those whose address begins with "yes" are mailed, nobody else.
FILES = [
    ("mailchimp", "subscribed_x.csv", "Email Address,First Name,Last Name,MEMBER_RATING,CONFIRM_TIME,EUID,TAGS",
     ['yes@e.example,Ana,Silva,4,2019-03-14 09:14:00,ab,"""VIP"",""Blog, weekly"""']),
    ("mailchimp", "audience.csv", "Email Address,MEMBER_RATING,LEID,UNSUB_TIME", ["no@e.example,1,1,2022-05-05 05:05:05"]),
    ("mailchimp", "audience.csv", "Email Address,MEMBER_RATING,LEID,CLEAN_TIME", ["no@e.example,1,1,"]),
    ("substack", "email_list.csv", "email,active_subscription,expiry,plan,email_disabled,created_at",
     ["yes@e.example,false,,other,false,2021-02-03T04:05:06.789Z", "no@e.example,true,,other,true,2020-05-01T00:00:00Z"]),
    ("ghost", "members.csv", "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels",
     ["1,yes@e.example,G,,true,,2022-04-06T07:42:08.000Z,,vip", "2,no1@e.example,G,,false,,2022-04-06T07:42:08.000Z,,",
      "3,no2@e.example,G,,true,,2022-04-06T07:42:08.000Z,2023-01-01T00:00:00.000Z,"]),
    ("listmonk", "subscribers.csv", "uuid,email,name,attributes,status,created_at,updated_at",
     ["a,yes@e.example,L,{},enabled,2021-01-02T03:04:05Z,", "b,no1@e.example,L,{},blocklisted,,",
      "c,no2@e.example,L,{},disabled,,"]),
    ("buttondown", "export.csv", "email,notes,metadata,tags,subscriber_type,creation_date,unsubscription_date",
     ["yes@e.example,,{},,regular,2019-08-24T14:15:22Z,", "no1@e.example,,{},,unactivated,,",
      "no2@e.example,,{},,undeliverable,,", "no3@e.example,,{},,regular,,2020-01-01T00:00:00Z"]),
    ("beehiiv", "export.csv", "email,status,subscription_tier,created_at,utm_source",
     ["yes@e.example,active,free,2023-01-01 10:00:00,x", "no1@e.example,inactive,free,,", "no2@e.example,pending,free,,",
      "no3@e.example,validating,free,,"]),
    ("sendy", "list.csv", "Name,Email,Joined,Status",
     ["S,yes@e.example,2020-01-01,Subscribed", "S,no1@e.example,2020-01-01,Unsubscribed", "S,no2@e.example,,Bounced",
      "S,no3@e.example,,Marked as spam", "S,no4@e.example,,Unconfirmed"]),
    ("kit", "subscribers.csv", "email,first_name,state,created_at,tags",
     ["yes@e.example,K,active,2023-02-03T04:05:06Z,a", "no1@e.example,K,inactive,,", "no2@e.example,K,cancelled,,",
      "no3@e.example,K,bounced,,", "no4@e.example,K,complained,,"]),
    ("mailerlite", "subscribers.csv", "Subscriber,Status,Sent,Opens,Clicks,Subscribed,Unsubscribed",
     ["yes@e.example,Active,1,1,0,2022-01-01 00:00:00,", "no1@e.example,Unsubscribed,1,1,0,2022-01-01,2022-02-02 00:00:00",
      "no2@e.example,Junk,1,0,0,2022-01-01,", "no3@e.example,Active,1,1,0,2022-01-01,2022-02-02 00:00:00"]),
    ("hubspot", "contacts.csv", "Record ID,First Name,Last Name,Email,Unsubscribed from all email,Email hard bounce reason",
     ["1,H,S,yes@e.example,false,", "2,H,S,no1@e.example,true,", "3,H,S,no2@e.example,,UNKNOWN_USER"]),
    ("hubspot", "contacts.csv", "Record ID,Email,Opted out of email: News", ["1,yes@e.example,No", "2,no@e.example,Yes"]),
    ("brevo", "contacts.csv", "CONTACT ID,EMAIL,FIRSTNAME,LASTNAME,EMAIL_BLACKLISTED,ADDED_TIME",
     ["1,yes@e.example,B,R,No,2022-01-01 00:00:00", "2,no@e.example,B,R,Yes,2022-01-01 00:00:00"]),
    ("mailcoach", "subscribers.csv", "email,first_name,last_name,tags,subscribed_at,unsubscribed_at",
     ["yes@e.example,M,C,a;b,2022-01-01 00:00:00,", "no1@e.example,M,C,,2022-01-01 00:00:00,2022-02-02 00:00:00",
      "no2@e.example,M,C,,,"]),
    ("keila", "contacts.csv", "Email,First name,Last name,Data,Status",
     ['yes@e.example,K,E,"{""city"": {""name"": ""Oslo""}}",active', "no1@e.example,K,E,,unsubscribed",
      "no2@e.example,K,E,,unreachable"]),
    ("campaign-monitor", "list.csv", "Email Address,Name,Status,Subscribed date",
     ["yes@e.example,C,Active,01/13/2022", "no1@e.example,C,Unsubscribed,", "no2@e.example,C,Bounced,",
      "no3@e.example,C,Deleted,", "no4@e.example,C,Unconfirmed,"]),
    ("newsdesk", "unsubscribed.csv", "email,tags,attributes,status,since,left_at,consent_at,consent_source,consent_wording",
     ["yes@e.example,[],{},active,,,,,", "no1@e.example,[],{},left_list,,2020-01-01,,,", "no2@e.example,[],{},complaint,,,,,"]),
    ("generic", "list.csv", "email,statut", ["yes@e.example,Abonné", "no1@e.example,Désabonné", "no2@e.example,spam"]),
    ("generic", "list.csv", "email,opt_in", ["yes@e.example,ja", "no1@e.example,nein", "no2@e.example,"]),
    ("generic", "list.csv", "email,unsubscribed_at", ["yes@e.example,", "no1@e.example,2020-01-01", "no2@e.example,some day"]),
    ("generic", "list.csv", "email,blocklisted,deleted_at", ["yes@e.example,0,", "no1@e.example,1,", "no2@e.example,0,2020-01-01"]),
    ("generic", "list.csv", "email,state,city", ["yes@e.example,CA,Oakland"]),
    *[("generic", name, "email", ["no@e.example"]) for name in (
        "unsubscribed_2024.csv", "cleaned_members.csv", "Bounced contacts.csv", "complaints.csv", "MyUnsubscribes.csv",
        "opted-out.csv")],
    ("generic", "unsubscribed_x.csv", "email,status", ["no@e.example,active"]),
    ("generic", "not-unsubscribed.csv", "email", ["yes@e.example"]),
    ("generic", "readers_cleaned.csv", "email", ["yes@e.example"]),
    ("generic", "list.csv", "email,Email Marketing Consent", ["yes@e.example,SUBSCRIBED", "no@e.example,NEVER_SUBSCRIBED"]),
    ("generic", "list.csv", "email,Stop Time,Abgemeldet", ["yes@e.example,,", "no1@e.example,2020-01-01 00:00,", "no2@e.example,,ja"]),
]  # fmt: skip


@pytest.mark.parametrize(("preset", "name", "header", "rows"), FILES)
def test_only_who_is_subscribed_is_mailed(load: Load, preset: str, name: str, header: str, rows: list[str]) -> None:
    report = load("\n".join([header, *rows]), name=name)

    assert (report.preset, report.created, report.rejected) == (preset, len(rows), ())
    assert mailed() == {row.split("@")[0].split(",")[-1] for row in rows if "yes@" in row}


def test_who_bounced_softly_elsewhere_of_ours_stays_on_the_list_and_is_not_mailed(load: Load) -> None:
    header = "email,tags,attributes,status,since,left_at,consent_at,consent_source,consent_wording"
    report = load(f"{header}\nada@e.example,[],{{}},soft_bounce,,,,,\n")

    assert (report.statuses["soft_bounce"], mailed(), Subscription.objects.get().status) == (1, set(), "active")
    assert load(f"{header}\nada@e.example,[],{{}},soft_bounce,,,,,\n").unchanged == 1
    assert "soft_bounce" not in load("email,status\nbob@e.example,soft bounce\n").statuses
    assert mailed() == {"bob"}


def test_every_preset_is_tried() -> None:
    assert {preset.name for preset in PRESETS} == {file[0] for file in FILES}


@pytest.mark.parametrize(
    ("word", "reason", "scoped"),
    [("unsubscribed", "unsubscribed", True), ("bounced", "hard_bounce", False), ("spam", "complaint", False),
     ("invalid", "invalid", False), ("blocklisted", "manual", True)],
)  # fmt: skip
def test_who_left_is_suppressed_for_the_reason(
    load: Load, publication: Publication, word: str, reason: str, scoped: bool
) -> None:
    report = load(f"email,status\nno@e.example,{word}\n")

    assert report.statuses[reason] == 1
    assert Suppression.objects.values_list("address", "reason", "publication_id").get() == (
        "no@e.example", reason, publication.pk if scoped else None,
    )  # fmt: skip
    assert Subscription.objects.get().status == "unsubscribed"
    again = load(f"email,status\nno@e.example,{word}\n")
    assert (again.unchanged, Consent.objects.filter(kind="withdrawn").count()) == (1, word in {"unsubscribed", "spam"})


@pytest.mark.parametrize("worse", ["pending", "unsubscribed", "bounced", "complained", "invalid", "blocked"])
@pytest.mark.parametrize("files", ["worse first", "better first", "one file", "one file, turned"])
def test_the_worse_state_holds_in_whatever_order(load: Load, worse: str, files: str) -> None:
    rows = [f"ada@e.example,{worse}", "ada@e.example,active"]
    if files in {"better first", "one file, turned"}:
        rows.reverse()
    for part in [rows] if files.startswith("one") else [[row] for row in rows]:
        load("\n".join(["email,status", *part]))

    assert mailed() == set()


@pytest.mark.parametrize("column", ["status", "opt_in", "email_disabled"])
def test_an_unknown_word_stops_everything(load: Load, column: str) -> None:
    with pytest.raises(InputError, match=rf"people\.csv: line 3: {column}: 'perhaps' is no state") as refusal:
        load(f"email,{column}\nada@e.example,yes\nbob@e.example,perhaps\n")

    assert f'--map "{column}=NAME"' in str(refusal.value)
    assert not Subscriber.objects.exists()
    assert not List.objects.exists()


def test_consent_keeps_its_own_dates_source_and_shortened_address(load: Load) -> None:
    load(
        "email,subscribed_at,consent_source,consent_ip,status,consent_text,unsubscribed_at\n"
        "ada@e.example,2019-03-14T09:12:31Z,checkout form,192.0.2.77,active,Yes please,\n"
        "bob@e.example,2019-03-14T09:12:31Z,,2001:db8:1:2::3,unsubscribed,,2020-02-03 04:05:06\n"
    )

    signed, left = datetime(2019, 3, 14, 9, 12, 31, tzinfo=UTC), datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert list(Consent.objects.order_by("subscriber__email", "at").values_list("kind", "at", "source", "wording")) == [
        ("given", signed, "checkout form; 192.0.2.0/24; import people.csv", "Yes please"),
        ("given", signed, "2001:db8:1::/48; import people.csv", ""),
        ("withdrawn", left, "2001:db8:1::/48; import people.csv", ""),
    ]
    assert Subscription.objects.order_by("changed_at").values_list("subscribed_at", "status").first() == (
        signed, "unsubscribed",
    )  # fmt: skip


def test_columns_are_chosen_and_dropped(load: Load) -> None:
    report = load(
        "email,Given name,status,Standing,secret\nada@e.example,Ada,gold,active,x\nbob@e.example,Bob,gold,left,x\n",
        columns={"Given name": "name"}, status_column="Standing", drop=("secret",), preset="generic",
    )  # fmt: skip

    assert (report.unknown_columns, report.left_out, mailed()) == (("status",), ("secret",), {"ada"})
    ada = Subscriber.objects.get(email="ada@e.example")
    assert (ada.name, ada.attributes) == ("Ada", {"status": "gold"})


@pytest.mark.parametrize(
    ("choices", "message"),
    [({"preset": "pigeon"}, "--preset: there is no 'pigeon'"), ({"drop": ("x",)}, "--drop: there is no column 'x'"),
     ({"status_column": "x"}, "--status-column: there is no column"), ({"columns": {"x": "name"}}, "--map: there is no")],
)  # fmt: skip
def test_a_choice_that_fits_nothing_is_refused(load: Load, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load("email\nada@e.example\n", **choices)


def test_who_left_here_is_not_brought_back(load: Load, publication: Publication) -> None:
    load("email\nada@e.example\n")
    unsubscribe(Subscriber.objects.get().pk, publication.pk, "one-click")
    load("email,status,subscribed_at\nada@e.example,active,2019-01-01\n")

    assert mailed() == set()


def test_names_tags_and_nested_attributes(load: Load, tmp_path: Path) -> None:
    load(
        "email,First Name,Last Name,tags,attributes\n"
        'a@e.example,Ana,Silva,"[""vip"", ""beta""]","{""city"": ""Oslo"", ""home"": {""floor"": 3}}"\n'
        'b@e.example,,Solo,"""VIP"",""Blog, weekly""",\nc@e.example,,,a|b;c,no json\n'
    )

    assert list(Subscriber.objects.order_by("email").values_list("name", "tags", "attributes")) == [
        ("Ana Silva", ["vip", "beta"], {"city": "Oslo", "home.floor": "3"}),
        ("Solo", ["VIP", "Blog, weekly"], {}),
        ("", ["a", "b", "c"], {"attributes": "no json"}),
    ]


def test_that_somebody_left_is_kept_whatever_their_name(load: Load) -> None:
    report = load(f"email,name,status\nada@e.example,{'A' * 201},unsubscribed\nbob@e.example,{'B' * 201},active\n")

    assert ([warning.line for warning in report.warnings], [line for line, _ in report.rejected]) == ([2], [3])
    assert (Subscription.objects.get().status, Subscriber.objects.get().name) == ("unsubscribed", "")


def test_a_column_that_may_say_who_left_is_pointed_at(load: Load) -> None:
    report = load("email,Mailing bounce class\nada@e.example,x\n")

    assert report.warnings[0].message.startswith("Mailing bounce class is kept as an attribute")
    read = load("email,Newsletter abbestellt\nbob@e.example,ja\n")
    assert (read.warnings[0].line, read.warnings[0].message[:28], mailed()) == (
        1,
        "Newsletter abbestellt is rea",
        {"ada"},
    )
    load("email,Newsletter abbestellt\neve@e.example,ja\n", columns={"Newsletter abbestellt": "print"})
    assert mailed() == {"ada", "eve"}
    assert not load("email,Mailing bounce class\nada@e.example,x\n", columns={"Mailing bounce class": "class"}).warnings
