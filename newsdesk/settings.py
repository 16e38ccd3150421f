"""Django's settings, derived from the environment and from what the home knows about this machine."""

import zoneinfo
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE

from newsdesk.core import environment as env
from newsdesk.core import paths, timezones
from newsdesk.core.home import Home
from newsdesk.core.logging import configure_events

# Before anybody reads one.
timezones.use_pinned()

ENVIRONMENT = env.current()
HOME = Home(ENVIRONMENT.home)

SECRET_KEY = ENVIRONMENT.secret_key or HOME.secret_key()
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
DEBUG = False
ALLOWED_HOSTS = ["*"]
BASE_URL = ENVIRONMENT.base_url or HOME.base_url()
# Where a proxy ends TLS, requests arrive as plain HTTP: what browsers call their origin is the public address.
CSRF_TRUSTED_ORIGINS = ["://".join(urlsplit(BASE_URL)[:2])]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
# A year, once the public address has TLS (RFC 6797); a browser that heard it refuses plain HTTP from then on.
SECURE_HSTS_SECONDS = 31_536_000 if BASE_URL.startswith("https://") else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # what else lives below this host is not ours to decide
    "security.W008",  # TLS ends at the proxy, and so does the redirect to it; /healthz is asked for in plain HTTP
    "security.W021",  # being on the browsers' own list is a decision of whoever owns the domain
]
# What the desk may load. docs/reference/security.md gives the reason of each line.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

USE_SANDBOX = ENVIRONMENT.uses_sandbox
NEWSDESK_TRANSPORT = ENVIRONMENT.transport
NEWSDESK_MAILDIR = ENVIRONMENT.maildir or HOME.maildir
SMTP_SERVER = ENVIRONMENT.smtp_server
ALARM_SMTP_SERVER = ENVIRONMENT.alarm_smtp_server
SMTP_SUCCESS_REPORTS = ENVIRONMENT.smtp_success_reports
BOUNCE_MAILBOX = ENVIRONMENT.bounce_mailbox
DKIM_KEY = ENVIRONMENT.dkim_key
SENDGRID_API_KEY = ENVIRONMENT.sendgrid_api_key or HOME.sandbox_api_key()
SENDGRID_HOST = HOME.sandbox_url() if USE_SANDBOX else (ENVIRONMENT.sendgrid_host or "https://api.sendgrid.com")
SENDGRID_WEBHOOK_PUBLIC_KEYS = ENVIRONMENT.sendgrid_webhook_public_keys or (
    HOME.sandbox_public_keys() if USE_SANDBOX else ()
)
SILENCE_GRACE = ENVIRONMENT.silence_grace
ACTIVITY_GRACE = ENVIRONMENT.activity_grace
CONNECTIONS = ENVIRONMENT.connections
RATE_RECIPIENTS = ENVIRONMENT.rate_recipients
RATE_REQUESTS = ENVIRONMENT.rate_requests
UNDO_SECONDS = ENVIRONMENT.undo_seconds
LATE_GRACE = ENVIRONMENT.late_grace
CANARY = ENVIRONMENT.canary
MOST_FAILED = ENVIRONMENT.most_failed
MOST_BOUNCED = ENVIRONMENT.most_bounced
MOST_COMPLAINED = ENVIRONMENT.most_complained
MOST_DEFERRED = ENVIRONMENT.most_deferred
ALARM_BOUNCED = ENVIRONMENT.alarm_bounced
ALARM_COMPLAINED = ENVIRONMENT.alarm_complained
SOFT_BOUNCE_EDITIONS = ENVIRONMENT.soft_bounce_editions
SOFT_BOUNCE_WEEKS = ENVIRONMENT.soft_bounce_weeks
RECEIPT_DAYS = ENVIRONMENT.receipt_days
EVENT_DAYS = ENVIRONMENT.event_days
DELIVERY_DAYS = ENVIRONMENT.delivery_days
MAIL_DAYS = ENVIRONMENT.mail_days
OUTBOX_DAYS = ENVIRONMENT.outbox_days
EXPORT_DAYS = ENVIRONMENT.export_days
LOGIN_DAYS = ENVIRONMENT.login_days
WEBHOOK_WINDOW_HOURS = ENVIRONMENT.webhook_window_hours
HEARTBEAT_URL = ENVIRONMENT.heartbeat_url
ALARM_URL = ENVIRONMENT.alarm_url
ALARM_SECRET = ENVIRONMENT.alarm_secret
TEST_MAILS_PER_HOUR = ENVIRONMENT.test_mails_per_hour
MAILBOXES = ENVIRONMENT.mailboxes

THEMES_DIR = ENVIRONMENT.themes or HOME.themes

