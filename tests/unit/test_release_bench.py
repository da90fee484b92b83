"""What the measure of a release says."""

import json

from click.testing import CliRunner

from reporting.cli.base import main


def test_the_measure_tells_its_figures_as_json() -> None:
    told = json.loads(CliRunner().invoke(main, ["bench", "release", "--reports", "4000", "--json"]).stdout)
    assert told["reports"] == 4000
    assert min(told[name] for name in ("open_10000_s", "archive_to_files_s", "linear", "rss_mb")) > 0
