-- On which terms a member is admitted to a shared pot: [[[amount, period, zone, [categories]], ...], paused, ended]
-- (docs/decisions/0021). What is used of a limit stands with the member's running totals.
ALTER TABLE pot ADD COLUMN terms jsonb CHECK (terms IS NULL OR (member <> '' AND fund <> ''));
