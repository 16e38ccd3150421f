"""Newsdesk's own export: every cell is read back exactly as it was (`subscribers.interchange`)."""

from subscribers.importing.presets.preset import Preset, columns
from subscribers.importing.states import State
from subscribers.interchange import LEFT_LIST

NEWSDESK = Preset(
    name="newsdesk",
    signatures=(columns("email", "attributes", "status", "since", "left_at", "consent_at", "consent_wording"),),
    fields={"json": ("attributes",), "tags": ("tags",), "consent_at": ("consent_at",)},
    status=("status",),
    words={**{state.word: state for state in State}, LEFT_LIST: State.UNSUBSCRIBED},
    left_list=frozenset({LEFT_LIST}),
    technical=columns("since", "lists"),
    exact=True,
)