REDIS_URL = ENVIRONMENT.redis_url or HOME.redis_url()
_database: dict[str, Any] = env.database(ENVIRONMENT.database_url) if ENVIRONMENT.database_url else HOME.database()
# A server or a line that died without a word is noticed within half a minute (libpq's documentation, 34.1.2).
_DEAD_LINES = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_database,
        "OPTIONS": {**_DEAD_LINES, **_database.get("OPTIONS", {})},
        "ENGINE": "newsdesk.core.postgres",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# What is committed is on disk: the promise to send once stands on it. Only a throw-away database may do without.
REQUIRE_DURABLE_DATABASE = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "newsdesk",
    "composer",
    "subscribers",
    "tasks",
    "web",
    "wagtail.snippets",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
]

MIDDLEWARE = [
    "web.browser_defences.BrowserDefences",
    "django.middleware.security.SecurityMiddleware",
    "web.bad_requests.BadRequests",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "web.availability.Availability",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.accounts.sessions.SessionRules",
]

ROOT_URLCONF = "newsdesk.urls"
WSGI_APPLICATION = "newsdesk.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [paths.templates_dir()],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Widgets are drawn by our templates first: `web/desk/widgets.py`.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

CACHES = {"default": {"BACKEND": "newsdesk.core.shared_cache.SharedCache", "LOCATION": REDIS_URL}}

EMAIL_BACKEND = "tasks.transactional.account_mails.EmailBackend"

# Logins: `web/accounts`. The adapter reads what an operator says of them.
LOGIN = ENVIRONMENT.login
LOGIN_URL = "wagtailadmin_login"
LOGIN_REDIRECT_URL = "wagtailadmin_home"
# What a person may comes from their roles (docs/reference/roles.md), never from groups.
AUTHENTICATION_BACKENDS = ["web.accounts.backend.LoginBackend"]
PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{name}"
    for name in ("Argon2PasswordHasher", "PBKDF2PasswordHasher", "ScryptPasswordHasher")
]
ALLAUTH_TRUSTED_PROXY_COUNT = LOGIN.trusted_proxies
ACCOUNT_ADAPTER = "web.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "web.accounts.forms.LoginForm", "reset_password": "web.accounts.forms.ResetPasswordForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Several windows for each account: whoever goes on guessing waits a minute, then a quarter of an hour, then an hour.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,100/h/ip,5/m/key,10/15m/key,20/h/key",
    "reset_password": "10/h/ip,3/h/key",
    "invitation": "30/h/user,3/h/key",
    "reauthenticate": "5/m/user,20/h/user",
}
# The organisation's own provider, where NEWSDESK_OIDC_URL names one: web/accounts/organisation.py.
SOCIALACCOUNT_ADAPTER = "web.accounts.organisation.OrganisationAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Newsdesk"
MFA_TOTP_TOLERANCE = 1
# Accounts are made by colleagues, and no address of theirs is proven.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers know passkeys over https, and on this machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BASE_URL.startswith("https://")
# Not by each request, which would cost five queries: web/accounts/sessions.py notes who is at work.
USERSESSIONS_TRACK_ACTIVITY = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME.static
MEDIA_URL = "/media/"
MEDIA_ROOT = HOME.media
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"line only": {"()": "newsdesk.core.logging.WithoutTraceback"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "stderr line only": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["line only"]},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": ENVIRONMENT.log_level} for name in ("composer", "newsdesk", "subscribers", "tasks", "web")},
        # Its own handlers would mail errors to nobody.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.security": {"handlers": ["stderr line only"], "level": "WARNING", "propagate": False},
    },
}

# A webhook body may be 768 KB by the vendor's word, and a sandbox may post more; Django's default refuses 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# What is no text of the editor's is refused there.
WAGTAILADMIN_RICH_TEXT_EDITORS = {"default": {"WIDGET": "web.desk.rich_text.RichTextArea"}}
# What is no picture is refused there; what is one is written anew.
WAGTAILIMAGES_IMAGE_FORM_BASE = "web.desk.image_form.ImageForm"
WAGTAIL_SITE_NAME = "Newsdesk"
# Those that a browser knows too: systems list their own clock and a placeholder among them.
WAGTAIL_USER_TIME_ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
# Passwords are changed and reset by the pages of `web/accounts`.
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = WAGTAIL_PASSWORD_RESET_ENABLED = False
# Nothing at the desk is fetched from elsewhere.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_ALLOW_UNICODE_SLUGS = False
# Milliseconds between an edit that was noticed (web/static/web/desk/own_changes.js) and its preview.
WAGTAIL_AUTO_UPDATE_PREVIEW_INTERVAL = 50
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

configure_events(ENVIRONMENT.log_level)
