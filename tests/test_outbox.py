"""What leaves the desk: mail that arrives once, webhooks that are signed, and servers on the other side that are down, slow or unwilling."""
import hashlib
import hmac
import contextlib
import json
import shutil
import sqlite3
import subprocess
import time

import pytest

from program import PROGRAM
from server import Server, command
from smtp import MailServer, Receiver, covered, free_port

FROM = "Billing <billing@example.com>"
# Short, so that what is sent for longer must renew its claim.
LEASE, PAUSE, ATTEMPTS = 8, 1, 4
TO = "ap@example.com"


def options(mail, *more, allow="127.0.0.1"):
    allowed = ["--webhook-allow", allow] if allow else []
    return ["--smtp-url", f"smtp://127.0.0.1:{mail.port}?tls=none", "--smtp-from", FROM, "--lease-seconds", str(LEASE),
            "--outbox-pause-seconds", str(PAUSE), "--outbox-attempts", str(ATTEMPTS), *allowed, *more]


@pytest.fixture
def mail():
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def shared_mail(new_server):
    """One for each store."""
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sender(new_server, shared_mail):
    """A server that sends by a mail server that takes what comes."""
    return new_server(transfers=False, options=options(shared_mail))


@pytest.fixture
def forge(request):
    """Changes the database of a server that is stopped."""
    def change(server, sql):
        if server.database:
            request.getfixturevalue("cluster").say(server.database, sql)
            return
        with contextlib.closing(sqlite3.connect(server.data / "proforma.db")) as database, database:
            assert database.execute(sql).rowcount == 1
    return change


def messages(server, *arguments):
    return json.loads(server.command("outbox", "list", "--output", "json", *arguments))["Messages"]


def message(server, recipient):
    """The latest message to somebody."""
    return next(row for row in messages(server) if row["Recipient"] == recipient)


def until(state, server, recipient, seconds=40):
    """The latest message to somebody, once it is so."""
    end = time.monotonic() + seconds
    while (row := message(server, recipient))["State"] != state:
        assert time.monotonic() < end, row
        time.sleep(0.1)
    return row


def test(server, recipient):
    given = ["--email", recipient] if "@" in recipient else ["--webhook", recipient]
    server.command("notify", "test", *given)


test.__test__ = False


# ---- Mail

def test_a_mail_arrives_once(sender, shared_mail):
    test(sender, "once@example.com")
    row = until("SENT", sender, "once@example.com")
    assert (row["Kind"], row["Channel"], row["Attempts"]) == ("test", "EMAIL", 1) and "LastError" not in row
    sender.restart()
    time.sleep(2)
    came, = [came for came in shared_mail.mails if "once@example.com" in came.recipients]
    # The whole envelope: nobody else has got it.
    assert (came.sender, came.recipients) == ("billing@example.com", ("once@example.com",))
    said = came.message
    assert said["From"] == FROM and said["To"] == "once@example.com" and said["Subject"] == "Proforma: a test message" == row["Subject"]
    assert said["Auto-Submitted"] == "auto-generated" and said["Message-ID"].endswith("@example.com>") and said["Date"]
    assert not {"Cc", "Bcc", "Reply-To"} & set(said.keys())
    assert said.get_content_type() == "multipart/alternative"
    assert "This is a test message of the billing desk of account 999999999999." in came.text
    assert "<p>This is a test message" in came.html and "<script" not in came.html


def test_a_mail_server_that_is_down_gets_it_when_it_is_up(new_server, mail):
    server = new_server(transfers=False, options=options(mail))
    mail.stop()
    test(server, TO)
    end = time.monotonic() + 20
    while "LastError" not in (row := message(server, TO)):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "Connection" in row["LastError"] or "connect" in row["LastError"], row
    # Nothing that the desk is asked waits for mail.
    begun = time.monotonic()
    server.client().list_billing_groups()
    assert time.monotonic() - begun < 5
    mail.start()
    row = until("SENT", server, TO)
    assert row["Attempts"] >= 2 and len(mail.mails) == 1


def test_what_is_refused_for_now_is_tried_again(sender, shared_mail):
    before = shared_mail.attempts
    shared_mail.answers += ["451 4.7.1 greylisted", "452 4.2.2 full"]
    test(sender, "later@example.com")
    row = until("SENT", sender, "later@example.com")
    assert row["Attempts"] == 3 and shared_mail.attempts - before == 3
    assert len([came for came in shared_mail.mails if "later@example.com" in came.recipients]) == 1


