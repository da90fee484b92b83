"""Services that nobody runs, as many as are asked for: to measure with, and to try questions on.

Pure. Every name says that it is invented; numbers are no numbers of anybody. The same seed gives the same
services.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

WEEKS: Final = (
    "",
    "",
    "",
    "",
    "24/7",
    "según agenda",
    "Mo-Su 20:00-06:00",
    "Mo-Fr 08:00-13:00,14:30-17:30; Sa 08:00-12:00",
    "lunes a viernes de 8 a.m. a 4 p.m.",
    "Mo-Fr 08:00-16:00; PH off",
    "Sa 09:00-13:00",
)
ASKED: Final = tuple(
    "police_inside_or_run trans_friendly sw_friendly minors accepts_no_id has_pep has_ec has_forensic".split()
)
ANSWERS: Final = ("yes", "no", "unknown", "unknown")
TONGUES: Final = ("", "", "es", "es", "es;qu", "qu;ay", "en")
# how often a service has a number, a source, hours of its own, an organisation: about as in files that were seen
NUMBERED, SEEN, OWN_HOURS, RUN_BY = 0.8, 0.97, 0.3, 0.3
DAYS: Final = ("", "2024-05-02", "2025-11-30", "2026-03-01", "2026-08-15", "2026-11-10")


def services(
    count: int, types: Sequence[str], provinces: Sequence[str], seed: int
) -> Iterator[tuple[Mapping[str, str], frozenset[str]]]:
    """(cells of our columns, places covered). `provinces`: codes of six signs, such as PE2501."""
    chance = Random(seed)  # noqa: S311 -- nothing secret is drawn
    for number in range(count):
        province = chance.choice(provinces)
        reach = chance.choices(("province", "region", "national"), (70, 28, 2))[0]
        place = {"province": province, "region": province[:4], "national": province[:2]}[reach]
        own = f"Mo-Fr {chance.randrange(6, 11):02d}:{chance.choice(('00', '15', '30'))}-{chance.randrange(13, 22)}:00"
        hours = chance.choice(WEEKS) or (own if chance.random() < OWN_HOURS else "")
        cells = {
            "id": f"invented-{seed}-{number}",
            "name": f"Servicio inventado {number}",
            "service_type": chance.choice(types),
            "sector": chance.choice(("public", "ngo")),
            "coverage": reach,
            "regions_inei": "" if reach == "national" else province[2:4],
            "phone": f"000 {number:06d}" if chance.random() < NUMBERED else "",
            "hours": hours,
            "languages": chance.choice(TONGUES),
            "status": "seen",
            "source": "invented" if chance.random() < SEEN else "",
            "source_date": "2026",
            "verified_on": chance.choice(DAYS),
            "organisation": f"invented {chance.randrange(1 + count // 3)}" if chance.random() < RUN_BY else "",
        }
        cells |= {column: chance.choice(ANSWERS) for column in ASKED}
        cells["is_24h"] = "unknown"
        yield cells, frozenset({place})
