-- When the files of a run were removed that nothing shows any more; the row stays, with what came of it.
ALTER TABLE runs ADD COLUMN files_removed_at_ms BIGINT;
CREATE INDEX runs_with_files ON runs (payer, period) WHERE state = 'done' AND files_removed_at_ms IS NULL;

-- The hash over what a setting says, by which bit rot is found. Rows of the schema before have none.
ALTER TABLE settings ADD COLUMN row_hash TEXT;
