-- Hot tables carry ids, amounts and hashes only; names, codes and words live in encrypted bodies. No foreign keys on
-- hot tables: integrity by constraint and audit (docs/decisions/0001). Every key holds the tenant, so the same schema
-- can be distributed by tenant.

CREATE TABLE tenant (
    id      integer PRIMARY KEY CHECK (id > 0),
    name    text NOT NULL,
    -- Of the register: one up with every change of people, parties, agreements or documents. Whoever changes them takes
    -- this row first, so the order of versions is the order of commits.
    version bigint NOT NULL DEFAULT 0
);

CREATE TABLE party (
    tenant integer NOT NULL,
    id     text NOT NULL,
    roles  text[] NOT NULL,
    name   text NOT NULL DEFAULT '',
    zone   text NOT NULL DEFAULT 'UTC',
    facts  jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, id)
);

CREATE TABLE member (
    tenant     integer NOT NULL,
    id         text NOT NULL,
    shard      integer NOT NULL DEFAULT 0,
    birth_date date,
    sex        text NOT NULL DEFAULT '',
    family     text NOT NULL DEFAULT '',
    facts      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, id)
);

CREATE TABLE coverage (
    tenant     integer NOT NULL,
    id         text NOT NULL,
    member     text NOT NULL,
    plan       text NOT NULL,
    starts_on  date NOT NULL,
    ends_on    date CHECK (ends_on > starts_on),
    rank       smallint NOT NULL DEFAULT 1,
    policy     text NOT NULL DEFAULT '',
    facts      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, id)
);
CREATE INDEX coverage_of_member ON coverage (tenant, member);

CREATE TABLE contract (
    tenant     integer NOT NULL,
    provider   text NOT NULL,
    payer      text NOT NULL,
    price_book text NOT NULL,
    starts_on  date NOT NULL,
    ends_on    date CHECK (ends_on > starts_on),
    network    text NOT NULL DEFAULT 'in' CHECK (network IN ('in', 'out')),
    PRIMARY KEY (tenant, provider, payer, starts_on)
);

-- Published plans and price books; immutable, known by hash.
CREATE TABLE document (
    tenant       integer NOT NULL,
    hash         text NOT NULL CHECK (length(hash) = 64),
    kind         text NOT NULL CHECK (kind IN ('plan', 'price_book')),
    id           text NOT NULL,
    version      text NOT NULL,
    body         text NOT NULL,
    -- The register's version from which on it is here.
    since        bigint NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, kind, id, version)
);

-- The patient's data key, wrapped by the master key. Deleting the row erases every body it encrypted (and its salt).
CREATE TABLE data_key (
    tenant  integer NOT NULL,
    patient bigint NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant, patient)
);

CREATE TABLE account (
    tenant   integer NOT NULL,
    id       bigint NOT NULL,
    kind     text NOT NULL,
    owner    text NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, owner, currency)
);

CREATE TABLE pot (
    tenant   integer NOT NULL,
    id       text NOT NULL,
    state    bigint NOT NULL,
    member   text NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    pocket   text NOT NULL DEFAULT 'wallet',
    priority integer NOT NULL DEFAULT 0,
    -- A shared fund has slices and no member; its slices and those whom it admits name it (docs/decisions/0015).
    fund     text NOT NULL DEFAULT '',
    slices   integer NOT NULL DEFAULT 0 CHECK (slices BETWEEN 0 AND 1024 AND (fund = '' OR slices > 0)),
    PRIMARY KEY (tenant, id)
);
CREATE INDEX pot_of_member ON pot (tenant, member);

-- Who was registered as what, when: everything about one person (kind 1) or party (kind 2) in one value, from a version
-- of the register on until the next. Written together with the tables above; only an erasure removes old ones.
CREATE TABLE sheet (
    id     bigint NOT NULL,
    since  bigint NOT NULL,
    tenant integer NOT NULL,
    kind   smallint NOT NULL CHECK (kind IN (1, 2)),
    packed bytea NOT NULL,
    PRIMARY KEY (id, kind, tenant, since)
);
CREATE INDEX sheet_since ON sheet (tenant, since);

-- What each pot may spend and has promised. A batch locks its rows once, in order of id.
CREATE TABLE state (
    id     bigint NOT NULL,
    avail  bigint NOT NULL DEFAULT 0 CHECK (avail >= 0),
    held   bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    tenant integer NOT NULL,
    -- A new row is larger than it needs to be; its first change drops this. A page of such rows stays half empty, and
    -- need not be cleaned up at each change (docs/decisions/0012).
    room   bytea DEFAULT decode(repeat('00', 56), 'hex'),
    PRIMARY KEY (id, tenant)
) WITH (fillfactor = 90);

-- Running totals, locked together because they are used together: those of one scope in one year, one month of days or
-- one visit. `packed` holds records of 16 bytes, sorted: the total's number and its value, big-endian; zeros are left
-- out, but for the room that a new row begins with. Derived; rebuildable from bodies (drachm audit).
CREATE TABLE total (
    id     bigint NOT NULL,
    tenant integer NOT NULL,
    packed bytea NOT NULL CHECK (length(packed) % 16 = 0),
    PRIMARY KEY (id, tenant)
) WITH (fillfactor = 90);

