-- Whether a key has registered the place, so that it is read below the cost roots of its payer only. What was registered before stays as it is.
ALTER TABLE sources ADD COLUMN is_confined BIGINT NOT NULL DEFAULT 0;
