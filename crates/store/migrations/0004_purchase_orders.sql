-- Purchase orders, and the invoices that are matched with them. `buyer` is empty for the payer itself, which buys of AWS, and the id of a billing group
-- that buys of the operator. Amounts are decimal text, within the bodies.

-- How often a payer's purchasing was written, so that a reader knows whether what it holds is still so.
CREATE TABLE purchasing_heads (
    payer TEXT NOT NULL PRIMARY KEY REFERENCES payers (payer),
    revision BIGINT NOT NULL,
    next_number BIGINT NOT NULL
);

-- A number that was given once stays given, also of an order that was deleted.
CREATE TABLE purchase_orders (
    payer TEXT NOT NULL REFERENCES payers (payer),
    buyer TEXT NOT NULL,
    id TEXT NOT NULL,
    number BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    deleted_at_s BIGINT,
    PRIMARY KEY (payer, buyer, id),
    UNIQUE (payer, number)
);

-- Every change of an order; rows are only ever added.
CREATE TABLE purchase_order_revisions (
    payer TEXT NOT NULL,
    buyer TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    action TEXT NOT NULL,
    body TEXT NOT NULL,
    row_hash TEXT NOT NULL,
    PRIMARY KEY (payer, buyer, id, revision),
    FOREIGN KEY (payer, buyer, id) REFERENCES purchase_orders (payer, buyer, id)
);

-- What the matcher knows of an invoice. One that comes again with another content is another revision; rows are only ever added.
CREATE TABLE matched_invoices (
    payer TEXT NOT NULL REFERENCES payers (payer),
    buyer TEXT NOT NULL,
    invoice TEXT NOT NULL,
    revision BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('imported', 'run', 'issued')),
    body TEXT NOT NULL,
    row_hash TEXT NOT NULL,
    PRIMARY KEY (payer, buyer, invoice, revision)
);

-- Which line of which order an invoice is charged to, and why; without an order, why to none. The one of the highest sequence holds; rows are only
-- ever added.
CREATE TABLE invoice_associations (
    payer TEXT NOT NULL,
    buyer TEXT NOT NULL,
    invoice TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('matched', 'moved', 'rematched')),
    purchase_order TEXT,
    line TEXT,
    order_revision BIGINT,
    used TEXT,
    flags TEXT NOT NULL,
    reason TEXT NOT NULL,
    trace TEXT NOT NULL,
    row_hash TEXT NOT NULL,
    PRIMARY KEY (payer, buyer, invoice, sequence),
    FOREIGN KEY (payer, buyer, purchase_order) REFERENCES purchase_orders (payer, buyer, id),
    CHECK ((purchase_order IS NULL) = (line IS NULL)),
    CHECK ((purchase_order IS NULL) = (order_revision IS NULL))
);

CREATE INDEX invoice_associations_by_order ON invoice_associations (payer, buyer, purchase_order);

-- How invoices of a payer are matched; the one of the highest revision holds, rows are only ever added.
CREATE TABLE matching_settings (
    payer TEXT NOT NULL REFERENCES payers (payer),
    revision BIGINT NOT NULL,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (payer, revision)
);

-- What a principal is narrowed to among purchase orders: some operations, orders with some tags. Without a row, what its role allows.
CREATE TABLE purchase_order_grants (
    payer TEXT NOT NULL,
    principal TEXT NOT NULL,
    actions TEXT NOT NULL,
    tags TEXT NOT NULL,
    tag_keys TEXT,
    recorded_at_s BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (payer, principal),
    FOREIGN KEY (payer, principal) REFERENCES principals (payer, name)
);
