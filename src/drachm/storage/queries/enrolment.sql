-- Who and what is enrolled, written by the owner of the schema. Each statement takes a JSON array of rows.

-- name: add_tenant
-- The operator's market, made when it is opened for the first time.
INSERT INTO tenant (id, name) VALUES (%(tenant)s, %(name)s) ON CONFLICT DO NOTHING;

-- name: any_data_key
-- One wrapped key, to try the master key on before anything is written under it.
SELECT patient, wrapped FROM data_key WHERE tenant = %(tenant)s LIMIT 1;

-- name: parties
-- Insert or replace parties.
INSERT INTO party (tenant, id, roles, name, zone, facts)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (id text, roles text[], name text, zone text, facts jsonb)
ORDER BY new.id
ON CONFLICT (tenant, id) DO UPDATE
SET roles = excluded.roles, name = excluded.name, zone = excluded.zone, facts = excluded.facts;

-- name: members
-- Insert or replace members; a shard is given once.
INSERT INTO member (tenant, id, shard, birth_date, sex, family, facts)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (id text, shard integer, birth_date date, sex text, family text, facts jsonb)
ORDER BY new.id
ON CONFLICT (tenant, id) DO UPDATE
SET birth_date = excluded.birth_date, sex = excluded.sex, family = excluded.family, facts = excluded.facts;

-- name: coverages
-- Insert or replace coverages.
INSERT INTO coverage (tenant, id, member, plan, starts_on, ends_on, rank, policy, facts)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (id text, member text, plan text, starts_on date, ends_on date, rank smallint, policy text, facts jsonb)
ORDER BY new.id
ON CONFLICT (tenant, id) DO UPDATE
SET member = excluded.member, plan = excluded.plan, starts_on = excluded.starts_on, ends_on = excluded.ends_on,
    rank = excluded.rank, policy = excluded.policy, facts = excluded.facts;

-- name: contracts
-- Insert or replace contracts; provider, payer and first day name one.
INSERT INTO contract (tenant, provider, payer, price_book, starts_on, ends_on, network)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (provider text, payer text, price_book text, starts_on date, ends_on date, network text)
ORDER BY new.provider, new.payer, new.starts_on
ON CONFLICT (tenant, provider, payer, starts_on) DO UPDATE
SET price_book = excluded.price_book, ends_on = excluded.ends_on, network = excluded.network;

-- name: pots
-- Insert or replace pots, as long as the currency stays; returns those that were written.
INSERT INTO pot AS p (tenant, id, state, member, currency, pocket, priority)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (id text, state bigint, member text, currency text, pocket text, priority integer)
ORDER BY new.id
ON CONFLICT (tenant, id) DO UPDATE
SET member = excluded.member, pocket = excluded.pocket, priority = excluded.priority
WHERE p.currency = excluded.currency
RETURNING p.id;

-- name: pot_states
-- The state rows of new pots, at zero.
INSERT INTO state (tenant, id, kind)
SELECT %(tenant)s, new.state, 'pot' FROM jsonb_to_recordset(%(rows)s::jsonb) AS new (state bigint)
ORDER BY new.state
ON CONFLICT DO NOTHING;

-- name: lock_documents
-- Publishing is one at a time for each tenant, so that two overlapping versions cannot both find room.
SELECT pg_advisory_xact_lock(hashtextextended('drachm document', %(tenant)s));

-- name: add_document
-- Publish one version.
INSERT INTO document (tenant, hash, kind, id, version, body)
VALUES (%(tenant)s, %(hash)s, %(kind)s, %(id)s, %(version)s, %(body)s);
