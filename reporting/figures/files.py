"""A release as files: a CSV a table with CSVW metadata, JSON, a spreadsheet, hashes, one archive.

Pure. Names, order, keys and times follow from the design alone, so that the files of two neighbouring sets of
reports differ in published figures and nowhere else. Sources: W3C CSV on the Web 2015; ECMA-376 (the
spreadsheet).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.sax.saxutils import escape

from reporting.figures import bounds, consistency, labels, tables
from reporting.figures.bounds import Figure
from reporting.figures.tables import Counts, Design, Dimension, Table

FORMAT = 2  # of a release; a new one gets a new number. 1 is without the country and the list of its departments
MEASURES = ("count", "low", "high", "status")
MOMENT = (1980, 1, 1, 0, 0, 0)  # every file in the archive has this time
FICTIONAL = "FICTIONAL: made for practice. None of this happened."
CAUTION = "Reported incidents, not prevalence: more reports can mean more trust. Random noise is in every figure."


@dataclass(frozen=True, slots=True)
class Release:
    """Everything that is published of a period, and how it was made."""

    period: str
    design: Design
    epsilon: Fraction
    tables: Mapping[str, tuple[Figure, ...]]
    fictional: bool = False


def build(period: str, design: Design, epsilon: Fraction, noisy: Counts, *, fictional: bool) -> Release:
    """From noisy counts to what is printed."""
    return Release(
        period, design, epsilon, bounds.figures(design, consistency.agree(design, noisy), epsilon), fictional
    )


def files(release: Release) -> dict[str, bytes]:
    """Name -> bytes, in order."""
    written = {f"{name}.csv": _csv(release, _table(release, name)) for name in release.tables}
    written["csv-metadata.json"] = _json(_csvw(release))
    written["figures.json"] = _json(_figures(release))
    written["figures.xlsx"] = _xlsx(release)
    written["release.json"] = _json(about(release))
    written["SHA256SUMS"] = "".join(f"{_sha(body)}  {name}\n" for name, body in written.items()).encode()
    return written


def archive(written: Mapping[str, bytes]) -> bytes:
    """All files in one, as it is stored and signed off. Not compressed: its bytes depend on no library."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        for name, body in written.items():
            box.writestr(_entry(name), body)
    return out.getvalue()


def unpacked(body: bytes) -> dict[str, bytes]:
    """What `archive` was given."""
    with zipfile.ZipFile(io.BytesIO(body)) as box:
        return {name: box.read(name) for name in box.namelist()}


def raw_files(design: Design, noisy: Counts) -> dict[str, bytes]:
    """For auditors: the noisy counts before anything is done to them."""
    return {f"{table.name}.csv": _raw_csv(table, noisy) for table in design.leaves}


def metadata(release: Release) -> dict[str, bytes]:
    """How it was made, as a file of its own."""
    return {"release.json": _json(about(release))}


def about(release: Release) -> dict[str, Any]:
    """How the release was made: nothing in it depends on a report."""
    design = release.design
    scale = design.scale(release.epsilon)
    return {
        "format": FORMAT,
        "period": release.period,
        **({"fictional": FICTIONAL} if release.fictional else {}),
        "caution": CAUTION,
        "method": "pure differential privacy for each report: discrete Laplace noise on every cell of `noisy_tables`",
        "epsilon": str(release.epsilon),
        "sensitivity": design.sensitivity,
        "scale": str(scale),
        "hidden_below": tables.HIDDEN_BELOW,
        "sure": tables.SURE,
        "tier": design.tier,
        "country": design.places.country,
        "departments": dict(design.places.departments),
        "noisy_tables": [table.name for table in design.leaves],
        "tables": [
            {
                "name": table.name,
                "dimensions": list(table.dimensions),
                "within": bounds.bound(design, table, release.epsilon),
            }
            for table in tables.published(design)
        ],
        "codes": {
            name: {
                group: {"label": labels.written(name, group, design.places), "codes": list(codes)}
                for group, codes in dimension.groups.items()
            }
            for name, dimension in sorted(_dimensions(design).items())
        },
        "notes": {name: labels.NOTES[name] for name in sorted(_dimensions(design)) if name in labels.NOTES},
    }


def _dimensions(design: Design) -> dict[str, Dimension]:
    return {dimension.name: dimension for table in design.leaves for dimension in table.divided_by}


def _table(release: Release, name: str) -> Table:
    return next(table for table in tables.published(release.design) if table.name == name)


