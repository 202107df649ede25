-- Exports of pro forma lines that somebody has defined: those of `bcm-data-exports`, and the reports of `cur`. Never overwritten: each change is a row
-- with the next version, and the last one holds. `definition` is the version that what is delivered follows from: other tags deliver nothing anew. The
-- body is JSON in the shape of the API.
CREATE TABLE data_exports (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    definition BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    created_at_s BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL CHECK (is_deleted IN (0, 1)),
    kind TEXT NOT NULL CHECK (kind IN ('export', 'report')),
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (payer, id, version)
);

-- What was delivered of an export: of which run of which period, by which definition, and what came of it. Whoever works on one says so until a time.
CREATE TABLE export_executions (
    payer TEXT NOT NULL REFERENCES payers (payer),
    export TEXT NOT NULL,
    id TEXT NOT NULL,
    definition BIGINT NOT NULL,
    period TEXT NOT NULL,
    run TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    problem TEXT,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    claim_expires_at_ms BIGINT,
    PRIMARY KEY (payer, export, id),
    CHECK ((ended_at_ms IS NULL) = (claim_expires_at_ms IS NOT NULL))
);

CREATE INDEX export_executions_by_run ON export_executions (payer, run);
