"""`/webhooks/inbound/<key>`: a mail that SendGrid's Inbound Parse received for a publication.

SendGrid tries again for three days after 5xx, and gives the mail up after 4xx: that is only for what can never be taken. The key
in the address is the secret, because these requests have no signature.
"""

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from composer.models import Source
from tasks.sources import inbound_parse, mails
from web.bodies import discard
from web.public_pages import not_found

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, key: str) -> HttpResponse:
    """Take one mail: 200 once its stories are stored, now or before.

    404 wrong key, 400 no mail, 403 not from whom mails are taken, 413 too large, 503 cannot be taken now.
    """
    try:
        source = Source.with_key(key)
        if source is None:
            return not_found()
        return HttpResponse(status=_take(request, source))
    except DatabaseError as error:
        log.error("mail_not_stored", error=str(error))  # noqa: TRY400 - SendGrid tries again
        return HttpResponse(status=503)


def _take(request: HttpRequest, source: Source) -> int:
    try:
        fields = _fields(request)
    except RequestDataTooBig:
        mails.note_problem(source, f"a mail was refused: it has more than {mails.MOST_BYTES // 1024**2} MB")
        return 413
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError) as error:
        log.info("no_mail", source=source.pk, error=type(error).__name__)
        return 400
    try:
        mail = inbound_parse.mail_of(fields)
        refusal = _refusal(source, mail.addresses, is_forged=inbound_parse.is_forged(fields))
        if refusal:
            mails.note_problem(source, refusal)
            return 403
        mails.take_mail(source, mail)
    except mails.READING_ERRORS as error:
        mails.note_problem(source, f"a mail was refused: {mails.unreadable(error)}")
        return 400
    mails.note_taken(source)
    return 200


def _refusal(source: Source, addresses: tuple[str, ...], *, is_forged: bool) -> str:
    if not source.is_active:
        return "a mail was refused: the source is switched off"
    if not mails.may_send(source, addresses):
        return mails.foreign(addresses)
    return f"a mail was refused: it only pretends to be from {', '.join(addresses)} (SPF)" if is_forged else ""


def _fields(request: HttpRequest) -> dict[str, bytes]:
    """The form's fields as they came. Their encodings are known only when all are read, so Latin-1 stands for bytes."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > mails.MOST_BYTES:
        discard(request)
        raise RequestDataTooBig
    request.encoding = "latin-1"
    fields = {name: str(value).encode("latin-1", "replace") for name, value in request.POST.items()}
    whole = request.FILES.get("email")
    return {**fields, "email": whole.read()} if whole else fields
