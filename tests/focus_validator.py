"""The FinOps Foundation's focus-validator in an environment of its own: set up once, then run without a network.

`python tests/focus_validator.py FOLDER` sets it up in FOLDER and ends with 0 whether or not this machine can have it:
the tests say why they skip. Of its Pythons it takes the first that works; 3.12 has wheels of all that it needs.
"""
import glob
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

REQUIREMENTS = pathlib.Path(__file__).with_name("focus_validator_requirements.txt")
VERSIONS = ["3.12", "3.13", "3.14"]
INSTALL_SECONDS_MAX, RUN_SECONDS_MAX = 400, 300
# The rule model of the wheel; others would be downloaded.
MODEL = "1.2.0.1"


def folder():
    """Where the environment is: beside what cargo builds, so that it outlives a clone on a build machine."""
    root = pathlib.Path(__file__).resolve().parent.parent
    named = os.environ.get("PROFORMA_FOCUS_VENV")
    return pathlib.Path(named or pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or root / "target") / "tools" / "focus-validator")


def missing():
    """Why it cannot be run, or nothing."""
    try:
        return (folder() / "missing").read_text().strip()
    except FileNotFoundError:
        return "" if is_set_up(folder()) else "focus-validator is not set up: `make test` does, or `make focus-validator`"


def pythons():
    """Every Python that may do, the named one alone if one is named."""
    if named := os.environ.get("PROFORMA_FOCUS_PYTHON"):
        return [named]
    found = []
    for version in VERSIONS:
        pyenv = os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv"
        found += [*sorted(glob.glob(f"{pyenv}/versions/{version}*/bin/python{version}")), shutil.which(f"python{version}")]
    return [python for python in found if python]


def is_new_enough(python):
    try:
        ended = subprocess.run([python, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"],
                               capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def is_set_up(venv):
    return (venv / "installed").exists() and (venv / "installed").read_text() == REQUIREMENTS.read_text()


def set_up(venv):
    """Makes the environment; gives why there is none."""
    if is_set_up(venv):
        return ""
    reasons = []
    for python in filter(is_new_enough, pythons()):
        shutil.rmtree(venv, ignore_errors=True)
        install = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "30",
                   "--only-binary", "numpy,pandas,pyarrow,polars,duckdb,pydantic-core,rpds-py", "-r", REQUIREMENTS]
        try:
            subprocess.run([python, "-m", "venv", venv], check=True, capture_output=True, timeout=INSTALL_SECONDS_MAX)
            subprocess.run(install, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
        except subprocess.CalledProcessError as error:
            reasons.append(f"{python}: {(error.stderr or error.stdout or 'venv failed').strip().splitlines()[-1]}")
        except subprocess.TimeoutExpired:
            reasons.append(f"{python}: not installed within {INSTALL_SECONDS_MAX} seconds")
        else:
            (venv / "installed").write_text(REQUIREMENTS.read_text())
            return ""
    return "; ".join(reasons) or "there is no Python 3.12 or later; PROFORMA_FOCUS_PYTHON can name one"


def failing(file, report, *options):
    """The ids of the rules that a file fails. The program ends with 0 either way, so its report is read."""
    venv = folder()
    # It reads files of its own by their names below its site-packages.
    site, = glob.glob(f"{venv}/lib/python*/site-packages")
    command = [venv / "bin" / "focus-validator", "--data-file", file, "--block-download", "--validate-version", MODEL,
               "--output-type", "unittest", "--output-destination", report, *options]
    ended = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
    assert ended.returncode == 0 and report.exists(), ended.stdout[-2000:] + ended.stderr[-2000:]
    cases = list(ElementTree.parse(report).iter("testcase"))
    name = lambda case: case.get("name").split(" ::")[0]
    passed = [name(case) for case in cases if len(case) == 0]
    assert len(cases) > 500 and len(passed) > 100, "the model was not run"
    return {name(case) for case in cases if case.find("failure") is not None or case.find("error") is not None}


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    why = set_up(target)
    target.mkdir(parents=True, exist_ok=True)
    (target / "missing").write_text(why) if why else (target / "missing").unlink(missing_ok=True)
    print(f"focus-validator: {why or f'ready in {target}'}")
