"""What is said of an import and what a person says before it: problems, remarks, hints.

Data alone: reads no file and stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reporting.i18n import N_, Sentence

UNREADABLE = N_("This file cannot be read as a table or as JSON.")
TOO_LARGE = N_("This file is too large.")
NO_NAMES = N_("No column is called name or nombre.")
BLANK_NAME = N_("The name is blank.")
TWICE = N_("The same row stands in line %(line)s already.")
SAME_ID = N_("Line %(line)s has the same id and says something else.")
NO_TYPE = N_("No type of service can be read from it: say which type the file holds.")
NO_PLACE = N_("Its department or province is not known: say which region the file is about.")
HELD_BACK = N_("This row is good; it waits until line %(line)s is mended.")
CHANGED_SINCE = N_("It says something else than what the team has confirmed: compare by hand.")
HAS_ENDED = N_("The file says that it is closed.")
SHELTER_ADDRESS = N_("It is a shelter: its address was left out and is not stored.")
NO_NUMBER = N_("The telephone has no number that can be dialled: it is kept as written.")
HOURS_NOT_UNDERSTOOD = N_("The hours were not understood: they are kept as written, and are not known.")
NO_ANSWER = N_("In %(column)s stands neither yes nor no: %(cell)s. It counts as not known.")
SWAPPED = N_("Latitude and longitude are swapped: they were read the other way round.")
OUTSIDE = N_("The point lies outside the country: it was left out.")
NO_ORGANISATION = N_("The organisation is missing.")
GUESSED = N_("The type was guessed from its name: %(type)s.")
NEW_ID = N_("The id was not usable: it has a new one, and keeps the old one beside it.")
CUT = N_("A cell was longer than %(limit)s characters and was cut.")
NO_PHONE_COLUMN = N_("No column is called phone or teléfono: no row has a number.")
UNKNOWN_STATUS = N_("The status was not understood: %(status)s.")
READ_OTHERWISE = N_(
    "Its letters are written in another way than those of the file, and were read as Windows writes them."
)
MENDED = N_("Its letters were spoilt by being stored twice, and were mended.")
UNKNOWN_PROVINCE = N_(
    "The province was not understood: %(province)s. It is offered nowhere until its coverage is known."
)
PLACES_DIFFER = N_("The code of the place and its names differ: the names were taken.")
NO_DOOR = N_("It has to do with health, but is no door after violence: dental, optical, a laboratory or the like.")
NO_LIST = N_("This JSON is no list of services, or an empty one.")
OTHER_PLACES = N_("It has more places, which are not stored: %(places)s.")
NUMBER_OF_ORGANISATION = N_("The telephone is that of its organisation.")
SCHEDULE_NOTE = N_("The hours have a note: %(note)s.")
NO_SERVICES = N_("It is an organisation without services: it was read as a service.")
BAD_CELLS = N_("The row has more cells than the table has columns.")
WAITS = N_(
    "It would change what many people are sent to (a national or crisis line, a shelter, a type, police inside), or "
    "add it: that waits for a second person."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence about a line of the file; line 0 is the whole file."""

    line: int
    said: Sentence


@dataclass(slots=True)
class ImportReport:
    """What became of every row: stored, as before, or listed with a reason; and what to look at."""

    rows: int = 0
    stored: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)  # rows that are not stored; a row may have several
    remarks: list[Problem] = field(default_factory=list)  # rows that are stored or as before, but look at this
    likely_twice: list[tuple[str, str]] = field(default_factory=list)  # ids: for a person to decide
    more_likely_twice: int = 0  # pairs beyond those
    services: list[str] = field(default_factory=list)  # ids that changed
    # id -> column -> as it is, as the file would have it: what waits for a second person
    waits: dict[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)

    @property
    def listed(self) -> int:
        """How many rows are not stored."""
        return len({problem.line for problem in self.problems if problem.line > 0})


@dataclass(frozen=True, slots=True)
class ImportHints:
    """What a person knows of a foreign file and the file does not say."""

    name: str = ""
    service_type: str = ""
    region: str = ""  # two digits of INEI


@dataclass(frozen=True, slots=True)
class StorableRow:
    """A row of a file in which nothing is wrong."""

    line: int
    cells: Mapping[str, str]  # by our columns
    foreign: Mapping[str, str] = field(default_factory=dict)  # what our columns do not hold, by its own names
    print: str = ""  # hash of the whole row of a foreign file; a row of ours has none
