"""Which tables can hold a person: every model has its place here, and a new one finds it before it is used (a test says so).

`export` shows, and `erasing` empties, what stands under `Holds.READERS` and `Holds.WORDS`.
"""

from enum import Enum


class Holds(Enum):
    """Of whom a table's rows tell."""

    #: Readers, by their id or their address.
    READERS = "readers"
    #: Anything in words of people or providers, in which an address may stand (`WORDS`).
    WORDS = "words"
    #: Those who work at the desk; an account ends at the desk, under Team.
    DESK = "desk"
    #: What editors have written for everybody to read.
    EDITORIAL = "editorial"
    #: Nobody.
    NOBODY = "nobody"


TABLES: dict[str, Holds] = {
    "account.EmailAddress": Holds.DESK,
    "account.EmailConfirmation": Holds.DESK,
    "auth.Group": Holds.NOBODY,
    "auth.Group_permissions": Holds.NOBODY,
    "auth.Permission": Holds.NOBODY,
    "auth.User": Holds.DESK,
    "auth.User_groups": Holds.DESK,
    "auth.User_user_permissions": Holds.DESK,
    "composer.Approval": Holds.EDITORIAL,
    "composer.Edition": Holds.EDITORIAL,
    "composer.Holiday": Holds.NOBODY,
    "composer.Membership": Holds.DESK,
    "composer.Placement": Holds.EDITORIAL,
    "composer.Publication": Holds.EDITORIAL,
    "composer.Remark": Holds.EDITORIAL,
    "composer.Review": Holds.EDITORIAL,
    "composer.Source": Holds.EDITORIAL,
    "composer.SourceEntry": Holds.NOBODY,
    "composer.Story": Holds.EDITORIAL,
    "composer.StoryVector": Holds.NOBODY,
    "composer.Variant": Holds.EDITORIAL,
    "contenttypes.ContentType": Holds.NOBODY,
    "mfa.Authenticator": Holds.DESK,
    "sessions.Session": Holds.DESK,
    "socialaccount.SocialAccount": Holds.DESK,
    "socialaccount.SocialApp": Holds.NOBODY,
    "socialaccount.SocialToken": Holds.NOBODY,
    "subscribers.Consent": Holds.READERS,
    "subscribers.ConsentSeal": Holds.NOBODY,
    "subscribers.LiftedSuppression": Holds.READERS,
    "subscribers.List": Holds.NOBODY,
    "subscribers.MergedReader": Holds.READERS,
    "subscribers.ListGrowth": Holds.NOBODY,
    "subscribers.Segment": Holds.EDITORIAL,
    "subscribers.Subscriber": Holds.READERS,
    "subscribers.Subscription": Holds.READERS,
    "subscribers.Suppression": Holds.READERS,
    "subscribers.TrackingAnswer": Holds.READERS,
    "taggit.Tag": Holds.NOBODY,
    "taggit.TaggedItem": Holds.NOBODY,
    "tasks.Action": Holds.WORDS,
    "tasks.Alarm": Holds.WORDS,
    "tasks.AlarmPost": Holds.NOBODY,
    "tasks.AlarmWay": Holds.WORDS,
    # Its file holds readers by their numbers only.
    "tasks.ArchivedSend": Holds.NOBODY,
    "tasks.Attempt": Holds.WORDS,
    "tasks.Batch": Holds.NOBODY,
    "tasks.Delivery": Holds.READERS,
    "tasks.Erasure": Holds.NOBODY,
    "tasks.Event": Holds.READERS,
    "tasks.Exclusion": Holds.READERS,
    "tasks.Installation": Holds.NOBODY,
    "tasks.LinkCheck": Holds.EDITORIAL,
    "tasks.MailboxDomain": Holds.WORDS,
    "tasks.Receipt": Holds.READERS,
    "tasks.Recurrence": Holds.NOBODY,
    "tasks.Recurrence_lists": Holds.NOBODY,
    "tasks.Send": Holds.WORDS,
    "tasks.Send_lists": Holds.NOBODY,
    "tasks.Slot": Holds.NOBODY,
    "tasks.SourceCheck": Holds.EDITORIAL,
    "tasks.Sunset": Holds.DESK,
    "tasks.SuppressionSync": Holds.WORDS,
    "tasks.TransactionalMail": Holds.READERS,
    "tasks.TransportState": Holds.WORDS,
    "tasks.WarmUp": Holds.WORDS,
    "tasks.WebhookCall": Holds.NOBODY,
    "tasks.WebhookState": Holds.NOBODY,
    "usersessions.UserSession": Holds.DESK,
    "wagtailadmin.Admin": Holds.NOBODY,
    "wagtailadmin.EditingSession": Holds.DESK,
    "wagtailadmin.FormState": Holds.DESK,
    "wagtailcore.APIToken": Holds.DESK,
    "wagtailcore.Collection": Holds.NOBODY,
    "wagtailcore.CollectionViewRestriction": Holds.NOBODY,
    "wagtailcore.CollectionViewRestriction_groups": Holds.NOBODY,
    "wagtailcore.Comment": Holds.EDITORIAL,
    "wagtailcore.CommentReply": Holds.EDITORIAL,
    "wagtailcore.GroupApprovalTask": Holds.NOBODY,
    "wagtailcore.GroupApprovalTask_groups": Holds.NOBODY,
    "wagtailcore.GroupCollectionPermission": Holds.NOBODY,
    "wagtailcore.GroupPagePermission": Holds.NOBODY,
    "wagtailcore.GroupSitePermission": Holds.NOBODY,
    "wagtailcore.Locale": Holds.NOBODY,
    "wagtailcore.ModelLogEntry": Holds.WORDS,
    "wagtailcore.Page": Holds.EDITORIAL,
    "wagtailcore.PageLogEntry": Holds.WORDS,
    "wagtailcore.PageSubscription": Holds.DESK,
    "wagtailcore.PageViewRestriction": Holds.NOBODY,
    "wagtailcore.PageViewRestriction_groups": Holds.NOBODY,
    "wagtailcore.ReferenceIndex": Holds.NOBODY,
    "wagtailcore.Revision": Holds.EDITORIAL,
    "wagtailcore.Site": Holds.NOBODY,
    "wagtailcore.Task": Holds.NOBODY,
    "wagtailcore.TaskState": Holds.EDITORIAL,
    "wagtailcore.UploadedFile": Holds.DESK,
    "wagtailcore.Workflow": Holds.NOBODY,
    "wagtailcore.WorkflowContentType": Holds.NOBODY,
    "wagtailcore.WorkflowPage": Holds.NOBODY,
    "wagtailcore.WorkflowState": Holds.NOBODY,
    "wagtailcore.WorkflowTask": Holds.NOBODY,
    "wagtaildocs.Document": Holds.EDITORIAL,
    "wagtailembeds.Embed": Holds.EDITORIAL,
    "wagtailimages.Image": Holds.EDITORIAL,
    "wagtailimages.Rendition": Holds.NOBODY,
    "wagtailsearch.IndexEntry": Holds.EDITORIAL,
    "wagtailusers.UserProfile": Holds.DESK,
}

#: Columns in which an address may stand among other words, also in rows that are about somebody or something else.
WORDS: dict[str, tuple[str, ...]] = {
    "subscribers.Consent": ("source", "wording"),
    "subscribers.LiftedSuppression": ("why",),
    "subscribers.Suppression": ("detail",),
    "tasks.Action": ("why", "who"),
    "tasks.Alarm": ("message",),
    "tasks.AlarmWay": ("said",),
    "tasks.Attempt": ("evidence",),
    "tasks.Event": ("url", "agent"),
    "tasks.MailboxDomain": ("throttle_reason",),
    "tasks.Receipt": ("error",),
    "tasks.Send": ("pause_reason",),
    "tasks.SuppressionSync": ("error",),
    "tasks.TransactionalMail": ("subject", "html", "text", "headers", "substitutions", "unsubscribe_url", "said"),
    "tasks.TransportState": ("throttle_reason",),
    "tasks.WarmUp": ("throttle_reason",),
    "wagtailcore.ModelLogEntry": ("label", "data"),
    "wagtailcore.PageLogEntry": ("label", "data"),
}
