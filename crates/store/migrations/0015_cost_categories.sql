-- Cost categories that somebody has defined. Never overwritten: each change is a row with the next version, which holds for the months from `effective_from` on;
-- of those that hold for a month the last one does. Rules are JSON as AWS's API has them.
CREATE TABLE cost_categories (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    created_at_s BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL CHECK (is_deleted IN (0, 1)),
    effective_from TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (payer, id, version)
);
