-- What AWS's service `invoicing` keeps. Invoice units, portal preferences and profiles are never overwritten: each change is a row with the next
-- version, and what held at an instant is the last one not after it.
CREATE TABLE invoice_units (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL CHECK (is_deleted IN (0, 1)),
    name TEXT NOT NULL,
    receiver TEXT NOT NULL,
    description TEXT,
    is_tax_inheritance_disabled BIGINT NOT NULL CHECK (is_tax_inheritance_disabled IN (0, 1)),
    linked_accounts TEXT NOT NULL,
    bill_source_accounts TEXT NOT NULL,
    PRIMARY KEY (payer, id, version)
);

CREATE INDEX invoice_units_by_name ON invoice_units (payer, name);

-- The latest document that was kept of something, and every one before it: profiles of accounts, preferences of procurement portals. The body is JSON.
CREATE TABLE invoicing_documents (
    payer TEXT NOT NULL REFERENCES payers (payer),
    kind TEXT NOT NULL CHECK (kind IN ('profile', 'portal-preference')),
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    is_deleted BIGINT NOT NULL CHECK (is_deleted IN (0, 1)),
    body TEXT NOT NULL,
    PRIMARY KEY (payer, kind, id, version)
);

-- Summaries of AWS's invoices as AWS has told them, JSON in the body; the columns beside it are what they are found by.
CREATE TABLE invoice_summaries (
    payer TEXT NOT NULL REFERENCES payers (payer),
    invoice_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    account TEXT NOT NULL,
    billing_period TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (payer, invoice_id, version)
);

CREATE INDEX invoice_summaries_by_account ON invoice_summaries (payer, account);
CREATE INDEX invoice_summaries_by_period ON invoice_summaries (payer, billing_period);

CREATE TABLE invoicing_tags (
    payer TEXT NOT NULL REFERENCES payers (payer),
    resource TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (payer, resource)
);

-- Secrets of procurement portals, sealed by the master key. They end with their preference.
CREATE TABLE portal_secrets (
    payer TEXT NOT NULL REFERENCES payers (payer),
    id TEXT NOT NULL,
    secret_nonce TEXT NOT NULL,
    secret_ciphertext TEXT NOT NULL,
    PRIMARY KEY (payer, id)
);

-- Files that belong to an invoice; their bytes are in the data directory, named by their hash. The last of the same place holds.
CREATE TABLE invoice_files (
    payer TEXT NOT NULL REFERENCES payers (payer),
    invoice_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('INVOICE', 'GOVERNMENT_INVOICE', 'TAX_E_INVOICE', 'PAYMENT_RECEIPT', 'SUPPLEMENT')),
    document_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    attached_at_s BIGINT NOT NULL,
    attached_by TEXT NOT NULL,
    PRIMARY KEY (payer, invoice_id, kind, document_id, version)
);
