"""What is offered first for each need, in every department and twelve situations, whatever she says of the police.

`python -m tests.first_offers` prints the table and, at its end, what must not be: a need without a way to reach
help that is not said to have none, and somebody sent to the police who must not meet them. `--counts`: only the counts.
"""

from __future__ import annotations

import argparse
from collections import Counter

from reporting.vocabulary.places import DEPARTMENTS
from tests.unit.test_every_region import MUST_BE_CIVIL, told
from tests.unit.test_matching import peru


def main() -> None:
    """Print the table, then its counts."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--counts", action="store_true", help="only the counts at the end")
    only_counts = options.parse_args().counts
    counts: Counter[str] = Counter()
    for department in DEPARTMENTS:
        for name, _, found in told(department):
            civil = bool(found.must_not & MUST_BE_CIVIL)
            for need in found.needs:
                first = need.offers[0] if need.offers else None
                card = peru().service(first.service_id) if first else None
                counts["first offers" if card else "said to have none (companions)"] += 1
                counts["of these a national line"] += bool(card and card.coverage_national)
                counts["BROKEN: no way to reach it"] += bool(first and not (first.tel or first.address))
                counts["BROKEN: no offer of another need than companions"] += not card and need.need.code != "N_PEER"
                counts["BROKEN: sent to the police"] += civil and any(
                    peru().service(offer.service_id).police != "no" for offer in need.offers
                )
                if not only_counts:
                    where = f"{card.name} | {first.tel or first.address}" if first and card else "none, and said so"
                    print(f"{department}\t{name}\t{need.need.code}\t{need.need.urgency}\t{where}")  # noqa: T201 -- a table
    print("\n".join(f"{counted}: {number}" for counted, number in sorted(counts.items())))  # noqa: T201 -- the counts


if __name__ == "__main__":
    main()
