"""Any file: common names of columns, and common words in several languages. The other presets build on it."""

from subscribers.importing.presets.preset import CONFIRMED, WANTED, Preset, bad
from subscribers.importing.states import State

_WORDS = {
    State.ACTIVE: """
        express implied explicit mailable unengaged active subscribed enabled confirmed opted_in opt_in optin yes true 1 ok valid regular premium gifted trialed member free
        cold granted soft deliverable not_bounced single_opt_in double_opt_in
        paid comped subscriber soft_bounce soft_bounced softbounced aktiv abonniert angemeldet bestaetigt bestätigt actif active_subscriber abonné abonne inscrit
        confirmé activo suscrito confirmado ativo inscrito assinante attivo iscritto confermato actief ingeschreven
        bevestigd aktywna tilmeldt påmeldt aktywny zapisany aktivní aktivt prenumererar активен подписан активный 有効 購読中 已订阅 已訂閱 订阅 活跃 活躍
    """,
    State.PENDING: """
        neu none no_permissions_set no_permission no_consent transactional_only pending_confirmation
        never_subscribed not_set temporary_hold temp_hold on_hold held pending unconfirmed not_confirmed unactivated unverified awaiting_confirmation waiting awaiting optin_pending
        opt_in_pending double_opt_in_pending not_activated transactional non_subscribed nonsubscribed unbestätigt
        unbestaetigt ausstehend wartend en_attente non_confirmé pendiente sin_confirmar pendente não_confirmado
        in_attesa non_confermato in_afwachting oczekujący niepotwierdzony ожидает 未確認 保留中 未确认 待确认
    """,
    State.UNSUBSCRIBED: """
        denied declined refused withdrawn not_granted not_sending by_user
        unsubscribed unsubscribe opted_out opt_out optout inactive disabled removed deleted cancelled canceled churned left
        no false 0 unsub archived expired paused former not_subscribed gone abgemeldet inaktiv gekündigt abbestellt gelöscht
        odhlášen odhlášená wypisana afmeldt avmeldt отписана отписалась eliminado borrado désabonné desabonne désinscrit desinscrit inactif supprimé inactivo dado_de_baja baja cancelado desuscrito
        inativo descadastrado disiscritto cancellato inattivo non_iscritto uitgeschreven afgemeld inactief wypisany
        nieaktywny odhlášený avregistrerad неактивен отписан отписался 配信停止 解除 退会 已退订 已退訂 退订 取消订阅
    """,
    State.HARD_BOUNCE: """
        by_bounces
        quarantined cleaned bounced bounce hard_bounce hard_bounced hardbounce hardbounced hard undeliverable undelivered bouncing
        unzustellbar rebotado rebote rejeté rebond devolvido rimbalzato geweigerd
    """,
    State.COMPLAINT: """
        complained complaint complaints spam spam_complaint marked_as_spam reported_spam spam_reported abuse abuse_complaint
        reported junk spambeschwerde beschwerde plainte queja reclamação
    """,
    State.INVALID: "spamtrap spam_trap invalid invalid_email bad malformed syntax_error ungültig invalide inválido non_valido ongeldig",
    State.MANUAL: """
        by_moderator manual_suppression
        suspended non_mailable blocked blocklisted blacklisted blacklist blocklist suppressed banned do_not_mail do_not_contact dnc excluded
        unwanted gesperrt blockiert bloqué blacklisté bloqueado bloccato geblokkeerd
    """,
}

WORDS = {word: state for state, words in _WORDS.items() for word in words.split()}

