"""What a WSGI server loads."""

import os

from django.core.wsgi import get_wsgi_application

from newsdesk.core.deployment import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")
application = get_wsgi_application()
refuse_unsafe_settings()
