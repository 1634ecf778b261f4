-- Figures of many charges, added up by day. Derived from the journal (application/fold.py), a moment behind the readers'
-- index, and may be dropped and built again. What care it was, and why a payer said no, stands as a keyed hash beside the
-- numbers; the words are sealed. Amounts are micros; a sum may pass 64 bits.

-- What stands of each provider's charges of a local service day.
CREATE TABLE figure_day (
    tenant   integer NOT NULL,
    provider text NOT NULL,
    day      date NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    charges  bigint NOT NULL,
    denied   bigint NOT NULL,
    billed   numeric NOT NULL,
    insurers numeric NOT NULL,
    patients numeric NOT NULL,
    -- What is still asked of patients.
    due      numeric NOT NULL,
    PRIMARY KEY (tenant, provider, day, currency)
) WITH (fillfactor = 90);

-- The same by kind of care (1) and by why a payer said no (2), by month.
CREATE TABLE figure_mix (
    tenant   integer NOT NULL,
    provider text NOT NULL,
    month    date NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    what     smallint NOT NULL CHECK (what BETWEEN 1 AND 2),
    word     bytea NOT NULL CHECK (length(word) = 16),
    charges  bigint NOT NULL,
    agreed   numeric NOT NULL,
    PRIMARY KEY (tenant, provider, month, currency, what, word)
) WITH (fillfactor = 90);

CREATE TABLE figure_word (
    tenant integer NOT NULL,
    word   bytea NOT NULL CHECK (length(word) = 16),
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, word)
);

-- How many first answers of a service day took at most so many milliseconds, from the care (1) or from when we had the
-- event (2) to the books.
CREATE TABLE figure_time (
    tenant   integer NOT NULL,
    provider text NOT NULL,
    day      date NOT NULL,
    measure  smallint NOT NULL CHECK (measure BETWEEN 1 AND 2),
    at_most  bigint NOT NULL CHECK (at_most >= 0),
    number   bigint NOT NULL,
    PRIMARY KEY (tenant, provider, day, measure, at_most)
) WITH (fillfactor = 90);

-- What was answered in each half hour, by status, and how long it took.
CREATE TABLE figure_hour (
    tenant  integer NOT NULL,
    began   timestamptz NOT NULL,
    status  smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
    at_most bigint NOT NULL CHECK (at_most >= 0),
    number  bigint NOT NULL,
    PRIMARY KEY (tenant, began, status, at_most)
) WITH (fillfactor = 90);

-- What the entries themselves say that each provider is owed: the other side of the sums above.
CREATE TABLE figure_books (
    tenant   integer NOT NULL,
    provider text NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    posted   numeric NOT NULL,
    PRIMARY KEY (tenant, provider, currency)
);

-- Up to which position all of these are whole.
CREATE TABLE figure_followed (
    tenant   integer PRIMARY KEY,
    position bigint NOT NULL
);

DO $$
DECLARE
    derived text;
BEGIN
    FOREACH derived IN ARRAY ARRAY['figure_day', 'figure_mix', 'figure_word', 'figure_time', 'figure_hour', 'figure_books',
                                   'figure_followed'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', derived);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', derived);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)', derived);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader, drachm_writer', derived);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO drachm_writer', derived);
    END LOOP;
END $$;