GENERIC = Preset(
    name="generic",
    fields={
        "email": ("email", "e_mail", "email_address", "e_mail_address", "e_mail_adresse", "emailadresse", "email_adresse",
                  "adresse_e_mail", "adresse_email", "correo_electronico", "correo_electrónico", "subscriber_email",
                  "emailaddress", "endereço_de_e_mail", "indirizzo_email", "e_mailadres", "メールアドレス", "邮箱"),
        "name": ("name", "full_name", "fullname", "display_name", "subscriber_name", "contact_name"),
        "first_name": ("first_name", "firstname", "given_name", "fname", "vorname", "prénom", "prenom"),
        "last_name": ("last_name", "lastname", "surname", "family_name", "lname", "nachname"),
        "language": ("language", "lang", "locale", "preferred_language"),
        "timezone": ("timezone", "time_zone"),
        "tags": ("tags", "labels"),
        "json": ("attributes",),
        "consent_at": ("consent_at", "consent_date", "consent_time", "confirmed_at", "confirmation_date", "confirm_time",
                       "opt_in_at", "opt_in_time", "optin_time", "opt_in_date", "optin_date", "opted_in_at",
                       "subscribed_at", "subscribed_on", "subscription_date", "date_subscribed", "signup_date", "signed_up_at",
                       "subscribe_date", "date_added", "created_at", "creation_date"),
        "consent_source": ("consent_source", "opt_in_source", "optin_source", "signup_source", "subscription_source"),
        "consent_wording": ("consent_wording", "consent_text", "opt_in_text", "wording"),
        "tracking": ("tracking", "tracking_consent", "consent_to_track", "consent_to_tracking"),
        "tracking_at": ("tracking_at", "tracking_date", "tracking_consent_at", "tracking_consent_date"),
        "tracking_source": ("tracking_source",),
        "tracking_wording": ("tracking_wording",),
        "consent_ip": ("consent_ip", "confirm_ip", "opt_in_ip", "optin_ip", "signup_ip", "ip_address", "ip"),
    },
    status=("email_marketing_status", "email_marketing_consent", "email_marketing", "email_subscriber_status", "email_permission_status", "permission_status", "consent_status", "opt_in_status", "optin_status", "member_status", "mailing_status", "newsletter_status", "subscriber_type", "status", "email_status", "subscription_status", "subscriber_status", "subscriber_state", "email_state",
            "subscription_state", "estado", "statut", "stato", "state"),
    words=WORDS,
    flags={
        **dict.fromkeys(("angemeldet", "abonniert", "abonné", "inscrit", "suscrito", "iscritto", "inscrito", "mailable", "opt_in", "optin", "opted_in", "subscribed", "is_subscribed", "subscribed_to_emails",
                         "newsletter", "email_opt_in", "marketing_consent", "accepts_marketing", "email_consent", "consent",
                         "accepts_email_marketing", "is_active", "active", "enabled", "email_enabled"), WANTED),
        **dict.fromkeys(("activated", "confirmed", "is_confirmed", "verified", "double_opt_in", "email_verified"), CONFIRMED),
        **dict.fromkeys(("abgemeldet", "désinscrit", "désabonné", "desabonne", "baja", "unsub", "left", "email_disabled", "unsubscribed", "is_unsubscribed", "opted_out", "opt_out", "optout",
                         "email_opt_out", "has_opted_out_of_email", "disabled", "deleted", "is_deleted", "archived",
                         "unsubscribed_from_all", "unsubscribed_from_emails", "inactive"), bad(State.UNSUBSCRIBED)),
        **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "is_blocked", "suppressed", "do_not_contact",
                         "do_not_mail", "do_not_email", "email_blacklisted", "banned"), bad(State.MANUAL)),
        **dict.fromkeys(("bounced", "hard_bounced", "hard_bounce", "email_suppressed", "undeliverable"),
                        bad(State.HARD_BOUNCE)),
        **dict.fromkeys(("complained", "complaint", "spam", "marked_as_spam", "spam_complaint"), bad(State.COMPLAINT)),
        **dict.fromkeys(("invalid", "email_invalid", "is_invalid"), bad(State.INVALID)),
    },
    left={
        **dict.fromkeys(("stop_time", "unsub_at", "opted_out_on", "opt_out_at", "optout_at", "email_opt_out_date", "unsubscribe_reason", "unsubscribed_reason", "unsub_reason", "abmeldedatum", "date_de_désinscription", "date_désinscription", "date_desinscription", "désinscrit_le", "fecha_de_baja", "fecha_baja", "unsubscribed_at", "unsubscribed_on", "unsubscribe_date", "unsubscribed_date", "unsubscription_date",
                         "date_unsubscribed", "unsub_time", "unsub_date", "unsubscribe_time", "unsubscribe_at",
                         "opted_out_at", "opt_out_date", "optout_time", "opt_out_time", "optout_date", "deleted_at",
                         "left_at", "cancelled_at", "canceled_at", "removed_at", "disabled_at", "abgemeldet_am"),
                        State.UNSUBSCRIBED),
        **dict.fromkeys(("bounce_reason", "hard_bounce_reason", "bounced_at", "bounce_date", "hard_bounced_at", "cleaned_at", "clean_time", "bounce_time", "bounced_on"),
                        State.HARD_BOUNCE),
        **dict.fromkeys(("complained_at", "complaint_date", "complaint_time", "spam_reported_at", "marked_as_spam_at"),
                        State.COMPLAINT),
        **dict.fromkeys(("suppression_reason", "blocked_at", "blacklisted_at", "blocklisted_at", "suppressed_at", "banned_at"), State.MANUAL),
    },
)  # fmt: skip
