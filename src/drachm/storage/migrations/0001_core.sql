-- Hot tables carry ids, amounts and hashes only; names, codes and words live in encrypted bodies. No foreign keys on
-- hot tables: integrity by constraint and audit (docs/decisions/0001). Every key begins with the tenant, so the same
-- schema can be distributed by tenant.

CREATE TABLE tenant (
    id   integer PRIMARY KEY CHECK (id > 0),
    name text NOT NULL
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
    PRIMARY KEY (tenant, id)
);
CREATE INDEX pot_of_member ON pot (tenant, member);

-- One row for each limited thing: a pot with what it may spend and what it has promised, or a policy whose running totals
-- are locked by it. A batch locks its rows once, in id order.
CREATE TABLE state (
    tenant  integer NOT NULL,
    id      bigint NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('pot', 'scope')),
    avail   bigint NOT NULL DEFAULT 0 CHECK (avail >= 0),
    held    bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    version bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) WITH (fillfactor = 70);

-- Running totals: rows by (scope id, name, period). Derived; rebuildable from bodies (drachm audit).
CREATE TABLE accumulator (
    tenant integer NOT NULL,
    -- Code-point order on every server, so that totals read back in one order everywhere.
    scope  text COLLATE "C" NOT NULL,
    name   text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    value  bigint NOT NULL,
    PRIMARY KEY (tenant, scope, name, period)
) WITH (fillfactor = 80);

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

-- One row per event revision. Entries are arrays of (account, amount, source) that sum to zero.
CREATE TABLE journal (
    tenant      integer NOT NULL,
    position    bigint NOT NULL,
    key         bytea NOT NULL CHECK (length(key) = 16),
    content     bytea NOT NULL CHECK (length(content) = 32),
    revision    smallint NOT NULL CHECK (revision >= 0),
    supersedes  bigint,
    kind        smallint NOT NULL CHECK (kind BETWEEN 1 AND 9),
    status      smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
    patient     bigint NOT NULL,
    provider    bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    posted_at   timestamptz NOT NULL,
    currency    text NOT NULL CHECK (length(currency) = 3),
    accounts    bigint[] NOT NULL,
    amounts     bigint[] NOT NULL,
    sources     smallint[] NOT NULL,
    states      bigint[] NOT NULL,
    avail       bigint[] NOT NULL,
    leaf        bytea NOT NULL CHECK (length(leaf) = 32),
    PRIMARY KEY (tenant, position),
    CONSTRAINT journal_balanced CHECK (
        coalesce(amounts[1], 0) + coalesce(amounts[2], 0) + coalesce(amounts[3], 0) + coalesce(amounts[4], 0)
        + coalesce(amounts[5], 0) + coalesce(amounts[6], 0) + coalesce(amounts[7], 0) + coalesce(amounts[8], 0)
        + coalesce(amounts[9], 0) + coalesce(amounts[10], 0) + coalesce(amounts[11], 0) + coalesce(amounts[12], 0)
        + coalesce(amounts[13], 0) + coalesce(amounts[14], 0) + coalesce(amounts[15], 0) + coalesce(amounts[16], 0) = 0),
    -- One dimension, counted from 1, nothing null: otherwise the sum above would look past an amount.
    CONSTRAINT journal_shape CHECK (
        cardinality(accounts) = cardinality(amounts) AND cardinality(accounts) = cardinality(sources)
        AND cardinality(accounts) <= 16 AND cardinality(states) = cardinality(avail)
        AND coalesce(array_ndims(amounts), 1) = 1 AND coalesce(array_lower(amounts, 1), 1) = 1
        AND array_position(amounts, NULL) IS NULL AND array_position(avail, NULL) IS NULL),
    CONSTRAINT journal_floor CHECK (0 <= ALL (avail)),
    CONSTRAINT journal_note CHECK (status < 2 OR cardinality(accounts) = 0)
);
-- The key stands first: a look-up by key never scans a tenant's prefix.
CREATE UNIQUE INDEX journal_key ON journal (key, tenant, revision);
CREATE UNIQUE INDEX journal_supersedes ON journal (supersedes, tenant) WHERE supersedes IS NOT NULL;

CREATE TABLE body (
    tenant   integer NOT NULL,
    position bigint NOT NULL,
    cipher   bytea NOT NULL,
    PRIMARY KEY (tenant, position)
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

CREATE VIEW entry WITH (security_invoker = true) AS
SELECT j.tenant, j.position, j.posted_at, leg.n AS leg, leg.account, leg.amount, leg.source, j.currency, j.supersedes
FROM journal j, unnest(j.accounts, j.amounts, j.sources) WITH ORDINALITY AS leg (account, amount, source, n);

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
    FOREACH hot IN ARRAY ARRAY['party', 'member', 'coverage', 'contract', 'document', 'data_key', 'account', 'pot', 'state',
                               'accumulator', 'journal', 'body', 'work_queue', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', hot);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', hot);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)', hot);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader, drachm_writer', hot);
    END LOOP;
END $$;

-- Nobody but the owner looks at the list of tenants.
GRANT SELECT ON entry TO drachm_reader, drachm_writer;
REVOKE EXECUTE ON FUNCTION reserve_positions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_positions TO drachm_writer;
GRANT INSERT ON journal, body, outbox, account, data_key, work_queue, accumulator, state TO drachm_writer;
-- State rows only: running totals, pots and the queue are derived and rebuildable; the journal and its bodies are not.
GRANT UPDATE ON state, accumulator, work_queue TO drachm_writer;
GRANT DELETE ON accumulator, work_queue TO drachm_writer;
