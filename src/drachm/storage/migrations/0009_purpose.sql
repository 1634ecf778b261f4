-- Money given for a purpose: by whom, until when, for which care (docs/decisions/0025):
-- [funder, until, closes, [categories], expense rules]. `closes` says again when what is left goes back to the funder.
ALTER TABLE pot ADD COLUMN purpose jsonb;
ALTER TABLE pot ADD COLUMN closes timestamptz CHECK (closes IS NULL OR purpose IS NOT NULL);
CREATE INDEX pot_closes ON pot (tenant, closes) WHERE closes IS NOT NULL;
-- Which care such money may pay for is a published document.
ALTER TABLE document DROP CONSTRAINT document_kind_check;
ALTER TABLE document ADD CONSTRAINT document_kind_check CHECK (kind IN ('plan', 'price_book', 'expense_rules'));
-- What is left goes back by journal rows of a kind of their own (12).
ALTER TABLE journal DROP CONSTRAINT journal_kind_check;
ALTER TABLE journal ADD CONSTRAINT journal_kind_check CHECK (kind BETWEEN 1 AND 12);
