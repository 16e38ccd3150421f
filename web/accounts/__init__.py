"""Who may enter the desk: logging in, second factors, sessions, and mails about accounts. The work is django-allauth's."""
