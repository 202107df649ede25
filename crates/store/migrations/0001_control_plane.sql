-- The control plane. One text for SQLite and PostgreSQL: columns are TEXT or BIGINT, flags are 0 or 1, instants are `_ms` or `_s` since
-- 1970-01-01T00:00:00Z, billing periods are YYYY-MM, amounts are decimal text. Nothing here is ever added up in SQL.

CREATE TABLE payers (
    payer TEXT NOT NULL PRIMARY KEY,
    created_at_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    next_number BIGINT NOT NULL,
    audit_sequence BIGINT NOT NULL,
    audit_hash TEXT NOT NULL
);

-- What is there but has no versions of its own: ids and numbers are never given out twice.
CREATE TABLE resources (
    payer TEXT NOT NULL REFERENCES payers (payer),
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    number BIGINT NOT NULL,
    created_at_s BIGINT NOT NULL,
    modified_at_s BIGINT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (payer, kind, id),
    UNIQUE (payer, number)
);

-- Every setting. A row is written once; what holds no more is marked with the revision that superseded it. Settings without periods have ''.
CREATE TABLE settings (
    payer TEXT NOT NULL REFERENCES payers (payer),
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    from_period TEXT NOT NULL,
    to_period TEXT,
    recorded_at_s BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    superseded_revision BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (payer, kind, id, from_period, revision),
    CHECK (to_period IS NULL OR from_period < to_period),
    CHECK (superseded_revision IS NULL OR revision < superseded_revision)
);

CREATE UNIQUE INDEX settings_live ON settings (payer, kind, id, from_period) WHERE superseded_revision IS NULL;

CREATE TABLE client_tokens (
    payer TEXT NOT NULL REFERENCES payers (payer),
    operation TEXT NOT NULL,
    token TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, operation, token)
);

CREATE INDEX client_tokens_by_age ON client_tokens (created_at_ms);

CREATE TABLE principals (
    payer TEXT NOT NULL REFERENCES payers (payer),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    billing_groups TEXT NOT NULL,
    accounts TEXT NOT NULL,
    password_hash TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, name)
);

CREATE TABLE access_keys (
    access_key_id TEXT NOT NULL PRIMARY KEY,
    payer TEXT NOT NULL,
    principal TEXT NOT NULL,
    secret_nonce TEXT NOT NULL,
    secret_ciphertext TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,
    FOREIGN KEY (payer, principal) REFERENCES principals (payer, name)
);

CREATE INDEX access_keys_by_principal ON access_keys (payer, principal);

-- Rows are only ever added; each has the hash of the one before.
CREATE TABLE audit (
    payer TEXT NOT NULL REFERENCES payers (payer),
    sequence BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    decision TEXT NOT NULL,
    request_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (payer, sequence)
);

CREATE TABLE sources (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    inputs TEXT NOT NULL,
    price_list TEXT,
    is_watched BIGINT NOT NULL CHECK (is_watched IN (0, 1)),
    is_immutable BIGINT NOT NULL CHECK (is_immutable IN (0, 1)),
    accepts_rejects BIGINT NOT NULL CHECK (accepts_rejects IN (0, 1)),
    period TEXT,
    fingerprint TEXT,
    checked_at_ms BIGINT,
    problem TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, id)
);

-- What has to be priced, and what came of it. `reads` is the source whose files are to be read; without one the last run's month is priced again.
CREATE TABLE runs (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    period TEXT NOT NULL,
    reads TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'unchanged')),
    result TEXT,
    warnings TEXT NOT NULL,
    error TEXT,
    created_at_ms BIGINT NOT NULL,
    started_at_ms BIGINT,
    finished_at_ms BIGINT,
    claim_token BIGINT NOT NULL,
    claim_expires_at_ms BIGINT,
    PRIMARY KEY (payer, id),
    UNIQUE (payer, period, id),
    CHECK ((state = 'running') = (claim_expires_at_ms IS NOT NULL)),
    CHECK ((state = 'done') = (result IS NOT NULL)),
    CHECK (state <> 'failed' OR error IS NOT NULL)
);

CREATE INDEX runs_in_order ON runs (payer, created_at_ms, id);
CREATE UNIQUE INDEX runs_queued ON runs (payer, period) WHERE state = 'queued';
CREATE INDEX runs_to_do ON runs (payer, created_at_ms, id) WHERE state IN ('queued', 'running');

CREATE TABLE current_runs (
    payer TEXT NOT NULL,
    period TEXT NOT NULL,
    run TEXT NOT NULL,
    set_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, period),
    FOREIGN KEY (payer, period, run) REFERENCES runs (payer, period, id)
);

CREATE TABLE closes (
    payer TEXT NOT NULL,
    period TEXT NOT NULL,
    run TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    closed_at_ms BIGINT NOT NULL,
    closed_by TEXT NOT NULL,
    PRIMARY KEY (payer, period),
    FOREIGN KEY (payer, period, run) REFERENCES runs (payer, period, id)
);

CREATE TABLE adjustments (
    payer TEXT NOT NULL,
    id TEXT NOT NULL,
    period TEXT NOT NULL,
    posted_in TEXT NOT NULL,
    run TEXT NOT NULL,
    billing_group TEXT,
    currency TEXT NOT NULL,
    amount TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, id),
    FOREIGN KEY (payer, period, run) REFERENCES runs (payer, period, id),
    FOREIGN KEY (payer, period) REFERENCES closes (payer, period)
);

-- What the master key has sealed, so that a wrong one is known before it seals anything else.
CREATE TABLE master_key_check (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    nonce TEXT NOT NULL,
    ciphertext TEXT NOT NULL
);
