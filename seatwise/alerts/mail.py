"""Mail, through the SMTP server of settings.MAIL_SERVER, from settings.MAIL_FROM."""

import smtplib
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from seatwise.connectors.posting import NotDelivered
from seatwise.models import Delivery

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def missing() -> str:
    """Which setting is missing to send mail, in a sentence; "" where none is."""
    wanted = {"SEATWISE_SMTP_URL": settings.MAIL_SERVER, "SEATWISE_MAIL_FROM": settings.MAIL_FROM}
    names = [name for name, value in wanted.items() if not value]
    if not names:
        return ""
    return f"No mail can be sent: the operator of Seatwise sets {' and '.join(names)}."


def send(delivery: Delivery) -> None:
    """Each try has the same Message-ID. Raises NotDelivered."""
    if said := missing():
        raise NotDelivered(said, is_final=True)
    server = get_connection(BACKEND, fail_silently=False, **settings.MAIL_SERVER)
    message = EmailMessage(
        delivery.subject,
        delivery.text,
        settings.MAIL_FROM,
        [delivery.email],
        headers={
            "Message-ID": f"<{delivery.number}@{urlsplit(settings.BASE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=server,
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code = next((code for code, _ in error.recipients.values()), 0)
        raise _refused(f"the address {delivery.email}", code) from None
    except smtplib.SMTPSenderRefused as error:
        raise _refused("the sender of SEATWISE_MAIL_FROM", error.smtp_code) from None
    except smtplib.SMTPAuthenticationError as error:
        sentence = "the name and password of SEATWISE_SMTP_URL"
        raise NotDelivered(f"{_refused(sentence, error.smtp_code)}") from None
    except smtplib.SMTPNotSupportedError:
        raise NotDelivered(
            f"The mail server {_place()} does not offer what SEATWISE_SMTP_URL asks for: STARTTLS, "
            "or a sign-in. Nothing was sent."
        ) from None
    except smtplib.SMTPResponseException as error:
        raise _refused("the message", error.smtp_code) from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(
            f"The mail server {_place()} cannot be reached, or broke off ({type(error).__name__})."
        ) from None
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.close()  # it leaves open what it could not open to the end


def _refused(what: str, code: int) -> NotDelivered:
    """A 5xx is for good, a 4xx for now (RFC 5321, 4.2.1)."""
    sentence = f"The mail server {_place()} did not accept {what} ({code})."
    return NotDelivered(sentence, is_final=code >= 500)


def _place() -> str:
    return f"{settings.MAIL_SERVER['host']}:{settings.MAIL_SERVER['port']}"
