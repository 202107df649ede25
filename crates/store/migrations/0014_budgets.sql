-- When a budget's notifications have crossed their thresholds, and have come back: a row per change within a period of the budget, written with what is told
-- of it. The budgets themselves are settings of the desk. `period` is the period's first day.
CREATE TABLE budget_crossings (
    payer TEXT NOT NULL REFERENCES payers (payer),
    budget TEXT NOT NULL,
    notification TEXT NOT NULL,
    period TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('OK', 'ALARM')),
    amount TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (payer, budget, notification, period, sequence)
);