def test_what_is_refused_for_good_is_given_up(sender, shared_mail):
    shared_mail.unknown.add("nobody@example.com")
    test(sender, "nobody@example.com")
    row = until("DEAD", sender, "nobody@example.com")
    assert row["Attempts"] == 1 and "no such mailbox" in row["LastError"]
    assert [dead["MessageId"] for dead in messages(sender, "--state", "dead")] == [row["MessageId"]]
    # In another state nothing is left of it; then the mailbox is made, and the operator tries again.
    shared_mail.unknown.clear()
    sender.command("outbox", "retry", row["MessageId"])
    assert until("SENT", sender, "nobody@example.com")["MessageId"] == row["MessageId"]
    for act in ("retry", "drop"):
        refused = sender.own("RetryMessages" if act == "retry" else "DropMessages", {"MessageIds": [row["MessageId"]]})
        assert refused.status == 400 and "is sent: nothing is to be done with it" in refused.json["Message"]
    unknown = sender.own("RetryMessages", {"MessageIds": ["none"]})
    assert unknown.status == 400 and "there is no message `none`" in unknown.json["Message"]


def test_after_so_many_attempts_it_is_given_up(sender, shared_mail):
    shared_mail.answers += ["451 not now"] * ATTEMPTS
    test(sender, "never@example.com")
    row = until("DEAD", sender, "never@example.com")
    assert row["Attempts"] == ATTEMPTS and "not now" in row["LastError"] and shared_mail.answers == []
    sender.command("outbox", "drop", "--dead")
    assert message(sender, "never@example.com")["State"] == "DROPPED"
    assert not [came for came in shared_mail.mails if "never@example.com" in came.recipients]
    # Who drops it may think better of it.
    sender.command("outbox", "retry", row["MessageId"])
    until("SENT", sender, "never@example.com")


def test_a_mail_server_with_tls_and_a_password(new_server, tmp_path, monkeypatch):
    given, certificate = covered(tmp_path, ("billing", "geheim#1"))
    mail = MailServer(options=given).start()
    password = tmp_path / "password"
    password.write_text("geheim#1\n")
    password.chmod(0o600)
    address = ["--smtp-url", f"smtp://billing@127.0.0.1:{mail.port}", "--smtp-password-file", password, "--smtp-from", FROM]
    rest = options(mail)[4:]
    try:
        server = new_server(start=False, options=[*address, *rest])
        server.start()
        # A certificate that nobody vouches for: nothing is said to such a server.
        test(server, TO)
        end = time.monotonic() + 20
        while "ertificate" not in message(server, TO).get("LastError", ""):
            assert time.monotonic() < end, message(server, TO)
            time.sleep(0.1)
        assert mail.attempts == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        server.restart()
        row = until("SENT", server, TO)
        assert row["Attempts"] >= 2 and [came.was_covered for came in mail.mails] == [True]
        assert "geheim" not in server.log.read_text()
        # Another password: the settings are to be mended, so the mail is kept.
        password.write_text("other\n")
        server.restart()
        test(server, "other@example.com")
        end = time.monotonic() + 20
        while "LastError" not in (row := message(server, "other@example.com")):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert row["State"] in ("QUEUED", "SENDING") and "535" in row["LastError"] or "uthenticat" in row["LastError"], row
    finally:
        mail.stop()


def test_a_server_that_is_killed_while_it_sends(new_server, mail):
    """The mail may have been taken or not; it is sent again under the same id, once."""
    server = new_server(transfers=False, options=options(mail))
    mail.seconds = 2
    test(server, TO)
    end = time.monotonic() + 20
    while mail.attempts == 0:
        assert time.monotonic() < end
        time.sleep(0.02)
    server.kill()
    mail.seconds = 0
    server.start()
    row = until("SENT", server, TO)
    assert row["Attempts"] == 2
    time.sleep(3)
    assert 1 <= len(mail.mails) <= 2 and len({came.message["Message-ID"] for came in mail.mails}) == 1
    assert {came.recipients for came in mail.mails} == {(TO,)}


def test_a_slow_mail_server_gets_one_mail(new_server, mail):
    """Longer than a lease: who sends renews its claim, and waits for the answer."""
    server = new_server(transfers=False, options=options(mail))
    mail.seconds = LEASE + 4
    test(server, TO)
    row = until("SENT", server, TO)
    assert row["Attempts"] == 1
    time.sleep(2)
    assert mail.attempts == 1 and len(mail.mails) == 1


