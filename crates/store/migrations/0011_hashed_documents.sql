-- What is recorded of an issued document beside its text, and a payment, have a hash, by which bit rot is found; `page_sha256` is that of the page that
-- was kept with a document, where one was. What was recorded before has none.
ALTER TABLE issued_invoices ADD COLUMN page_sha256 TEXT;
ALTER TABLE issued_invoices ADD COLUMN row_hash TEXT;
ALTER TABLE invoice_payments ADD COLUMN row_hash TEXT;

-- Client tokens of customers were kept under the names of their principals; now under a hash.
DELETE FROM client_tokens WHERE operation LIKE '% %';
