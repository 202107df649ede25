"""The snippets of docs/api.md do what they say, against a server."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

from program import ROOT
from server import QUIET

PAGE = (ROOT / "docs" / "api.md").read_text()
ADDRESS = "http://127.0.0.1:8080"


def snippets(language):
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    assert found, f"docs/api.md has no snippet in {language}"
    return found


@pytest.mark.parametrize("language, program", [("python", [sys.executable, "-c"]), ("sh", ["bash", "-euc"])])
def test_the_snippets_of_the_page(server, desk, language, program):
    group = desk.group()
    tools = pathlib.Path(sys.executable).parent
    environment = os.environ | QUIET | server.root.environment | {"PATH": f"{tools}:{os.environ['PATH']}"}
    for snippet in snippets(language):
        assert ADDRESS in snippet
        code = snippet.replace(ADDRESS, server.endpoint)
        ended = subprocess.run([*program, code], capture_output=True, text=True, timeout=60, env=environment)
        assert ended.returncode == 0, ended.stderr
        assert (group.name if language == "python" else group.arn) in ended.stdout
