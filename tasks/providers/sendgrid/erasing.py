"""Asking SendGrid to forget an address: POST /v3/recipients/erasejob, answered 202 with a job's id."""

import orjson
import urllib3

from tasks.http.deadline import BodyBegunError
from tasks.providers.base import ErasureAnswer
from tasks.providers.sendgrid.transport import SendGridTransport


class SendGridContactErasure:
    def erase(self, transport: SendGridTransport, address: str) -> ErasureAnswer:
        """SendGrid then deletes the address from its activity, logs and lists within days."""
        try:
            answer = transport.api.client.recipients.erasejob.post(
                request_body=orjson.dumps({"email_addresses": [address]})
            )
        except (BodyBegunError, urllib3.exceptions.HTTPError, OSError) as error:
            return ErasureAnswer(0, type(error).__name__)
        # An error may repeat what was asked, and the answer is kept.
        body = answer.data.decode(errors="replace")[:500]
        return ErasureAnswer(answer.status, body if address.lower() not in body.lower() else "")
