-- What the service keeps beside the books: records of a tenant, credentials, what came of repeated calls. Everything is
-- looked up by equality alone: under row security PostgreSQL uses an index only for operators that cannot leak a row,
-- and those of arrays are not among them (docs/decisions/0007). Hence `record_tag` instead of an index over arrays.

-- Which version of a record is the newest.
CREATE TABLE record (
    tenant  integer NOT NULL,
    kind    text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    id      text COLLATE "C" NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    version integer NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant, kind, id)
) WITH (fillfactor = 90);

-- Every version, never changed. `patient` says whose data key seals the body: the one member's whom it concerns, else
-- the tenant's own. `tags` are keyed hashes of its parties, members and terms; the terms themselves are in the body.
CREATE TABLE record_version (
    tenant  integer NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    patient bigint NOT NULL,
    at      timestamptz NOT NULL,
    author  text NOT NULL,
    parties text[] NOT NULL,
    members text[] NOT NULL,
    tags    bytea[] NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (tenant, kind, id, version)
);

-- By what the newest version of a record is found; derived from it.
CREATE TABLE record_tag (
    tenant integer NOT NULL,
    kind   text COLLATE "C" NOT NULL,
    tag    bytea NOT NULL CHECK (length(tag) = 16),
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, tag, id)
);

-- Grow with every key or machine that is revoked, shortened or changed, in the same transaction: while the number stands
-- still, what a process remembers holds.
CREATE TABLE identity_version (
    kind    text PRIMARY KEY CHECK (kind IN ('api_key', 'client')),
    version bigint NOT NULL DEFAULT 0
);
INSERT INTO identity_version (kind) VALUES ('api_key'), ('client');

-- Found before the tenant is known, therefore by the id alone.
CREATE TABLE api_key (
    id             text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{12}$'),
    tenant         integer NOT NULL,
    environment    text NOT NULL CHECK (environment IN ('sandbox', 'live')),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    digest         bytea NOT NULL CHECK (length(digest) = 32),
    pepper         text NOT NULL,
    roles          text[] NOT NULL CHECK (cardinality(roles) > 0 AND NOT roles && ARRAY['patient', 'relative']),
    parties        text[] NOT NULL,
    scopes         text[] NOT NULL,
    created_at     timestamptz NOT NULL,
    created_by     text NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    -- A key is rotated once.
    replaces       text UNIQUE,
    last_used_hour timestamptz,
    CONSTRAINT api_key_ends CHECK (expires_at <= created_at + interval '400 days')
);
CREATE INDEX api_key_of_tenant ON api_key (tenant, id);

CREATE TABLE client (
    id          text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    tenant      integer NOT NULL,
    environment text NOT NULL CHECK (environment IN ('sandbox', 'live')),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    roles       text[] NOT NULL CHECK (cardinality(roles) > 0 AND NOT roles && ARRAY['patient', 'relative']),
    parties     text[] NOT NULL,
    scopes      text[] NOT NULL,
    -- A JWK Set of public keys.
    keys        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    generation  integer NOT NULL CHECK (generation > 0),
    disabled_at timestamptz
);
CREATE INDEX client_of_tenant ON client (tenant, id);

-- Statements of machines that were used; each is good once. Of no tenant: two hashes and an end.
CREATE TABLE used_statement (
    client bytea NOT NULL CHECK (length(client) = 32),
    jti    bytea NOT NULL CHECK (length(jti) = 32),
    until  timestamptz NOT NULL,
    PRIMARY KEY (client, jti)
);
CREATE INDEX used_statement_until ON used_statement (until);

-- The version that links to a receipt must have.
CREATE TABLE receipt_link (
    tenant  integer NOT NULL,
    receipt text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant, receipt)
);

-- When somebody tried to answer the second question of a receipt.
CREATE TABLE receipt_try (
    tenant  integer NOT NULL,
    receipt text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    taken   timestamptz[] NOT NULL CHECK (cardinality(taken) <= 10),
    PRIMARY KEY (tenant, receipt, version)
);