CREATE SEQUENCE journal_position;

-- The first of a block of `count` positions. A sequence hands out single values only, so blocks of two writers could
-- interleave; the lock lasts a few microseconds, not until commit.
CREATE FUNCTION reserve_positions(count integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first bigint;
BEGIN
    PERFORM pg_advisory_lock(7310587120963);
    first := nextval('journal_position');
    IF count > 1 THEN
        PERFORM setval('journal_position', first + count - 1);
    END IF;
    PERFORM pg_advisory_unlock(7310587120963);
    RETURN first;
END $$;

-- One row per event revision. `legs` is account, amount, account, amount ...; `sources` has a byte for each leg; `avail`
-- holds a record of 16 bytes for each pot, big-endian: its state row, and what it may spend after this row; `supersedes`
-- is a position in 8 bytes, big-endian, or empty; `body` is sealed under the patient's data key. The columns stand so
-- that no byte is lost to alignment, and nothing is null: a single null would cost each row eight bytes.
CREATE TABLE journal (
    position    bigint NOT NULL,
    patient     bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    posted_at   timestamptz NOT NULL,
    tenant      integer NOT NULL,
    -- Sealed bytes cannot be compressed: PostgreSQL need not try.
    body        bytea STORAGE EXTERNAL NOT NULL,
    revision    smallint NOT NULL CHECK (revision >= 0),
    kind        smallint NOT NULL CHECK (kind BETWEEN 1 AND 10),
    status      smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
    key         bytea NOT NULL CHECK (length(key) = 16),
    leaf        bytea NOT NULL CHECK (length(leaf) = 32),
    currency    text NOT NULL CHECK (length(currency) = 3),
    supersedes  bytea NOT NULL DEFAULT '' CHECK (length(supersedes) IN (0, 8)),
    sources     bytea NOT NULL DEFAULT '',
    avail       bytea NOT NULL DEFAULT '',
    legs        bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, position) WITH (fillfactor = 100),
    CONSTRAINT journal_balanced CHECK (
        coalesce(legs[2], 0) + coalesce(legs[4], 0) + coalesce(legs[6], 0) + coalesce(legs[8], 0)
        + coalesce(legs[10], 0) + coalesce(legs[12], 0) + coalesce(legs[14], 0) + coalesce(legs[16], 0)
        + coalesce(legs[18], 0) + coalesce(legs[20], 0) + coalesce(legs[22], 0) + coalesce(legs[24], 0)
        + coalesce(legs[26], 0) + coalesce(legs[28], 0) + coalesce(legs[30], 0) + coalesce(legs[32], 0) = 0),
    -- One dimension, counted from 1, nothing null: otherwise the sum above would look past an amount.
    CONSTRAINT journal_shape CHECK (
        cardinality(legs) = 2 * length(sources) AND cardinality(legs) <= 32
        AND coalesce(array_ndims(legs), 1) = 1 AND coalesce(array_lower(legs, 1), 1) = 1
        AND array_position(legs, NULL) IS NULL),
    CONSTRAINT journal_avail CHECK (length(avail) % 16 = 0 AND length(avail) <= 256),
    -- The first byte of each value: its sign.
    CONSTRAINT journal_floor CHECK (
        (length(avail) <= 8 OR get_byte(avail, 8) < 128) AND (length(avail) <= 24 OR get_byte(avail, 24) < 128) AND
        (length(avail) <= 40 OR get_byte(avail, 40) < 128) AND (length(avail) <= 56 OR get_byte(avail, 56) < 128) AND
        (length(avail) <= 72 OR get_byte(avail, 72) < 128) AND (length(avail) <= 88 OR get_byte(avail, 88) < 128) AND
        (length(avail) <= 104 OR get_byte(avail, 104) < 128) AND (length(avail) <= 120 OR get_byte(avail, 120) < 128) AND
        (length(avail) <= 136 OR get_byte(avail, 136) < 128) AND (length(avail) <= 152 OR get_byte(avail, 152) < 128) AND
        (length(avail) <= 168 OR get_byte(avail, 168) < 128) AND (length(avail) <= 184 OR get_byte(avail, 184) < 128) AND
        (length(avail) <= 200 OR get_byte(avail, 200) < 128) AND (length(avail) <= 216 OR get_byte(avail, 216) < 128) AND
        (length(avail) <= 232 OR get_byte(avail, 232) < 128) AND (length(avail) <= 248 OR get_byte(avail, 248) < 128)),
    CONSTRAINT journal_note CHECK (status < 2 OR cardinality(legs) = 0)
);
-- The key stands first: a look-up by key never scans a tenant's prefix. The revision fills the gap before the tenant.
CREATE UNIQUE INDEX journal_key ON journal (key, revision, tenant);
CREATE UNIQUE INDEX journal_supersedes ON journal (supersedes, tenant) WHERE supersedes <> '';

