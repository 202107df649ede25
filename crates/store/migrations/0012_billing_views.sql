-- Billing views that somebody has made of others. Never overwritten: each change is a row with the next version, and the last one holds. Sources are
-- ARNs' last parts and the filter is JSON as AWS's API has it; views of billing groups follow from the configuration and are not kept.
CREATE TABLE billing_views (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    created_at_s BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL CHECK (is_deleted IN (0, 1)),
    name TEXT NOT NULL,
    description TEXT,
    source_views TEXT NOT NULL,
    filter TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (payer, id, version)
);
