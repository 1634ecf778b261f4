-- A day of a clinic is asked for again and again, by people who wait: also one without care, for which everything that
-- ever was would have to be looked at.
CREATE INDEX journal_index_day ON journal_index (tenant, day, position);
