-- Who and what is enrolled, written as drachm_registrar. Each statement takes a JSON array of rows.

-- name: add_tenant
-- The operator's market, made when it is opened for the first time.
INSERT INTO tenant (id, name) VALUES (%(tenant)s, %(name)s) ON CONFLICT DO NOTHING;

-- name: next_version
-- The register changes now: until the end of the transaction nobody else changes it.
UPDATE tenant SET version = version + 1 WHERE id = %(tenant)s RETURNING version;

-- name: data_keys
-- The wrapped data keys of patients, as far as they have one.
SELECT patient, wrapped FROM data_key WHERE tenant = %(tenant)s AND patient = ANY (%(patients)s::bigint[]);

-- name: add_data_keys
-- Keys of new patients, in order of id; the key of a faster writer stays.
INSERT INTO data_key (tenant, patient, wrapped)
SELECT %(tenant)s, new.patient, new.wrapped
FROM unnest(%(patients)s::bigint[], %(wrapped)s::bytea[]) AS new (patient, wrapped)
ON CONFLICT DO NOTHING;

-- name: delete_data_key
-- Erase what a patient's key seals.
DELETE FROM data_key WHERE tenant = %(tenant)s AND patient = %(patient)s;

-- name: delete_sheets
-- Forget how a person was registered before.
DELETE FROM sheet WHERE tenant = %(tenant)s AND id = %(id)s AND kind = 1;

-- name: alone_with
-- Until the end of the transaction nobody posts, nobody follows the journal, and nobody writes a record of these people:
-- first what others wait for longest, last what stops everybody.
SELECT pg_advisory_xact_lock(7310588, %(tenant)s::integer);

-- name: alone_with_records
-- The second of these locks, of each person in order: see `records.sql`.
SELECT pg_advisory_xact_lock(one) FROM unnest(%(patients)s::bigint[]) AS wanted (one);

-- name: alone_with_books
-- The last of these locks: see `take_hold` in `work.sql`.
SELECT pg_advisory_xact_lock(7310589, %(tenant)s::integer);

-- name: patience
-- How long these locks are waited for.
SET LOCAL lock_timeout = '20s';

-- name: erased_of
-- Of these people, those of whom only is known that they were erased.
SELECT s.id
FROM unnest(%(patients)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT sheet.id, sheet.packed FROM sheet
    WHERE sheet.id = wanted.id AND sheet.kind = 1 AND sheet.tenant = %(tenant)s
    ORDER BY sheet.since DESC
    LIMIT 1
) AS s
WHERE s.packed = '';

-- name: erase_keys
-- What these keys seal.
DELETE FROM data_key WHERE tenant = %(tenant)s AND patient = ANY (%(patients)s::bigint[]);

-- name: erase_sheets
-- How these people were ever registered.
DELETE FROM sheet WHERE tenant = %(tenant)s AND id = ANY (%(patients)s::bigint[]) AND kind = 1;

-- name: erase_coverages
-- What insured them.
DELETE FROM coverage WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]);

-- name: erase_admissions
-- To which shared pots they were admitted.
DELETE FROM pot WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]) AND fund <> '';

-- name: leave_pots
-- Their own pots are nobody's from now on: the rows of the journal name them, so they stay.
UPDATE pot SET member = '', frozen = '' WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]);

-- name: erase_members
-- The people themselves.
DELETE FROM member WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::text[]);

-- name: erase_from_index
-- In the readers' index their rows are nobody's, each a visit of its own.
UPDATE journal_index SET member = '', visit = key, source = ''
WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]);

-- name: erase_tags
-- By what records were found that no key opens any more.
DELETE FROM record_tag AS t USING record_version AS v JOIN record AS r USING (tenant, kind, id, version)
WHERE v.tenant = %(tenant)s AND v.patient = ANY (%(patients)s::bigint[])
  AND t.tenant = v.tenant AND t.kind = v.kind AND t.id = v.id AND t.tag = ANY (v.tags)
  AND NOT EXISTS (SELECT FROM data_key AS d WHERE d.tenant = v.tenant AND d.patient = v.patient);

-- name: erase_authors
-- Who wrote such records, and about whom: the policy of the table lets nothing else be changed.
UPDATE record_version SET author = '', members = '{}', parties = '{}'
WHERE tenant = %(tenant)s AND patient = ANY (%(patients)s::bigint[]);

