"""The measure of how long reporters wait while the desk works: nothing fails in it, and each figure is there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from reporting.cli.base import main
from reporting.operations.bench.desk_works import WORKS

ALL = ("--cases", "150", "--seconds", "0.5", "--json")


def test_beside_each_work_of_the_desk_pages_turn_and_reports_are_sent_without_an_error() -> None:
    if not Path("/proc/self/oom_score_adj").exists():
        pytest.skip("only Linux tells which processes belong to a server")
    told = json.loads(CliRunner().invoke(main, ["bench", "waits", *ALL]).stdout)
    assert [row["beside"] for row in told["rows"]] == ["idle", *WORKS]
    for row in told["rows"]:
        assert (row["errors"], row["first_error"], row["work_error"]) == (0, "", ""), row["beside"]
        assert min(row["pages"], row["sendings"], row["page_worst_s"], row["sending_worst_s"]) > 0, row["beside"]
        assert row["done"] > 0 or row["beside"] == "idle"
    assert min(told["database_mb"], told["backup_mb"], told["desk_rss_mb"], told["reporters_rss_mb"]) > 0
