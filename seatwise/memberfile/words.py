"""The words by which columns are known, in several spellings and languages, as data."""

import re
import unicodedata
from collections.abc import Mapping

EMAIL, NAME, ROLE, LICENSE = "email", "name", "role", "license"
SEEN, INVITED = "seen", "invited"
MEANINGS: Mapping[str, str] = {  # what a column can be, by its name on the page
    EMAIL: "E-mail",
    NAME: "Name",
    ROLE: "Role",
    LICENSE: "Licence",
    SEEN: "Last seen",
    INVITED: "Invited",
}

# Written without capitals, accents, spaces and signs; the surest first.
STATES = ("status", "state", "userstatus", "accountstatus", "memberstatus")  # may say much else
COLUMN_WORDS: Mapping[str, tuple[str, ...]] = {
    EMAIL: (
        "email", "emailaddress", "useremail", "workemail", "primaryemail", "mail", "mailaddress",
        "userprincipalname", "upn", "emailadresse", "mailadresse", "epost", "epostadresse",
        "epostadress", "adresseemail", "adressemail", "courriel", "correo", "correoelectronico",
        "email1", "emailid", "postaelettronica", "indirizzoemail", "enderecodeemail", "eposta",
        "sahkoposti", "emailadres", "login", "loginname", "username", "userid",
    ),
    NAME: (
        "name", "fullname", "displayname", "username", "membername", "user", "member", "person",
        "vollstandigername", "anzeigename", "benutzer", "benutzername", "mitarbeiter", "nutzer",
        "nom", "nomcomplet", "utilisateur", "nombre", "nombrecompleto", "usuario", "nome",
        "nomecompleto", "utente", "naam", "volledigenaam", "gebruiker", "navn", "namn", "nimi",
    ),
    ROLE: (
        "role", "roles", "baserole", "userrole", "accountrole", "workspacerole", "rolle", "rol",
        "ruolo", "funcao", "papel", "perfil", "permission", "permissions", "permissionlevel",
        "accesslevel", "access", "usertype", "membertype", "accounttype", "type", "berechtigung",
        "benutzerrolle", "roll", "rooli", "rolename",
    ),
    LICENSE: (
        "license", "licence", "licenses", "licences", "licensetype", "licencetype", "seat",
        "seattype", "plan", "subscription", "product", "sku", "lizenz", "lizenzen", "lizenztyp",
        "licencia", "licencias", "licenca", "licenza", "licentie", "abonnement", "abo", "licens",
        "lisens", "tier", "assignedlicenses",
    ),
    SEEN: (
        "lastseen", "lastseenat", "lastactive", "lastactivity", "lastactivitydate", "lastlogin",
        "lastloginat", "lastlogindate", "lastlogintime", "lastsignin", "lastsigninat",
        "lastsignindate", "lastsignedin", "lastlogon", "lastused", "lastaccess", "lastaccessed",
        "lastactiveat", "lastactivedate", "zuletztgesehen", "zuletztaktiv", "letzteanmeldung",
        "letzterlogin", "letzteaktivitat", "letzternutzung", "dernierevisite",
        "derniereconnexion", "derniereactivite", "ultimoacceso", "ultimaconexion",
        "ultimaactividad", "ultimoaccesso", "ultimoacesso", "ultimologin", "laatstgezien",
        "laatsteaanmelding", "laatstelogin", "sistinnlogging", "senasteinloggning",
    ),
    INVITED: (
        "invited", "isinvited", "invitation", "invitationstatus", "invitationpending", "invite",
        "pending", "ispending", "pendinginvite", "eingeladen", "einladung", "invitee",
        "invitado", "invitacion", "invitato", "convidado", "uitgenodigd", "inviterad", "invitert",
        *STATES,
    ),
}  # fmt: skip
FIRST_NAMES = (
    "firstname", "givenname", "forename", "vorname", "prenom", "primernombre", "voornaam",
    "fornavn", "fornamn", "primeironome", "userfirstname",
)  # fmt: skip
LAST_NAMES = (
    "lastname", "surname", "familyname", "nachname", "familienname", "nomdefamille", "apellido",
    "apellidos", "cognome", "sobrenome", "achternaam", "etternavn", "efternamn", "userlastname",
)  # fmt: skip

YES = frozenset({
    "yes", "y", "true", "1", "x", "ja", "j", "oui", "o", "si", "s", "sim", "invited", "pending",
    "invitationsent", "invitationpending", "sent", "awaiting", "notaccepted", "notyetaccepted",
    "eingeladen", "ausstehend", "invite", "enattente", "invitado", "pendiente", "convidado",
    "pendente", "invitato", "inattesa", "uitgenodigd",
})  # fmt: skip
NO = frozenset({
    "no", "n", "false", "0", "nein", "non", "nao", "nee", "active", "accepted", "joined", "member",
    "enabled", "registered", "aktiv", "actif", "activo", "ativo", "attivo", "actief", "angenommen",
    "accepte", "aceptado",
})  # fmt: skip
# Where a cell for a day says in words that there is none. Nothing follows from it.
NO_DAY = frozenset({
    "never", "none", "null", "nil", "na", "nan", "unknown", "nie", "unbekannt", "jamais", "nunca",
    "mai", "nooit",
})  # fmt: skip

LONGEST = 100  # characters that are looked at
LONGEST_NAME = 200  # characters of a column's name
LONGEST_ADDRESS = 320  # characters
# None of these looks at a character more than a few times, whatever somebody wrote.
_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]\s*$")
_UTC = re.compile(r"(?<![a-z])(?:utc|gmt)(?![a-z])", re.IGNORECASE)
_IN_NO_ADDRESS = re.compile(r"[@\s<>]")


def plain(text: str) -> str:
    """Without capitals, accents, spaces and signs: "Dernière connexion" is derniereconnexion."""
    marks = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    return "".join(mark for mark in marks if mark.isalnum())


_KNOWN: Mapping[str, frozenset[str]] = {
    word: frozenset(meaning for meaning, words in COLUMN_WORDS.items() if word in words)
    | (frozenset({NAME}) if word in (*FIRST_NAMES, *LAST_NAMES) else frozenset())
    for word in {
        *(word for words in COLUMN_WORDS.values() for word in words),
        *FIRST_NAMES,
        *LAST_NAMES,
    }
}


def column_words(name: str) -> frozenset[str]:
    """What a column of this name may be; nothing for an unknown word."""
    return _KNOWN.get(name_of(name), frozenset())


def name_of(column: str) -> str:
    """The plain name without what stands behind it in brackets: "Last seen (UTC)"."""
    column = column[:LONGEST_NAME]
    return plain(_BRACKETS.sub("", column)) or plain(column)


def says_utc(column: str) -> bool:
    """Whether the column's name says that its times are in UTC."""
    return _UTC.search(column[:LONGEST_NAME]) is not None


def looks_like_address(text: str) -> bool:
    """Whether there is somebody before the "@", and behind it a host with a dot inside."""
    text = text.strip()
    if "@" not in text or len(text) > LONGEST_ADDRESS:
        return False
    user, _at, host = text.partition("@")
    return bool(user) and "." in host[1:-1] and not _IN_NO_ADDRESS.search(user + host)