def test_a_mail_that_may_have_been_taken_is_not_sent_again_by_itself(new_server, mail):
    server = new_server(transfers=False, options=options(mail))
    mail.silent = 1
    test(server, TO)
    row = until("UNCONFIRMED", server, TO)
    assert row["Attempts"] == 1 and "has not said whether it takes it" in row["LastError"], row
    time.sleep(PAUSE * 3)
    assert mail.attempts == 1 and [dead["MessageId"] for dead in messages(server, "--state", "unconfirmed")] == [row["MessageId"]]
    # A person knows better, and says so.
    server.command("outbox", "retry", row["MessageId"])
    assert until("SENT", server, TO)["MessageId"] == row["MessageId"] and len(mail.mails) == 1


def test_a_message_that_is_too_old_is_not_sent(new_server, mail, forge):
    """What was queued while there was no mail server does not all go out once there is one."""
    server = new_server(start=False, options=[])
    server.start()
    test(server, TO)
    test(server, "new@example.com")
    assert message(server, TO)["State"] == "QUEUED"
    server.stop()
    forge(server, f"UPDATE outbox SET expires_at_ms = created_at_ms + 1 WHERE recipient = '{TO}'")
    server.options = options(mail)
    server.start()
    until("SENT", server, "new@example.com")
    row = until("EXPIRED", server, TO)
    assert (row["LastError"], row["Attempts"]) == ("it was not sent in time", 0)
    assert [came.recipients for came in mail.mails] == [("new@example.com",)]
    server.command("outbox", "retry", row["MessageId"])
    until("SENT", server, TO)


def test_what_was_for_somebody_who_was_taken_out_goes_nowhere(new_server, mail, forge):
    server = new_server(start=False, options=[])
    server.start()
    test(server, "ann@example.com")
    gone = json.loads(server.command("privacy", "erase", "ann@example.com", "--output", "json"))
    row = message(server, f"{gone['Replacement']}@erased.invalid")
    assert row["State"] == "DROPPED"
    refused = server.own("RetryMessages", {"MessageIds": [row["MessageId"]]})
    assert refused.status == 400 and "was taken out" in refused.json["Message"]
    # Nor does a server send there what is queued all the same.
    server.stop()
    forge(server, f"UPDATE outbox SET state = 'queued', ended_at_ms = NULL WHERE id = '{row['MessageId']}'")
    server.options = options(mail)
    server.start()
    row = until("DEAD", server, row["Recipient"])
    assert "was taken out" in row["LastError"] and mail.attempts == 0


def test_several_servers_send_each_message_once(cluster, tmp_path, mail):
    one = Server(tmp_path / "data", cluster.database(), options=options(mail)).init().start()
    (tmp_path / "again").symlink_to(tmp_path / "data")
    two = Server(tmp_path / "again", one.database, root=one.root, options=options(mail)).start()
    try:
        mail.seconds = 0.05
        recipients = [f"a{number}@example.com" for number in range(40)]
        for number, recipient in enumerate(recipients):
            assert (one, two)[number % 2].own("SendTestNotification", {"Channel": "EMAIL", "Recipient": recipient}).status == 200
        mail.wait(len(recipients))
        time.sleep(LEASE + 2)
        assert sorted(came.recipients for came in mail.mails) == sorted((recipient,) for recipient in recipients)
        assert {row["State"] for row in messages(two)} == {"SENT"}
    finally:
        one.stop()
        two.stop()


def test_a_server_that_is_told_to_stop_ends_what_it_sends(new_server, mail):
    server = new_server(transfers=False, options=options(mail))
    mail.seconds = 2
    test(server, TO)
    while mail.attempts == 0:
        time.sleep(0.02)
    server.restart()
    row = message(server, TO)
    assert (row["State"], row["Attempts"], len(mail.mails)) == ("SENT", 1, 1)


def test_no_header_is_smuggled_in(sender, shared_mail):
    before = len(shared_mail.mails)
    for recipient in ["a@example.com\r\nBcc: b@example.com", "a@example.com\nX: y", "a@example.com,b@example.com", "\"x\" <a@example.com>", "ä@example.com", "a"]:
        refused = sender.own("SendTestNotification", {"Channel": "EMAIL", "Recipient": recipient})
        assert refused.status == 400 and "is no address of mail" in refused.json["Message"], recipient
        refused = sender.own("UpdateNotificationSettings", {"Emails": ["fine@example.com", recipient]})
        assert refused.status == 400 and "is no address of mail" in refused.json["Message"], recipient
    assert sender.own("GetNotificationSettings").json["Emails"] == []
    time.sleep(1.5)
    assert len(shared_mail.mails) == before


