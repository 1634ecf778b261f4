-- The readers' index: which journal rows concern whom. Derived from the journal (application/follow.py), behind it by a
-- moment, and may be dropped and built again at any time. It holds ids, dates and words of our own; what care it was
-- stays in the sealed bodies. The journal itself gets no further index and no trigger: posting pays nothing for this.

-- One row for each row of the journal that is about care, or about money that came in.
CREATE TABLE journal_index (
    tenant    integer NOT NULL,
    position  bigint NOT NULL,
    -- The position of the event's first row, under which the event is listed.
    head      bigint NOT NULL,
    -- In an event's first row: the position and the status of its newest one.
    latest    bigint NOT NULL,
    now       smallint NOT NULL CHECK (now BETWEEN 0 AND 3),
    revision  smallint NOT NULL,
    -- 1 charge, 2 reversal, 3 replacement, 4 hold, 5 stop, 6 top-up.
    kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 6),
    status    smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
    day       date NOT NULL,
    posted_at timestamptz NOT NULL,
    key       bytea NOT NULL CHECK (length(key) = 16),
    -- A keyed hash of member and visit.
    visit     bytea NOT NULL CHECK (length(visit) = 16),
    member    text NOT NULL,
    provider  text NOT NULL,
    source    text NOT NULL,
    -- Provider, site and payers: who may see it.
    parties   text[] NOT NULL,
    PRIMARY KEY (tenant, position)
);
CREATE INDEX journal_index_member ON journal_index (tenant, member, position);
-- What was not simply posted is rare, and asked for by its status.
CREATE INDEX journal_index_now ON journal_index (tenant, now, position) WHERE revision = 0 AND now > 0;
CREATE INDEX journal_index_visit ON journal_index (tenant, visit, position);

-- One row for each party of each of these. An event's first row also has the parties of its later ones.
CREATE TABLE journal_party (
    tenant   integer NOT NULL,
    party    text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tenant, party, position)
);

-- Up to which position the index is whole.
CREATE TABLE journal_followed (
    tenant   integer PRIMARY KEY,
    position bigint NOT NULL
);

-- Whether a row belongs on a list. `wanted`: 0 events, 1 charges (both listed by their first row), 2 receipts. A status
-- below 0 and an empty word ask for nothing.
CREATE FUNCTION journal_index_fits(
    one journal_index, wanted integer, status integer, since date, until date, member text, party text, visit bytea
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE wanted
               WHEN 0 THEN one.revision = 0 AND one.kind < 6
               WHEN 1 THEN one.revision = 0 AND one.kind IN (1, 3) AND one.now < 2
               ELSE one.status < 2 AND one.kind < 6
           END
       AND (status < 0 OR status = CASE WHEN wanted = 2 THEN one.status ELSE one.now END)
       AND (since IS NULL OR one.day >= since) AND (until IS NULL OR one.day <= until)
       AND (member = '' OR one.member = member) AND (party = '' OR party = ANY (one.parties))
       AND (visit = '' OR one.visit = visit)
$$;

DO $$
DECLARE
    derived text;
BEGIN
    FOREACH derived IN ARRAY ARRAY['journal_index', 'journal_party', 'journal_followed'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', derived);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', derived);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)', derived);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader, drachm_writer', derived);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO drachm_writer', derived);
    END LOOP;
END $$;

-- How far positions were reserved: the follower's horizon.
GRANT SELECT ON SEQUENCE journal_position TO drachm_writer;
