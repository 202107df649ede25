"""What all tests in this folder share: the reason of every skipped test is printed once, with how many it stopped."""
import collections


def pytest_terminal_summary(terminalreporter):
    reasons = collections.Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests skipped: {reason.removeprefix('Skipped: ')}")
