-- The operator's invoices to its customers. Rows are only ever added, but for what has become of a draft.

-- What is settled about the invoices of all customers (billing group '') or of one; of the same first period the last one holds.
CREATE TABLE invoice_settings (
    payer TEXT NOT NULL REFERENCES payers (payer),
    billing_group TEXT NOT NULL,
    from_period TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (payer, billing_group, from_period, version)
);

CREATE TABLE exchange_rates (
    payer TEXT NOT NULL REFERENCES payers (payer),
    from_currency TEXT NOT NULL,
    to_currency TEXT NOT NULL,
    day TEXT NOT NULL,
    rate TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (payer, from_currency, to_currency, day)
);

CREATE TABLE invoice_drafts (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    billing_group TEXT NOT NULL,
    period TEXT NOT NULL,
    currency TEXT NOT NULL,
    run TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'issued', 'discarded')),
    invoice TEXT,
    created_at_s BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (payer, id),
    CHECK ((state = 'issued') = (invoice IS NOT NULL))
);

CREATE UNIQUE INDEX invoice_drafts_open ON invoice_drafts (payer, billing_group, period, currency) WHERE state = 'open';

-- Documents as they were issued, word for word. `place` counts a payer's documents in the order of issue, `series_count` those of a series.
CREATE TABLE issued_invoices (
    payer TEXT NOT NULL REFERENCES payers (payer),
    number TEXT NOT NULL,
    place BIGINT NOT NULL,
    series TEXT NOT NULL,
    series_count BIGINT NOT NULL,
    billing_group TEXT NOT NULL,
    period TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    charged_in TEXT NOT NULL,
    issued_on TEXT NOT NULL,
    original TEXT,
    run TEXT NOT NULL,
    residue TEXT NOT NULL,
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    issued_at_ms BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    PRIMARY KEY (payer, number),
    UNIQUE (payer, place),
    FOREIGN KEY (payer, original) REFERENCES issued_invoices (payer, number),
    CHECK ((kind = 'credit_note') = (original IS NOT NULL))
);

CREATE INDEX issued_invoices_by_group ON issued_invoices (payer, billing_group, place);
CREATE INDEX issued_invoices_by_series ON issued_invoices (payer, series, place);
CREATE INDEX issued_invoices_by_original ON issued_invoices (payer, original);

CREATE TABLE invoice_payments (
    payer TEXT NOT NULL,
    invoice TEXT NOT NULL,
    number BIGINT NOT NULL,
    paid_on TEXT NOT NULL,
    amount TEXT NOT NULL,
    reference TEXT,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (payer, invoice, number),
    FOREIGN KEY (payer, invoice) REFERENCES issued_invoices (payer, number)
);
