-- The pages of issued documents as they were made when they were issued: what a customer has is given again byte for byte, whatever design or
-- program has come since. `pdf` is base64; `sha256` is that of its bytes. Documents that were issued before have none, and are made when they are asked for.
CREATE TABLE issued_pages (
    payer TEXT NOT NULL,
    invoice TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    pdf TEXT NOT NULL,
    PRIMARY KEY (payer, invoice),
    FOREIGN KEY (payer, invoice) REFERENCES issued_invoices (payer, number)
);
