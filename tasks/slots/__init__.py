"""The weekly run of a publication: its next draft, its slots' sends, and what becomes of a slot that was missed."""

from tasks.slots.deciding import decide, is_missed
from tasks.slots.keeping import keep, keep_slots
from tasks.slots.moving import take_next_slot
from tasks.slots.recurring import NoWeeklySlot, add_holiday, recur, remove_holiday, stop_recurring

__all__ = [
    "NoWeeklySlot",
    "add_holiday",
    "decide",
    "is_missed",
    "keep",
    "keep_slots",
    "recur",
    "remove_holiday",
    "stop_recurring",
    "take_next_slot",
]
