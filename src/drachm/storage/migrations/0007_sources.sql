-- The sums of days say whose money they are: so it can be told at any time where the money of clients lies. The index
-- of entries is derived, and is built anew.
TRUNCATE account_line, account_day, money_followed;
ALTER TABLE account_day DROP CONSTRAINT account_day_pkey;
ALTER TABLE account_day ADD COLUMN source smallint NOT NULL;
ALTER TABLE account_day ADD PRIMARY KEY (account, day, source, tenant);