-- Words that the tenant's patients share, with which bodies are written shorter; sealed under the master key. Immutable;
-- bodies name them by number. `since` is the position and `ppm` how short bodies became when it was trained.
CREATE TABLE codebook (
    tenant integer NOT NULL,
    id     smallint NOT NULL CHECK (id > 0),
    since  bigint NOT NULL,
    ppm    integer NOT NULL CHECK (ppm > 0),
    words  bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- Pended events waiting to be cleared as a new revision.
CREATE TABLE work_queue (
    tenant   integer NOT NULL,
    key      bytea NOT NULL,
    position bigint NOT NULL,
    reason   text NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- One row per batch naming its journal positions; what leaves the house does so from here, after commit.
CREATE TABLE outbox (
    tenant     integer NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL,
    positions  int8range NOT NULL,
    created_at timestamptz NOT NULL,
    done_at    timestamptz,
    PRIMARY KEY (tenant, id)
);

-- One row for each leg.
CREATE VIEW entry WITH (security_invoker = true) AS
SELECT j.tenant, j.position, j.posted_at, leg.n AS leg, j.legs[2 * leg.n - 1] AS account, j.legs[2 * leg.n] AS amount,
       get_byte(j.sources, leg.n - 1) AS source, j.currency,
       ('x' || encode(nullif(j.supersedes, ''), 'hex'))::bit(64)::bigint AS supersedes
FROM journal AS j CROSS JOIN LATERAL generate_series(1, cardinality(j.legs) / 2) AS leg (n);

-- One row for each pot that a row moved or promised.
CREATE VIEW after_value WITH (security_invoker = true) AS
SELECT j.tenant, j.position, j.posted_at,
       ('x' || encode(substring(j.avail FROM 16 * record.n + 1 FOR 8), 'hex'))::bit(64)::bigint AS state,
       ('x' || encode(substring(j.avail FROM 16 * record.n + 9 FOR 8), 'hex'))::bit(64)::bigint AS avail
FROM journal AS j CROSS JOIN LATERAL generate_series(0, length(j.avail) / 16 - 1) AS record (n);

-- One row for each running total that is not 0.
CREATE VIEW running_total WITH (security_invoker = true) AS
SELECT t.tenant, t.id AS row,
       ('x' || encode(substring(t.packed FROM 16 * record.n + 1 FOR 8), 'hex'))::bit(64)::bigint AS slot,
       ('x' || encode(substring(t.packed FROM 16 * record.n + 9 FOR 8), 'hex'))::bit(64)::bigint AS value
FROM total AS t CROSS JOIN LATERAL generate_series(0, length(t.packed) / 16 - 1) AS record (n)
WHERE substring(t.packed FROM 16 * record.n + 9 FOR 8) <> '\x0000000000000000';

-- Roles belong to the cluster; several databases may create them at once.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['drachm_writer', 'drachm_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;

-- The clearing writer is never used to answer a request. It passes row security because PostgreSQL refuses COPY FROM
-- under it; it stamps the tenant itself (docs/decisions/0007).
DO $$
BEGIN
    IF NOT (SELECT rolbypassrls FROM pg_roles WHERE rolname = 'drachm_writer') THEN
        ALTER ROLE drachm_writer BYPASSRLS;
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- Another database of the cluster may be doing the same right now.
    IF NOT (SELECT rolbypassrls FROM pg_roles WHERE rolname = 'drachm_writer') THEN
        RAISE;
    END IF;
END $$;

-- Who made the roles may hand them on but not take them (PostgreSQL 16); a superuser takes any.
DO $$
BEGIN
    IF NOT pg_has_role('drachm_writer', 'SET') OR NOT pg_has_role('drachm_reader', 'SET') THEN
        GRANT drachm_writer, drachm_reader TO CURRENT_USER;
    END IF;
EXCEPTION WHEN OTHERS THEN
    IF NOT pg_has_role('drachm_writer', 'SET') OR NOT pg_has_role('drachm_reader', 'SET') THEN
        RAISE;
    END IF;
END $$;

DO $$
DECLARE
    hot text;
BEGIN
    FOREACH hot IN ARRAY ARRAY['party', 'member', 'coverage', 'contract', 'document', 'data_key', 'account', 'pot', 'sheet',
                               'state', 'total', 'journal', 'codebook', 'work_queue', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', hot);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', hot);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)', hot);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader, drachm_writer', hot);
    END LOOP;
END $$;

-- Nobody but the owner looks at the list of tenants; the others see the version of their own.
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON tenant USING (id = nullif(current_setting('app.tenant', true), '')::integer);
GRANT SELECT (id, version) ON tenant TO drachm_reader, drachm_writer;

GRANT SELECT ON entry, after_value, running_total TO drachm_reader, drachm_writer;
REVOKE EXECUTE ON FUNCTION reserve_positions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_positions TO drachm_writer;
GRANT INSERT ON journal, codebook, outbox, account, data_key, work_queue, total TO drachm_writer;
-- State rows only: running totals, pots and the queue are derived and rebuildable; the journal is not.
GRANT UPDATE ON state, total, work_queue TO drachm_writer;
GRANT DELETE ON work_queue TO drachm_writer;