# ---- Webhooks

def signed(server, request):
    """Whether a request is signed with the payer's secret: what a receiver does to know it."""
    secret = server.own("GetWebhookSecret").json["Secret"]
    at, signature = request.headers["x-proforma-signature"].split(",")
    expected = hmac.new(secret.encode(), at.removeprefix("t=").encode() + b"." + request.body, hashlib.sha256).hexdigest()
    return signature == f"v1={expected}" and abs(time.time() - int(at.removeprefix("t="))) < 60


def test_a_webhook_is_signed(sender, receiver):
    test(sender, receiver.url)
    request, = receiver.wait()
    assert signed(sender, request) and request.path == "/hook" and request.headers["content-type"] == "application/json"
    said = request.json
    assert (said["id"], said["kind"], said["payer"]) == (request.headers["idempotency-key"], "test", "999999999999")
    assert said["subject"] == "Proforma: a test message" and said["facts"] == [] and len(said["paragraphs"]) == 2
    until("SENT", sender, receiver.url)
    # Every payer has a secret of its own, and it is for who administers.
    analyst = sender.keys("webhook-analyst", "analyst")
    assert sender.own("GetWebhookSecret", keys=analyst).status == 403
    assert sender.own("ListMessages", keys=analyst).status == 200
    for operation in ("RetryMessages", "DropMessages", "UpdateNotificationSettings", "CheckNotices"):
        assert sender.own(operation, {}, keys=analyst).status == 403
    # News of orders and documents is the work of finance, and so is to stop a wrong mail; the secret is not.
    finance = sender.keys("webhook-finance", "finance")
    settings = {"Muted": sender.own("GetNotificationSettings").json["Muted"]}
    asked = [("RetryMessages", {"MessageIds": ["none"]}), ("DropMessages", {"MessageIds": ["none"]}), ("UpdateNotificationSettings", settings), ("CheckNotices", {})]
    for operation, given in asked:
        assert sender.own(operation, given, keys=finance).status not in (403, 500), operation
    assert sender.own("GetWebhookSecret", {}, keys=finance).status == 403


def test_a_receiver_that_fails_is_asked_again(sender, receiver):
    receiver.answers += [(500, {}), (302, {"Location": "/elsewhere"}), (204, {})]
    test(sender, receiver.url)
    row = until("SENT", sender, receiver.url)
    assert row["Attempts"] == 3
    assert [request.path for request in receiver.requests] == ["/hook"] * 3, "nowhere that it points to is gone"
    assert len({request.headers["idempotency-key"] for request in receiver.requests}) == 1
    assert all(signed(sender, request) for request in receiver.requests)


def test_a_receiver_that_hangs_holds_nobody_else_up(new_server, receiver, mail):
    server, hanging = new_server(transfers=False, options=options(mail)), Receiver()
    hanging.seconds = 30
    try:
        for _ in range(12):
            assert server.own("SendTestNotification", {"Channel": "WEBHOOK", "Recipient": hanging.url}).status == 200
        # It is being asked, one message at a time.
        hanging.wait(1)
        test(server, receiver.url)
        until("SENT", server, receiver.url, seconds=6)
        assert len(hanging.requests) == 1
    finally:
        hanging.seconds = 0
        hanging.stop()


def test_a_large_answer_is_not_read(sender, receiver):
    receiver.answers += [(200, {"Content-Length": str(10**12)})]
    receiver.body = b"x" * 10_000_000
    test(sender, receiver.url)
    assert until("SENT", sender, receiver.url)["Attempts"] == 1


