"""The words the simulated companies are made of: names of people, teams, services and jobs.

Everything is invented. E-mail domains end in `.example`, telephone numbers lie in ranges kept
free for fiction or are padded with zeros, so nothing here can reach a real person.
"""

from typing import Final

GIVEN: Final = (
    *("Amara", "Aoife", "Arjun", "Astrid", "Ayşe", "Beatriz", "Benedikt", "Camille", "Chidi"),
    *("Chiara", "Daniel", "Dmitri", "Eilidh", "Elif", "Emeka", "Esther", "Fatima", "Felix"),
    *("Freya", "Gabriela", "Grace", "Hana", "Haruto", "Hugo", "Ines", "Ingrid", "Ivan"),
    *("James", "Jana", "Javier", "Jonas", "Joana", "Kaito", "Kavya", "Kenji", "Lena"),
    *("Leticia", "Liam", "Linh", "Lucía", "Łukasz", "Maja", "Malik", "Mateo", "Mei"),
    *("Mikko", "Mónica", "Nadia", "Naoki", "Niamh", "Noor", "Olga", "Omar", "Oskar"),
    *("Pavel", "Priya", "Rafael", "Rania", "Rohan", "Ruth", "Sanne", "Sofia", "Søren"),
    *("Tamar", "Tariq", "Thandiwe", "Tomás", "Valentina", "Wei", "Yara", "Yusuf", "Zoë"),
)
FAMILY: Final = (
    *("Abara", "Aguirre", "Ahmadi", "Andersson", "Arslan", "Bakker", "Banerjee", "Becker"),
    *("Bergström", "Bianchi", "Brennan", "Castillo", "Chandra", "Chen", "Costa", "Dąbrowski"),
    *("Delacroix", "Demir", "Dlamini", "Duarte", "Eriksen", "Farah", "Fischer", "Fofanah"),
    *("García", "Goldberg", "Haddad", "Halvorsen", "Hansen", "Hashimoto", "Horvat", "Ito"),
    *("Iyer", "Jansen", "Jovanović", "Kaya", "Kelly", "Khan", "Kim", "Kowalska"),
    *("Kurosawa", "Laine", "Lefèvre", "Lindqvist", "MacLeod", "Marchetti", "Mbeki", "Meyer"),
    *("Moreau", "Müller", "Nakamura", "Ndiaye", "Nguyễn", "Novák", "O’Connor", "Okafor"),
    *("Oliveira", "Osei", "Park", "Patel", "Peeters", "Pereira", "Petrov", "Popescu"),
    *("Rahman", "Rossi", "Sato", "Schneider", "Silva", "Singh", "Suzuki", "Tanaka"),
    *("Torres", "Vargas", "Virtanen", "Walsh", "Weber", "Whitfield", "Wójcik", "Zhang"),
)
TEAMS: Final = (
    *("Payments", "Checkout", "Search", "Identity", "Data Platform", "Mobile"),
    *("Edge Network", "Storage", "Observability", "Internal Tools", "Warehouse", "Support"),
)
SERVICES: Final = (
    ("Payments API", "Payments"),
    ("Checkout web", "Checkout"),
    ("Search index", "Search"),
    ("Sign-in", "Identity"),
    ("Event pipeline", "Data Platform"),
    ("Mobile gateway", "Mobile"),
    ("Edge routing", "Edge Network"),
    ("Object storage", "Storage"),
    ("Metrics and logs", "Observability"),
    ("Warehouse robots", "Warehouse"),
)
SYMPTOMS: Final = (
    "error rate above 5 %",
    "p99 latency above 2 s",
    "queue is 15 minutes behind",
    "disk 90 % full",
    "certificate expires in 3 days",
    "replica lag above 60 s",
    "health check failing in one zone",
    "memory pressure on 4 hosts",
    "deployment stuck at 50 %",
    "no data received for 10 minutes",
)
NOTES: Final = (
    "Rolled back the last deployment.",
    "Looking at the dashboards now.",
    "Restarted the stuck consumers.",
    "Handed over to the next shift.",
    "Known noise, threshold will be raised.",
    "Customer impact confirmed, status page updated.",
)
JOBS: Final = {
    "owner": ("Director of Reliability",),
    "admin": ("Reliability Lead", "Platform Engineer", "IT Administrator"),
    "user": ("Engineering Manager", "Senior Engineer", "Staff Engineer", "Team Lead"),
    "limited_user": ("Software Engineer", "Site Reliability Engineer", "Support Engineer"),
    "observer": ("Product Manager", "Quality Engineer"),
    "restricted_access": ("Contractor", "Partner Engineer"),
    "read_only_user": ("Account Manager", "Communications", "Head of Product", "Finance Partner"),
    "read_only_limited_user": ("Customer Success", "Legal Counsel"),
}

# zone, country code, the rest of a mobile number before its last three digits
HOMES_US: Final = (
    *((("America/Los_Angeles", "1", "4155550"),) * 5),
    *((("America/New_York", "1", "2125550"),) * 5),
    *((("America/Chicago", "1", "3125550"),) * 3),
    ("America/Toronto", "1", "4165550"),
    ("Europe/London", "44", "7700900"),
    ("Europe/Berlin", "49", "1510000000"),
    ("Asia/Kolkata", "91", "9000000"),
    ("America/Sao_Paulo", "55", "11900000"),
    ("Asia/Tokyo", "81", "9000000"),
)
HOMES_EU: Final = (
    *((("Europe/Berlin", "49", "1510000000"),) * 5),
    *((("Europe/London", "44", "7700900"),) * 3),
    ("Europe/Paris", "33", "600000"),
    ("Europe/Dublin", "353", "850000"),
    ("Europe/Warsaw", "48", "600000"),
    ("America/New_York", "1", "2125550"),
)

TEAM_ZONES: Final = (
    *("America/Los_Angeles", "America/New_York", "Europe/London", "Europe/Berlin"),
    *("Asia/Kolkata", "America/Chicago", "UTC"),
)
