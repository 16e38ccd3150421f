"""The database of a run is lost with its disk, and a copy of it or a backup takes its place."""

from pathlib import Path

from tests.chaos.house import House
from tests.chaos.plans import Plan
from tests.chaos.standby import Standby

COPIED = ("fail over", "fail over to a copy that lags")


class LostDatabase:
    """Keeps what will take its place: a copy that follows from the beginning, where the plan has one, or a backup."""

    def __init__(self, house: House, plan: Plan) -> None:
        self._house = house
        self._standby = Standby(house, synchronous=not plan.forgets) if plan.has(*COPIED) else None
        self._backup = Path()

    def fall_behind(self) -> bool:
        """What is committed from now on will be lost; False where no copy follows."""
        if self._standby is None:
            return False
        self._standby.fall_behind()
        return True

    def take_over(self) -> bool:
        """False where no copy follows, or the database was down."""
        if self._standby is None or not self._standby.take_over():
            return False
        self._standby = None
        return True

    def back_up(self) -> None:
        self._backup = self._house.back_up()

    def restore(self) -> None:
        """As an operator does, with everything stopped; the local SendGrid is killed as well."""
        faults = self._house.provider.take_faults()
        self._house.restore(self._backup)
        self._house.provider.misbehave(faults)

    def end(self) -> None:
        if self._standby is not None:
            self._standby.dismiss()
