-- What is to be told outside, by mail or webhook: written in the transaction of what it tells of, sent by a worker afterwards. The key says what is
-- told to whom, so that nothing is told twice. `body` and `attachments` are JSON.
CREATE TABLE outbox (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    attachments TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'dead', 'dropped')),
    attempts BIGINT NOT NULL,
    next_attempt_at_ms BIGINT NOT NULL,
    last_error TEXT,
    claim_token BIGINT NOT NULL,
    claimed_by TEXT,
    claim_expires_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    PRIMARY KEY (payer, id),
    UNIQUE (payer, dedupe_key),
    CHECK ((state = 'sending') = (claim_expires_at_ms IS NOT NULL)),
    CHECK ((state IN ('sent', 'dead', 'dropped')) = (ended_at_ms IS NOT NULL)),
    CHECK (state <> 'dead' OR last_error IS NOT NULL)
);

CREATE INDEX outbox_to_send ON outbox (channel, next_attempt_at_ms, payer, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_in_order ON outbox (payer, created_at_ms, id);

-- Files that messages carry, by the SHA-256 of their bytes; the bytes as base64.
CREATE TABLE outbox_attachments (
    payer TEXT NOT NULL REFERENCES payers (payer),
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (payer, sha256)
);

-- How a payer wants its desk run where no price depends on it: whom to notify, how long to keep what, when invoices go out. A row is written once;
-- the one of the highest revision holds. An empty body says that there is no such setting any more.
CREATE TABLE desk_settings (
    payer TEXT NOT NULL REFERENCES payers (payer),
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (payer, kind, id, revision)
);

-- How far the schedule of a billing group's invoices has come with a period: each is taken up once.
CREATE TABLE schedule_steps (
    payer TEXT NOT NULL REFERENCES payers (payer),
    billing_group TEXT NOT NULL,
    period TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('drafted', 'issued', 'skipped', 'failed')),
    detail TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, billing_group, period)
);
