-- Which content of the invoice was looked at when it was decided: an invoice may come again with another total. Decisions before this have none.
ALTER TABLE invoice_associations ADD COLUMN invoice_revision BIGINT;