-- A call with an Idempotency-Key. `name` is a hash of caller and key, `slot` of caller, route and key, `content` of the
-- request; `claim` is whoever works on it. The answer is sealed: it may tell of somebody's health.
CREATE TABLE operation (
    tenant   integer NOT NULL,
    name     bytea NOT NULL CHECK (length(name) = 16),
    slot     bytea NOT NULL CHECK (length(slot) = 16),
    content  bytea NOT NULL CHECK (length(content) = 32),
    claim    bytea NOT NULL CHECK (length(claim) = 16),
    begun_at timestamptz NOT NULL,
    done_at  timestamptz,
    answer   bytea STORAGE EXTERNAL,
    PRIMARY KEY (tenant, name, slot),
    CHECK ((done_at IS NULL) = (answer IS NULL))
);
CREATE INDEX operation_done ON operation (tenant, done_at) WHERE done_at IS NOT NULL;

-- Whoever enrols, publishes, erases and keeps records: held by row security, and by a right for each thing it does.
DO $$
BEGIN
    CREATE ROLE drachm_registrar NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
BEGIN
    IF NOT pg_has_role('drachm_registrar', 'SET') THEN
        GRANT drachm_registrar TO CURRENT_USER;
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- Another database of the cluster may be doing the same right now.
    IF NOT pg_has_role('drachm_registrar', 'SET') THEN
        RAISE;
    END IF;
END $$;

GRANT SELECT ON party, member, coverage, contract, document, data_key, pot, sheet, state TO drachm_registrar;
GRANT INSERT ON party, member, coverage, contract, document, data_key, pot, sheet, state TO drachm_registrar;
GRANT UPDATE ON party, member, coverage, contract, pot TO drachm_registrar;
-- Erasing: the key, and how somebody was registered before.
GRANT DELETE ON data_key, sheet TO drachm_registrar;
GRANT SELECT (id, version), UPDATE (version) ON tenant TO drachm_registrar;

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['record', 'record_version', 'record_tag', 'api_key', 'client', 'receipt_link', 'receipt_try',
                                'operation'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', kept);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', kept);
        EXECUTE format('GRANT SELECT ON %I TO drachm_reader', kept);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO drachm_registrar', kept);
        IF kept NOT IN ('api_key', 'client') THEN
            EXECUTE format(
                'CREATE POLICY own_tenant ON %I USING (tenant = nullif(current_setting(''app.tenant'', true), '''')::integer)',
                kept);
        END IF;
    END LOOP;
END $$;

-- Before the tenant is known, whoever names an id sees that one row, and nothing to write to.
CREATE POLICY own_tenant ON api_key
    USING (tenant = nullif(current_setting('app.tenant', true), '')::integer
           OR id = nullif(current_setting('app.credential', true), ''))
    WITH CHECK (tenant = nullif(current_setting('app.tenant', true), '')::integer);
CREATE POLICY own_tenant ON client
    USING (tenant = nullif(current_setting('app.tenant', true), '')::integer
           OR id = nullif(current_setting('app.credential', true), ''))
    WITH CHECK (tenant = nullif(current_setting('app.tenant', true), '')::integer);

GRANT SELECT ON identity_version, used_statement TO drachm_reader, drachm_registrar;
GRANT INSERT, DELETE ON used_statement TO drachm_registrar;
GRANT UPDATE (version) ON identity_version, record, receipt_link TO drachm_registrar;
GRANT UPDATE (expires_at, revoked_at, last_used_hour) ON api_key TO drachm_registrar;
GRANT UPDATE (name, roles, parties, scopes, keys, generation, disabled_at) ON client TO drachm_registrar;
GRANT UPDATE (taken) ON receipt_try TO drachm_registrar;
GRANT UPDATE (content, claim, begun_at, done_at, answer) ON operation TO drachm_registrar;
GRANT DELETE ON record_tag, receipt_try, operation TO drachm_registrar;