def _rows(release: Release, table: Table) -> list[list[str | int]]:
    rows: list[list[str | int]] = []
    for figure in release.tables[table.name]:
        number: str | int = "" if figure.count is None else figure.count
        rows.append([*figure.cell, number, figure.low, figure.high, figure.status])
    return rows


def _header(release: Release, table: Table) -> list[str]:
    return [*table.dimensions, *MEASURES, *(["fictional"] if release.fictional else [])]


def _csv(release: Release, table: Table) -> bytes:
    mark: list[str | int] = ["FICTIONAL"] if release.fictional else []
    rows: list[list[str | int]] = [[*row, *mark] for row in _rows(release, table)]
    return _lines([_header(release, table), *rows])


def _raw_csv(table: Table, noisy: Counts) -> bytes:
    rows: list[list[str | int]] = [[*table.codes_of(cell), noisy[table.name][cell]] for cell in table.cells]
    return _lines([[*table.dimensions, "noisy"], *rows])


def _lines(rows: Sequence[Sequence[str | int]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _csvw(release: Release) -> dict[str, Any]:
    whole = {"base": "integer", "minimum": "0"}
    measured = [
        {"name": "count", "titles": "count", "datatype": whole, "null": "", "dc:description": "Empty: fewer than 10."},
        {"name": "low", "titles": "low", "datatype": whole},
        {"name": "high", "titles": "high", "datatype": whole},
        {"name": "status", "titles": "status", "datatype": {"base": "string", "format": "<10|"}, "null": "-"},
        *([{"name": "fictional", "titles": "fictional", "datatype": "string"}] if release.fictional else []),
    ]
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": f"Reported incidents, {release.period}",
        "dc:description": f"{FICTIONAL} {CAUTION}" if release.fictional else CAUTION,
        "tables": [
            {
                "url": f"{table.name}.csv",
                "tableSchema": {
                    "columns": [
                        *(
                            {"name": each.name, "titles": each.name, "datatype": _one_of(each)}
                            for each in table.divided_by
                        ),
                        *measured,
                    ],
                    **({"primaryKey": list(table.dimensions)} if table.dimensions else {}),
                },
            }
            for table in tables.published(release.design)
        ],
    }


def _one_of(dimension: Dimension) -> dict[str, str]:
    return {"base": "string", "format": "|".join(dimension.codes)}


def _figures(release: Release) -> dict[str, Any]:
    return {
        "period": release.period,
        **({"fictional": FICTIONAL} if release.fictional else {}),
        "caution": CAUTION,
        "tables": {
            name: [
                {
                    **dict(zip(_table(release, name).dimensions, figure.cell, strict=True)),
                    "count": figure.count,
                    "low": figure.low,
                    "high": figure.high,
                    "status": figure.status,
                }
                for figure in shown
            ]
            for name, shown in release.tables.items()
        },
    }


def from_files(written: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was said about a release, and its figures, as they were published."""
    return json.loads(written["release.json"]), json.loads(written["figures.json"])


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


_SPREAD = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_LONGEST_NAME = 31  # what a spreadsheet takes as the name of a sheet


def _xlsx(release: Release) -> bytes:
    notes: list[list[str | int]] = [[FICTIONAL]] if release.fictional else []
    about_it: list[list[str | int]] = [
        *notes,
        [f"Reported incidents, {release.period}"],
        [CAUTION],
        [f"epsilon {release.epsilon}, noise of scale {release.design.scale(release.epsilon)}"],
    ]
    sheets = {"about": about_it} | {
        name: [*notes, list(_header(release, _table(release, name))), *_rows(release, _table(release, name))]
        for name in release.tables
    }
    names = list(sheets)
    parts = {
        "[Content_Types].xml": _types(len(names)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _workbook(names),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{place}.xml") for place in range(1, len(names) + 1)]
        ),
    } | {f"xl/worksheets/sheet{place}.xml": _sheet(rows) for place, rows in enumerate(sheets.values(), 1)}
    return archive({name: (_HEAD + text).encode() for name, text in parts.items()})


def _types(sheets: int) -> str:
    each = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for place in range(1, sheets + 1)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{each}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{place}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _workbook(names: Sequence[str]) -> str:
    each = "".join(
        f'<sheet name="{name[:_LONGEST_NAME]}" sheetId="{place}" r:id="rId{place}"/>'
        for place, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_SPREAD}" xmlns:r="{_RELATED}"><sheets>{each}</sheets></workbook>'


def _sheet(rows: Sequence[Sequence[str | int]]) -> str:
    lines = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in rows)
    return f'<worksheet xmlns="{_SPREAD}"><sheetData>{lines}</sheetData></worksheet>'


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.external_attr = 0o644 << 16
    return entry
