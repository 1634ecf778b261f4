-- The index of entries: what went through which account. Derived from the journal (storage/money_index.py), a moment
-- behind it, and may be dropped and built again. Answers add what the journal holds behind `money_followed`, so they are
-- never late. Days are those of `posted_at` in UTC.

CREATE TABLE account_line (
    account  bigint NOT NULL,
    day      date NOT NULL,
    position bigint NOT NULL,
    leg      smallint NOT NULL,
    source   smallint NOT NULL,
    tenant   integer NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (account, day, position, leg, tenant)
);

-- What each account moved on each day; a sum may pass 64 bits.
CREATE TABLE account_day (
    account bigint NOT NULL,
    day     date NOT NULL,
    tenant  integer NOT NULL,
    entries bigint NOT NULL,
    amount  numeric NOT NULL,
    PRIMARY KEY (account, day, tenant)
) WITH (fillfactor = 90);
CREATE INDEX account_day_tenant ON account_day (tenant);

-- Up to which position the index is whole.
CREATE TABLE money_followed (
    tenant   integer PRIMARY KEY,
    position bigint NOT NULL
);

DO $$
DECLARE
    derived text;
BEGIN
    FOREACH derived IN ARRAY ARRAY['account_line', 'account_day', 'money_followed'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', derived);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', derived);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)', derived);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader, drachm_writer', derived);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO drachm_writer', derived);
    END LOOP;
END $$;
