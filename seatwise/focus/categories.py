"""Where the specification puts a product, from where our catalogue does."""

from collections.abc import Mapping

_APPLICATIONS = "Business Applications"
_GOVERNANCE = "Management and Governance"
_TOOLS = "Developer Tools"
_TOGETHER = (_APPLICATIONS, "Productivity and Collaboration")
_BUSINESS = (_APPLICATIONS, "Other (Business Applications)")
# The catalogue's categories; what is not here is "Other".
CATEGORIES: Mapping[str, tuple[str, str]] = {
    "Analytics": ("Analytics", "Analytics Platforms"),
    "Assistants and writing": ("AI and Machine Learning", "Generative AI"),
    "Chat and meetings": _TOGETHER,
    "Design and whiteboards": _TOGETHER,
    "Developer tools": (_TOOLS, "Other (Developer Tools)"),
    "Documents and files": _TOGETHER,
    "Finance": _BUSINESS,
    "Hosting and network": ("Web", "Application Platforms"),
    "IT and devices": (_GOVERNANCE, "Endpoint Management"),
    "Incident response": (_GOVERNANCE, "Observability"),
    "Learning": _BUSINESS,
    "Marketing and surveys": _BUSINESS,
    "Monitoring and logs": (_GOVERNANCE, "Observability"),
    "Office suites": _TOGETHER,
    "People and payroll": _BUSINESS,
    "Sales": _BUSINESS,
    "Security and identity": ("Identity", "Identity and Access Management"),
    "Source code and delivery": (_TOOLS, "Source Code Management"),
    "Support": _BUSINESS,
    "Work tracking": _TOGETHER,
}


def category_of(category: str) -> tuple[str, str]:
    """The service category and its subcategory, in the specification's own words."""
    return CATEGORIES.get(category, ("Other", "Other (Other)"))
