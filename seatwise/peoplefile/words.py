"""The words by which a people file's columns are known, in several languages, as data."""

from collections.abc import Mapping

from seatwise.memberfile.words import COLUMN_WORDS as OF_MEMBERS
from seatwise.memberfile.words import FIRST_NAMES, LAST_NAMES, name_of

EMAIL, NAME, DEPARTMENT, CENTRE, LEFT = "email", "name", "department", "cost_centre", "left_on"
MEANINGS: Mapping[str, str] = {  # what a column can be, by its name on the page
    EMAIL: "E-mail",
    NAME: "Name",
    DEPARTMENT: "Department",
    CENTRE: "Cost centre",
    LEFT: "Left on",
}
# Written without capitals, accents, spaces and signs; the surest first.
COLUMN_WORDS: Mapping[str, tuple[str, ...]] = {
    EMAIL: OF_MEMBERS["email"],
    NAME: ("employeename", "employee", *OF_MEMBERS["name"], "preferredname"),
    DEPARTMENT: (
        "department", "departmentname", "dept", "deptname", "team", "organisation",
        "organization", "orgunit", "orgunitname", "organisationalunit", "organizationalunit",
        "businessunit", "division", "supervisoryorganization", "abteilung", "bereich",
        "organisationseinheit", "departement", "service", "departamento", "area", "reparto",
        "dipartimento", "afdeling", "avdelning", "avdeling", "osasto",
    ),
    CENTRE: (
        "costcentre", "costcenter", "costcentreid", "costcenterid", "costcentrecode",
        "costcentercode", "costcentrename", "costcentername", "kostenstelle",
        "kostenstellennummer", "centredecout", "centredecouts", "centrodecoste",
        "centrodecostes", "centrodecosto", "centrodecusto", "centrodicosto", "kostenplaats",
        "kostnadsstalle", "kostnadssted", "omkostningssted",
    ),
    LEFT: (
        "lefton", "left", "leavingdate", "leavedate", "dateofleaving", "dateleft",
        "terminationdate", "terminated", "terminatedon", "enddate", "employmentenddate",
        "lastday", "lastdayofwork", "lastworkingday", "exitdate", "separationdate", "leaver",
        "austritt", "austrittsdatum", "austrittam", "ausgetreten", "datedesortie",
        "datededepart", "fechadebaja", "fechadesalida", "datadeuscita", "datadicessazione",
        "datadesaida", "uitdiensttreding", "uitdienst", "slutdatum", "sluttdato",
    ),
}  # fmt: skip
PARTS = (*FIRST_NAMES, *LAST_NAMES)  # of a name: several columns of it are joined


def column_words(name: str) -> frozenset[str]:
    """What a column of this name may be; nothing for an unknown word."""
    plain = name_of(name)
    return frozenset(meaning for meaning, words in COLUMN_WORDS.items() if plain in words)
