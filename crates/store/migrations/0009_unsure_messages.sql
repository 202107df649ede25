-- A message of which nobody knows whether it was taken, and one that was not sent in time, have states of their own; each message says until when it may
-- be sent. A check cannot be changed in SQLite, so the table is made anew.
CREATE TABLE outbox_next (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    attachments TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'unconfirmed', 'dead', 'expired', 'dropped')),
    attempts BIGINT NOT NULL,
    next_attempt_at_ms BIGINT NOT NULL,
    last_error TEXT,
    claim_token BIGINT NOT NULL,
    claimed_by TEXT,
    claim_expires_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, id),
    UNIQUE (payer, dedupe_key),
    CHECK ((state = 'sending') = (claim_expires_at_ms IS NOT NULL)),
    CHECK ((state IN ('queued', 'sending')) = (ended_at_ms IS NULL)),
    CHECK (state NOT IN ('unconfirmed', 'dead', 'expired') OR last_error IS NOT NULL)
);

-- The ages of the kinds as they were when this step was written: a day, 30 days, 14 days.
INSERT INTO outbox_next (payer, id, dedupe_key, kind, channel, recipient, subject, body, attachments, state, attempts, next_attempt_at_ms, last_error,
    claim_token, claimed_by, claim_expires_at_ms, created_at_ms, ended_at_ms, expires_at_ms)
SELECT payer, id, dedupe_key, kind, channel, recipient, subject, body, attachments, state, attempts, next_attempt_at_ms, last_error,
    claim_token, claimed_by, claim_expires_at_ms, created_at_ms, ended_at_ms,
    created_at_ms + CASE kind WHEN 'test' THEN 86400000 WHEN 'invoice' THEN 2592000000 ELSE 1209600000 END
FROM outbox;

DROP TABLE outbox;
ALTER TABLE outbox_next RENAME TO outbox;

CREATE INDEX outbox_to_send ON outbox (channel, payer, next_attempt_at_ms, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_in_order ON outbox (payer, created_at_ms, id);
