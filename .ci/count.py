"""Add up the JUnit reports in a folder and print "tests: N passed, N failed, N skipped".

Usage: count.py FOLDER FAILED_STEPS. A failed step without a failed test (lint, a build) counts as one failure.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(folder: Path, failed_steps: int) -> None:
    total = bad = skipped = 0
    for report in sorted(folder.glob("*.xml")):
        for suite in ET.parse(report).iter("testsuite"):
            total += int(suite.get("tests", 0))
            bad += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    passed = total - bad - skipped
    print(f"tests: {passed} passed, {max(bad, failed_steps)} failed, {skipped} skipped")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
