"""Whether a send may be out already without the database's knowing: its alarms tell."""

from tasks.models import Alarm, Send

#: What the alarm says where another copy of the database serves that lacks no request.
PROMOTED = (
    "Another copy of the database serves since the send was scheduled or prepared. It knows of every request that was made, so that nothing "
    "goes out twice: resume the send. What was committed in the other's last moments may be missing, such as readers who had just left."
)


def may_be_out(send: Send) -> bool:
    """Whether it was never prepared as far as this database knows, and an alarm says that the database may know too little."""
    if send.prepared_at:
        return False
    return send.alarms.filter(code=Alarm.Code.DATABASE_MOVED, cleared_at=None).exclude(message=PROMOTED).exists()
