"""Settings of `proforma serve`: flag over environment over file, all problems at once, secrets that others can read, and TLS."""
import os
import pathlib
import re
import subprocess

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError

from program import PROGRAM
from server import QUIET, REGION, Server

SECONDS_TO_REFUSE = 20
MANUAL = pathlib.Path(__file__).parents[1] / "docs" / "server.md"


def serve(*arguments, **environment):
    """Starts a server; what it is refused for, and how it ends."""
    ended = subprocess.run([PROGRAM, "serve", *arguments], capture_output=True, text=True, timeout=SECONDS_TO_REFUSE,
                           env=os.environ | QUIET | environment)
    return ended.returncode, ended.stderr


def problems(*arguments, **environment):
    code, stderr = serve(*arguments, **environment)
    assert code == 2, stderr
    return [line.removeprefix("error: ") for line in stderr.splitlines() if line.startswith("error: ")]


def address(*arguments, **environment):
    """Where a server answers that these settings start."""
    process = subprocess.Popen([PROGRAM, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=os.environ | QUIET | environment)
    line = process.stdout.readline()
    process.terminate()
    assert process.wait(SECONDS_TO_REFUSE) == 0
    return line.removeprefix("listening on http://").rsplit(":", 1)[0]


def settings(folder, text, mode=0o600):
    path = folder / "serve.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_flag_goes_before_the_environment_and_that_before_the_file(tmp_path):
    file = settings(tmp_path, f'data = "{tmp_path / "data"}"\nlisten = "127.0.0.4:0"\nrate = 7\ncost_roots = ["/"]\n')
    environment = {"PROFORMA_CONFIG": str(file)}
    assert address(**environment) == "127.0.0.4"
    environment["PROFORMA_LISTEN"] = "127.0.0.3:0"
    assert address(**environment) == "127.0.0.3"
    assert address("--listen", "127.0.0.2:0", **environment) == "127.0.0.2"
    assert (tmp_path / "data" / "proforma.db").exists()


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    key = tmp_path / "data" / "master.key"
    key.parent.mkdir()
    key.write_text("0" * 64)
    key.chmod(0o644)
    file = settings(tmp_path, 'rate = "fast"\nports = 8080\ndata = 5\nsignature_minutes = 99\ncost_roots = "/"\n'
                              'database = "postgres://proforma:secret@127.0.0.1:1/none"\n', mode=0o604)
    found = problems("--data", key.parent, "--config", file, "--payer", "12", "--now", "soon", "--concurrency", "many", "--tls-cert",
                     tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem", PROFORMA_LISTEN="here", PROFORMA_LEASE_SECONDS="0", PROFORMA_COST_ROOTS="/a,99=/b")
    for said in ['`rate` is `"fast"`; give a whole number', "there is no setting `ports`", "`data` is `5`; give a text", "`signature_minutes` is `99`",
                 '`cost_roots` is `"/"`; give a list', f"`{file}` can be read by others (mode 604); chmod 600", "--payer is `12`", "--now is no instant",
                 "--concurrency (or PROFORMA_CONCURRENCY) is `many`", "--listen (or PROFORMA_LISTEN) is `here`",
                 "--lease-seconds (or PROFORMA_LEASE_SECONDS) is `0`", "cost root `99=/b` is of payer `99`; a payer account has twelve digits", f"certificate `{tmp_path / 'cert.pem'}` cannot be read",
                 f"key `{tmp_path / 'key.pem'}` cannot be read", f"`{key}` can be read by others (mode 644); chmod 600"]:
        assert sum(said in problem for problem in found) == 1, (said, found)
    assert len(found) == 15, found
    # Not even the password of a database is repeated.
    assert "secret" not in "".join(found)
    assert sorted(path.name for path in key.parent.iterdir()) == ["master.key"]


def test_the_manual_lists_the_settings_of_a_file(tmp_path):
    """Those that the program knows, each of which is a flag and a variable of the environment as well."""
    said, = problems("--data", tmp_path, "--config", settings(tmp_path, "none = 1"))
    known = said.split("settings are ")[1].split(", ")
    listed = MANUAL.read_text().split("which may\nhold ")[1].split(". A server")[0]
    assert re.findall("`(.*?)`", listed) == known
    help_text = subprocess.run([PROGRAM, "serve", "--help"], capture_output=True, text=True, timeout=20).stdout
    for name in known:
        assert f"--{name.replace('_', '-')} " in help_text and re.search(rf"\[env: PROFORMA_{name.upper()}[=\]]", help_text), name


def test_a_file_that_cannot_be_read_is_a_problem_like_others(tmp_path):
    found = problems("--config", tmp_path / "none.toml", "--rate", "0")
    assert [f"settings `{tmp_path / 'none.toml'}`: cannot be read" in found[0], "no data directory is given" in found[1],
            "--rate (or PROFORMA_RATE) is `0`" in found[2]] == [True] * 3
    assert "line 1" in problems("--data", tmp_path, "--config", settings(tmp_path, "rate 5"))[0]


def test_a_master_key_is_for_its_owner_only(tmp_path):
    key = tmp_path / "elsewhere.key"
    key.write_text("ab" * 32)
    key.chmod(0o640)
    assert problems("--data", tmp_path / "data", "--master-key-file", key) == [f"`{key}` can be read by others (mode 640); chmod 600 {key}"]
    assert problems("--data", tmp_path / "data", PROFORMA_MASTER_KEY="short") == ["PROFORMA_MASTER_KEY is no key of 64 hexadecimal digits"]


# ---- TLS

def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and its key; and the key of another one."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("own", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=proforma",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
        (folder / f"{name}.key").chmod(0o600)
    return folder


def test_a_server_speaks_https(pair, tmp_path):
    server = Server(tmp_path / "data", scheme="https", options=["--tls-cert", pair / "own.pem", "--tls-key", pair / "own.key"]).init().start()
    try:
        client = server.client(verify=str(pair / "own.pem"))
        assert client.list_billing_groups()["BillingGroups"] == []
        assert client.create_pricing_rule(Name="rule", Scope="GLOBAL", Type="MARKUP", ModifierPercentage=1)["Arn"]
        with pytest.raises(SSLError):
            server.client(verify=str(pair / "other.pem")).list_billing_groups()
        plain = boto3.client("billingconductor", region_name=REGION, endpoint_url=f"http://127.0.0.1:{server.port}", aws_access_key_id="a",
                             aws_secret_access_key="b", config=Config(retries={"total_max_attempts": 1}, read_timeout=5))
        with pytest.raises(Exception, match="(?i)connection"):
            plain.list_billing_groups()
    finally:
        server.stop()


def test_a_certificate_without_its_key_is_refused(pair, tmp_path):
    cert, key, text = pair / "own.pem", pair / "own.key", tmp_path / "text.pem"
    text.write_text("no PEM at all")
    text.chmod(0o600)
    listed = tmp_path / "listed.key"
    listed.write_bytes(key.read_bytes())
    listed.chmod(0o644)
    for given, said in [
            (("--tls-cert", cert, "--tls-key", pair / "other.key"), f"certificate `{cert}` and key `{pair / 'other.key'}` cannot be used together"),
            (("--tls-cert", cert, "--tls-key", tmp_path / "none"), f"key `{tmp_path / 'none'}` cannot be read"),
            (("--tls-cert", tmp_path / "none", "--tls-key", key), f"certificate `{tmp_path / 'none'}` cannot be read"),
            (("--tls-cert", cert, "--tls-key", text), f"key `{text}` holds no private key"),
            (("--tls-cert", text, "--tls-key", key), f"certificate `{text}` holds no certificate"),
            (("--tls-cert", cert, "--tls-key", listed), f"`{listed}` can be read by others (mode 644)"),
            (("--tls-cert", cert), f"certificate `{cert}` has no key; give it with --tls-key"),
            (("--tls-key", key), f"key `{key}` has no certificate; give it with --tls-cert")]:
        found = problems("--data", tmp_path / "data", *given)
        assert len(found) == 1 and said in found[0], found
