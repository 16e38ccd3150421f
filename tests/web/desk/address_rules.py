"""Every address of the desk, and who may open it with which methods: what test_every_address.py holds the desk to."""

from collections.abc import Mapping
from typing import NamedTuple

from composer.permissions import Right

READ, BOTH, POST = ("GET",), ("GET", "POST"), ("POST",)


class Rule(NamedTuple):
    #: A right; "inside": any role will do; "superuser"; "everybody": also without a login.
    who: Right | str
    #: here: in the object's publication; any: in some publication; all: in all of them.
    scope: str = "here"
    methods: tuple[str, ...] = READ


def viewset(namespace: str, change: Right, see: Right, **more: Rule) -> dict[str, Rule]:
    rules = {
        "list": Rule(see, "any"),
        "list_results": Rule(see, "any"),
        "add": Rule(change, "any", BOTH),
        "edit": Rule(change, "here", BOTH),
        "delete": Rule(change, "here", BOTH),
        "usage": Rule(change),
        "history": Rule(change),
        "history_results": Rule(change),
        **more,
    }
    return {f"{namespace}:{name}": rule for name, rule in rules.items()}


def with_revisions(change: Right) -> dict[str, Rule]:
    return {
        "inspect": Rule(Right.SEE),
        # Nothing to show before something was posted; a preview changes nothing.
        "preview_on_add": Rule(change, "any", BOTH),
        "preview_on_edit": Rule(change, "here", BOTH),
        "revisions_view": Rule(change),
        "revisions_revert": Rule(change, "here", BOTH),
        "revisions_compare": Rule(change),
    }


def chooser(name: str, see: Right) -> dict[str, Rule]:
    rules = {
        # They list what the person may see, which may be nothing.
        "choose": Rule("inside"),
        "choose_results": Rule("inside"),
        "chosen_multiple": Rule("inside"),
        "chosen": Rule(see),
    }
    return {f"wagtailsnippetchoosers_composer_{name}:{view}": rule for view, rule in rules.items()}