def test_a_receiver_inside_is_not_asked(new_server, receiver, mail):
    """Without the operator's word no request goes to the server's own network, however its address is written."""
    server = new_server(transfers=False, options=options(mail, allow=None))
    disguised = [f"https://127.0.0.1:{receiver.port}/", receiver.url, f"http://localhost:{receiver.port}/", "https://localhost/", "https://2130706433/",
                 "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "https://[::1]/", "https://0/"]
    for url in disguised:
        test(server, url)
    for url in disguised:
        end = time.monotonic() + 20
        while "LastError" not in (row := message(server, url)):
            assert time.monotonic() < end, row
            time.sleep(0.1)
        assert "--webhook-allow" in row["LastError"], row
    assert receiver.requests == []
    refused = server.own("SendTestNotification", {"Channel": "WEBHOOK", "Recipient": "https://user:pass@example.com/"})
    assert refused.status == 400 and "is no URL of a receiver" in refused.json["Message"]


# ---- Settings

def test_whom_news_goes_to(sender):
    told = json.loads(sender.command("notify", "settings", "--output", "json"))
    assert told == {"Emails": [], "Webhooks": [], "ToContacts": True, "BalancePercent": [75, 25, 10, 0], "Muted": []}
    sender.command("notify", "settings", "--email", TO, "--email", "cfo@example.com", "--threshold", "50", "--mute", "expiry", "--to-contacts", "false")
    told = json.loads(sender.command("notify", "settings", "--output", "json"))
    assert told == {"Emails": [TO, "cfo@example.com"], "Webhooks": [], "ToContacts": False, "BalancePercent": [50], "Muted": ["expiry"]}
    sender.command("notify", "settings", "--webhook", "https://hooks.example.com/a", "--mute-nothing")
    told = json.loads(sender.command("notify", "settings", "--output", "json"))
    assert (told["Emails"], told["Webhooks"], told["Muted"]) == ([TO, "cfo@example.com"], ["https://hooks.example.com/a"], [])
    refused = sender.own("UpdateNotificationSettings", {"Muted": ["weather"], "Webhooks": ["ftp://x"]})
    assert refused.status == 400 and "no kind of news `weather`" in refused.json["Message"] and "`ftp://x` is no URL" in refused.json["Message"]
    sender.command("notify", "settings", "--no-emails", "--no-webhooks")
    told = json.loads(sender.command("notify", "settings", "--output", "json"))
    assert (told["Emails"], told["Webhooks"]) == ([], [])
    said = [event["Action"] for event in sender.own("ListAuditEvents").json["AuditEvents"]]
    assert said.count("proforma:UpdateNotificationSettings") >= 4


def test_a_viewer_sees_no_message(sender):
    from desk import Desk
    viewer = sender.keys("outbox-viewer", "group-viewer", [Desk(sender.client()).group().arn])
    for operation in ("ListMessages", "RetryMessages", "DropMessages", "SendTestNotification", "GetNotificationSettings", "UpdateNotificationSettings",
                      "GetWebhookSecret"):
        assert sender.own(operation, {}, keys=viewer).status == 403, operation


def test_messages_are_paged_and_kept_in_a_backup(new_server, tmp_path):
    """Without a mail server they wait, and a restored desk has them."""
    server = new_server(transfers=False)
    for number in range(5):
        test(server, f"b{number}@example.com")
    first = server.own("ListMessages", {"MaxResults": 2}).json
    second = server.own("ListMessages", {"MaxResults": 2, "NextToken": first["NextToken"]}).json
    third = server.own("ListMessages", {"MaxResults": 2, "NextToken": second["NextToken"]}).json
    paged = [row["Recipient"] for page in (first, second, third) for row in page["Messages"]]
    assert sorted(paged) == [f"b{number}@example.com" for number in range(5)] and "NextToken" not in third
    assert {row["State"] for row in messages(server)} == {"QUEUED"} and {row["Attempts"] for row in messages(server)} == {0}
    command("backup", tmp_path / "backup", *server.stored)
    again = Server(tmp_path / "again", now=server.now, root=server.root)
    command("restore", tmp_path / "backup", *again.stored)
    shutil.copy(server.data / "master.key", again.data / "master.key")
    mail = MailServer().start()
    again.options = options(mail)
    try:
        again.start()
        assert len({came.recipients for came in mail.wait(5)}) == 5
        again.stop()
    finally:
        again.process.kill()
        mail.stop()


def test_settings_that_are_wrong_are_said_at_once(tmp_path):
    password = tmp_path / "password"
    password.write_text("geheim")
    password.chmod(0o644)
    ended = subprocess.run([PROGRAM, "serve", "--data", tmp_path / "data", "--smtp-url", "http://u@h", "--smtp-from", "nobody", "--smtp-password-file", password,
                            "--webhook-allow", "10.0.0.0/40", "--outbox-attempts", "0"], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    for said in ["--smtp-url has scheme `http`", "mail is sent from `nobody`, which is no address", "can be read by others (mode 644)",
                 "webhook receiver `10.0.0.0/40` is no host", "--outbox-attempts (or PROFORMA_OUTBOX_ATTEMPTS) is `0`"]:
        assert ended.stderr.count(said) == 1, ended.stderr
    assert "geheim" not in ended.stderr
    ended = subprocess.run([PROGRAM, "serve", "--data", tmp_path / "data", "--smtp-from", FROM], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2 and "there is a sender or a password of mail, and no mail server" in ended.stderr
