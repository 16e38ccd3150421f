"""A token bucket in Valkey that all workers share: recipients a second and requests a second.

The generic cell rate algorithm (ITU-T I.371): what is kept is the moment at which everything taken so far is paid for. A
request may go while that moment lies less than BURST ahead, and then moves it by its own price. So in any T seconds
no more than rate × (T + BURST) and one request go out, whatever the number of workers and however large a request is.
"""

from dataclasses import dataclass

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from newsdesk.core import redis_client
from tasks.models.batch import BATCH_SIZE

log = structlog.get_logger(__name__)

#: Seconds' worth of tokens that may be taken ahead: enough for workers that come a little late.
BURST = 0.5
#: Seconds to wait when Valkey does not answer: without it nobody knows what the other workers send.
VALKEY_DOWN_WAIT = 2.0

#: KEYS: one moment for each limit. ARGV: burst, urgent, then the price in seconds for each. Returns seconds to wait as a
#: string ("0" = taken). Whoever is urgent takes and never waits; the others wait for what it took.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local wait = 0
local paid = {}
for at, key in ipairs(KEYS) do
    paid[at] = math.max(tonumber(redis.call('GET', key) or '0'), now)
    -- A moment that lies far ahead of any price comes from a clock that was set back.
    if paid[at] - now > tonumber(ARGV[2 + #KEYS + at]) then paid[at] = now end
    wait = math.max(wait, paid[at] - now - tonumber(ARGV[1]))
end
if wait > 0 and ARGV[2] == '0' then return tostring(wait) end
for at, key in ipairs(KEYS) do
    local moment = paid[at] + tonumber(ARGV[2 + at])
    redis.call('SET', key, string.format('%.6f', moment), 'PX', math.ceil((moment - now + 1) * 1000))
end
return '0'
"""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The most that leaves in a second; 0 = no limit."""

    recipients: int = 0
    requests: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return bool(self.recipients or self.requests)


def configured() -> Rate:
    """The limits of the settings NEWSDESK_RATE_RECIPIENTS and NEWSDESK_RATE_REQUESTS."""
    return Rate(recipients=settings.RATE_RECIPIENTS, requests=settings.RATE_REQUESTS)


def take(transport: str, recipients: int, *, rate: Rate | None = None, urgent: bool = False) -> float:
    """Take tokens for one request; 0.0 when it may go now, else the seconds until it is worth asking again.

    `urgent` never waits, but counts. While Valkey does not answer, nothing that is limited goes, except what is
    urgent. Never raises.
    """
    rate = configured() if rate is None else rate
    if not rate.is_limited:
        return 0.0
    keys: list[str] = []
    prices: list[float] = []
    limits: list[float] = []
    for name, amount, per_second in (("recipients", recipients, rate.recipients), ("requests", 1, rate.requests)):
        if per_second:
            keys.append(f"newsdesk:rate:{transport}:{name}")
            prices.append(amount / per_second)
            limits.append(BURST + 60 * max(BATCH_SIZE / per_second, 1.0))
    try:
        take_from = redis_client.client(settings.REDIS_URL).register_script(_TAKE)
        return float(take_from(keys, [BURST, int(urgent), *prices, *limits]))
    except (RedisError, OSError) as error:
        log.warning("rate_limit_unknown", error=str(error))
        return 0.0 if urgent else VALKEY_DOWN_WAIT