RULES: Mapping[str, Rule] = {
    "wagtailadmin_home": Rule("inside"),
    **viewset(
        "wagtailsnippets_composer_edition",
        Right.EDIT,
        Right.SEE,
        **with_revisions(Right.EDIT),
        lock=Rule(Right.EDIT, "here", POST),
        unlock=Rule(Right.APPROVE, "here", POST),
        reopen=Rule(Right.APPROVE, "here", POST),
        send_test=Rule(Right.EDIT, "here", POST),
        as_reader=Rule(Right.READERS, "here", POST),
        schedule=Rule(Right.SEND, "here", BOTH),
        sends=Rule(Right.RESULTS),
        send_action=Rule(Right.SEND, "here", BOTH),
        decide_batch=Rule(Right.SEND, "here", BOTH),
        decide_batches=Rule(Right.SEND, "here", BOTH),
        send_back=Rule(Right.APPROVE, "here", BOTH),
        mail=Rule(Right.SEE),
        story_state=Rule(Right.SEE),
        remarks=Rule(Right.EDIT, "here", BOTH),
        resolve_remark=Rule(Right.EDIT, "here", POST),
    ),
    **viewset(
        "wagtailsnippets_composer_story",
        Right.WRITE,
        Right.SEE,
        **with_revisions(Right.WRITE),
        copy=Rule(Right.WRITE, "here", BOTH),
        # As the chooser: what the person may not see does not come.
        as_blocks=Rule("inside"),
        take_words=Rule(Right.WRITE, "here", POST),
    ),
    **viewset(
        "wagtailsnippets_composer_source",
        Right.SOURCES,
        Right.SOURCES,
        copy=Rule(Right.SOURCES, "here", BOTH),
    ),
    **chooser("edition", Right.SEE),
    **chooser("story", Right.SEE),
    **chooser("source", Right.SOURCES),
    "publication:index": Rule(Right.PUBLICATION, "any"),
    "publication:index_results": Rule(Right.PUBLICATION, "any"),
    "publication:add": Rule(Right.PUBLICATION, "all", BOTH),
    "publication:edit": Rule(Right.PUBLICATION, "here", BOTH),
    # Its editions keep it: the page says so, and posting is refused.
    "publication:delete": Rule(Right.PUBLICATION, "all"),
    "publication:history": Rule(Right.PUBLICATION),
    "publication:history_results": Rule(Right.PUBLICATION),
    "publication:usage": Rule(Right.PUBLICATION),
    "desk_add_stories": Rule(Right.WRITE, "any", BOTH),
    "desk_calendar": Rule(Right.SEE, "any"),
    "desk_remove_holiday": Rule(Right.PUBLICATION, "here", POST),
    "desk_stop_weekly_slot": Rule(Right.PUBLICATION, "here", POST),
    # What it finds is for those who may see it; a role finds nothing by itself.
    "desk_search": Rule("inside"),
    "desk_sunset": Rule(Right.PUBLICATION, "here", BOTH),
    "desk_database_question": Rule(Right.APPROVE, "all", BOTH),
    "desk_clear_alarm": Rule(Right.APPROVE, "here", POST),
    "desk_team": Rule(Right.TEAM, "any"),
    "desk_team_add": Rule(Right.TEAM, "any", BOTH),
    "desk_team_person": Rule(Right.TEAM, "here", BOTH),
    "desk_team_activity": Rule(Right.TEAM, "here", BOTH),
    "desk_team_link": Rule(Right.TEAM, "here", POST),
    # One library of images for all publications; this image was added by somebody else.
    "wagtailimages:index": Rule(Right.WRITE, "any"),
    "wagtailimages:index_results": Rule(Right.WRITE, "any"),
    "wagtailimages:add": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages:add_multiple": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages:edit": Rule(Right.WRITE, "all", BOTH),
    "wagtailimages:delete": Rule(Right.WRITE, "all", BOTH),
    "wagtailimages:image_usage": Rule(Right.WRITE, "all"),
    "wagtailimages_chooser:choose": Rule("inside"),
    "wagtailimages_chooser:choose_results": Rule("inside"),
    "wagtailimages_chooser:chosen_multiple": Rule("inside"),
    "wagtailimages_chooser:chosen": Rule(Right.WRITE, "any"),
    "wagtailimages_chooser:create": Rule(Right.WRITE, "any", BOTH),
    "wagtailimages_chooser:select_format": Rule(Right.WRITE, "any"),
    # One's own account and open pages, and what the editor's scripts ask.
    "wagtailadmin_account": Rule("inside", methods=BOTH),
    "wagtailadmin_dismissibles": Rule("inside", methods=("PATCH",)),
    "wagtailadmin_editing_sessions:ping": Rule(Right.EDIT, "here", POST),
    "wagtailadmin_editing_sessions:release": Rule("inside", methods=POST),
    "wagtailadmin_choose_page_external_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_email_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_phone_link": Rule("inside", methods=BOTH),
    "wagtailadmin_choose_page_anchor_link": Rule("inside", methods=BOTH),
    "wagtailadmin_tag_autocomplete": Rule("inside"),
    "wagtail_bulk_action": Rule("inside", methods=BOTH),
    "wagtailadmin_reports:site_history": Rule("superuser"),
    "wagtailadmin_reports:site_history_results": Rule("superuser"),
    # One's own login.
    "account_logout": Rule("everybody"),
    "account_inactive": Rule("everybody"),
    "account_reauthenticate": Rule("inside", methods=BOTH),
    "account_change_password": Rule("inside", methods=BOTH),
    # Whoever has a password is led to changing it.
    "account_set_password": Rule("inside", methods=BOTH),
    "usersessions_list": Rule("inside", methods=BOTH),
    "mfa_index": Rule("inside"),
    "mfa_activate_totp": Rule("inside", methods=BOTH),
    "mfa_generate_recovery_codes": Rule("inside", methods=BOTH),
    "mfa_list_webauthn": Rule("inside"),
    "mfa_add_webauthn": Rule("inside", methods=BOTH),
    # Before anybody is logged in.
    "account_login": Rule("everybody", methods=BOTH),
    # Without an identity provider there is nothing: tests/web/test_identity_provider.py.
    "organisation_login": Rule("nobody", methods=()),
    "organisation_callback": Rule("nobody", methods=()),
    "account_reset_password": Rule("everybody", methods=BOTH),
    "account_reset_password_done": Rule("everybody"),
    "account_reset_password_from_key": Rule("everybody", methods=BOTH),
    "account_reset_password_from_key_done": Rule("everybody"),
    "invitation": Rule("everybody", methods=BOTH),
    "mfa_login_webauthn": Rule("everybody"),
    "wagtailadmin_login": Rule("everybody", methods=BOTH),
    # It leads to the login, whoever asks.
    "wagtailadmin_logout": Rule("everybody", methods=()),
    "wagtailadmin_password_reset": Rule("everybody", methods=READ),
    "wagtailadmin_password_reset_done": Rule("everybody"),
    "wagtailadmin_javascript_catalog": Rule("everybody"),
    "wagtailadmin_sprite": Rule("everybody"),
}
#: They have nothing to show of what this test has none of: an upload of several images under way, a block's preview, a class of tags.
NOTHING_THERE = frozenset(
    {
        "wagtailimages:edit_multiple",
        "wagtailimages:delete_multiple",
        "wagtailimages:create_multiple_from_uploaded_image",
        "wagtailimages:delete_upload_multiple",
        "wagtailadmin_block_preview",
        "wagtailadmin_tag_model_autocomplete",
        # Wagtail's own way to a new password, closed by its setting.
        "wagtailadmin_password_reset_confirm",
        "wagtailadmin_password_reset_complete",
        # Nobody has a second factor, or is half logged in.
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_authenticate",
    }
)
#: What every form gets; Wagtail fails where a title, a link's address or the number of blocks is missing.
FORM = b"title=River&content-count=0&external-link-chooser-url=https%3A%2F%2Fexample.com%2F"