-- name: add_sheets
-- How people or parties are registered from this version on.
INSERT INTO sheet (tenant, kind, id, since, packed)
SELECT %(tenant)s, %(kind)s, new.id, %(version)s, new.packed
FROM unnest(%(ids)s::bigint[], %(packed)s::bytea[]) AS new (id, packed);

-- name: members_with
-- Who has these coverages and pots now.
SELECT member FROM coverage WHERE tenant = %(tenant)s AND id = ANY (%(coverages)s::text[])
UNION
SELECT member FROM pot WHERE tenant = %(tenant)s AND id = ANY (%(pots)s::text[]);

-- name: people
-- Members as they are registered.
SELECT id, birth_date, sex, family, shard, facts FROM member WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::text[]);

-- name: coverages_of
-- Their coverages, in the order in which they pay.
SELECT id, member, plan, starts_on, ends_on, rank, policy, facts FROM coverage
WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]);

-- name: pots_of
-- Their pots.
SELECT id, member, currency, 0, priority, pocket, state, fund, slices, terms, purpose, frozen FROM pot
WHERE tenant = %(tenant)s AND member = ANY (%(ids)s::text[]);

-- name: mandates_of
-- What they let be paid without asking, of those who have said so.
SELECT id, mandate FROM member WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::text[]) AND mandate IS NOT NULL;

-- name: mandates
-- Give members a mandate; returns those that are here.
UPDATE member AS m SET mandate = new.mandate
FROM jsonb_to_recordset(%(rows)s::jsonb) AS new (id text, mandate jsonb)
WHERE m.tenant = %(tenant)s AND m.id = new.id
RETURNING m.id;

-- name: forget_mandate
-- Of a member who is erased.
UPDATE member SET mandate = NULL WHERE tenant = %(tenant)s AND id = %(id)s AND mandate IS NOT NULL;

-- name: parties_now
-- Parties as they are registered.
SELECT id, roles, name, zone, facts FROM party WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::text[]);

-- name: contracts_of
-- Their price agreements.
SELECT provider, payer, price_book, starts_on, ends_on, network FROM contract
WHERE tenant = %(tenant)s AND provider = ANY (%(ids)s::text[]);

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
-- Insert or replace pots, as long as currency, fund, slices and purpose stay; returns those that were written.
INSERT INTO pot AS p (tenant, id, state, member, currency, pocket, priority, fund, slices, terms, purpose, closes)
SELECT %(tenant)s, new.* FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS new (id text, state bigint, member text, currency text, pocket text, priority integer, fund text,
            slices integer, terms jsonb, purpose jsonb, closes timestamptz)
ORDER BY new.id
ON CONFLICT (tenant, id) DO UPDATE
SET member = excluded.member, pocket = excluded.pocket, priority = excluded.priority, terms = excluded.terms
WHERE p.currency = excluded.currency AND p.fund = excluded.fund AND p.slices = excluded.slices
      AND p.purpose IS NOT DISTINCT FROM excluded.purpose
RETURNING p.id;

-- name: freeze
-- Freeze or thaw the pots of a member's own money in a currency; returns those that changed.
UPDATE pot SET frozen = %(reason)s
WHERE tenant = %(tenant)s AND member = %(member)s AND currency = %(currency)s AND fund = '' AND frozen <> %(reason)s
      AND (purpose IS NULL OR purpose ->> 0 = '')
RETURNING id;

-- name: stray_admissions
-- Of these pots, those that admit a member to a fund that is not here as they say.
SELECT a.id FROM pot AS a
WHERE a.tenant = %(tenant)s AND a.id = ANY (%(ids)s::text[]) AND NOT EXISTS (
    SELECT FROM pot AS f
    WHERE f.tenant = %(tenant)s AND f.id = a.fund AND f.member = '' AND f.fund = '' AND f.slices = a.slices
          AND f.currency = a.currency AND f.purpose IS NOT DISTINCT FROM a.purpose);

-- name: pot_states
-- The state rows of new pots, at zero.
INSERT INTO state (tenant, id)
SELECT %(tenant)s, new.state FROM jsonb_to_recordset(%(rows)s::jsonb) AS new (state bigint)
ORDER BY new.state
ON CONFLICT DO NOTHING;

-- name: add_document
-- Publish one version.
INSERT INTO document (tenant, hash, kind, id, version, body, since)
VALUES (%(tenant)s, %(hash)s, %(kind)s, %(id)s, %(version)s, %(body)s, %(since)s);
