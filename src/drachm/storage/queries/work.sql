-- What one posting transaction asks and writes, in the order in which it does so.
--
-- Rows are found by their whole key, one key at a time (LATERAL with LIMIT 1 or OFFSET 0, which the planner cannot turn
-- into a join). A prepared plan may have been made while the tables were empty; with `= ANY` PostgreSQL 16 then reads
-- every row of the tenant and filters. tests/storage/test_plans.py holds the plans to this.

-- name: newest_rows
-- The newest revision of each event key that is here, with its sealed body and the key that opens it.
SELECT j.position, j.key, j.content, j.revision, j.supersedes,
       (SELECT later.position FROM journal AS later
        WHERE later.supersedes = j.position AND later.tenant = %(tenant)s LIMIT 1) IS NOT NULL,
       j.kind, j.status, j.patient, j.occurred_at, j.posted_at, j.currency,
       j.accounts, j.amounts, j.sources, j.states, j.avail, j.leaf,
       (SELECT body.cipher FROM body WHERE body.tenant = %(tenant)s AND body.position = j.position),
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient)
FROM unnest(%(keys)s::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT * FROM journal
    WHERE journal.key = wanted.key AND journal.tenant = %(tenant)s
    ORDER BY journal.revision DESC
    LIMIT 1
) AS j;

-- name: members
-- The members of a batch, by id.
SELECT m.id, m.birth_date, m.sex, m.family, m.shard, m.facts
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM member WHERE member.tenant = %(tenant)s AND member.id = wanted.id OFFSET 0) AS m;

-- name: coverages
-- Every coverage of the batch's members.
SELECT c.id, c.member, c.plan, c.starts_on, c.ends_on, c.rank, c.policy, c.facts
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM coverage WHERE coverage.tenant = %(tenant)s AND coverage.member = wanted.id OFFSET 0
) AS c;

-- name: pots
-- Every pot of the batch's members; what it may spend is read under lock.
SELECT p.id, p.member, p.currency, p.priority, p.pocket, p.state
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM pot WHERE pot.tenant = %(tenant)s AND pot.member = wanted.id OFFSET 0) AS p;

-- name: parties
-- Providers, practitioners and sites of a batch, by id.
SELECT p.id, p.roles, p.name, p.zone, p.facts
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM party WHERE party.tenant = %(tenant)s AND party.id = wanted.id OFFSET 0) AS p;

-- name: contracts
-- Every contract of the batch's billing parties.
SELECT c.provider, c.payer, c.price_book, c.starts_on, c.ends_on, c.network
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM contract WHERE contract.tenant = %(tenant)s AND contract.provider = wanted.id OFFSET 0
) AS c;

-- name: add_scopes
-- State rows of scopes seen for the first time. The ids come sorted: two writers meet each new row in one order.
INSERT INTO state (tenant, id, kind)
SELECT %(tenant)s, wanted.id, 'scope' FROM unnest(%(ids)s::bigint[]) AS wanted (id)
ON CONFLICT DO NOTHING;

-- name: lock_states
-- Lock each row once, in the order of the sorted ids; what is returned is the row as it stands under the lock.
SELECT s.id, s.avail
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT state.id, state.avail FROM state WHERE state.tenant = %(tenant)s AND state.id = wanted.id FOR UPDATE
) AS s;

-- name: read_totals
-- The running totals of the needed keys, by their place in the question. A statement of its own, after the locks: its
-- snapshot holds everything that earlier holders of those locks committed.
SELECT wanted.place, a.value
FROM unnest(%(scopes)s::text[], %(names)s::text[], %(periods)s::text[])
     WITH ORDINALITY AS wanted (scope, name, period, place)
CROSS JOIN LATERAL (
    SELECT accumulator.value FROM accumulator
    WHERE accumulator.tenant = %(tenant)s AND accumulator.scope = wanted.scope
      AND accumulator.name = wanted.name AND accumulator.period = wanted.period
    OFFSET 0
) AS a;

-- name: reserve_positions
-- The first of a block of journal positions that nobody else receives.
SELECT reserve_positions(%(rows)s::integer);

-- name: data_keys
-- The wrapped data keys of a batch's patients, as far as they have one.
SELECT d.patient, d.wrapped
FROM unnest(%(patients)s::bigint[]) AS wanted (patient)
CROSS JOIN LATERAL (
    SELECT * FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = wanted.patient OFFSET 0
) AS d;

-- name: add_data_keys
-- Keys of patients seen for the first time, in order of id; the key of a faster writer stays.
INSERT INTO data_key (tenant, patient, wrapped)
SELECT %(tenant)s, new.patient, new.wrapped
FROM unnest(%(patients)s::bigint[], %(wrapped)s::bytea[]) AS new (patient, wrapped)
ON CONFLICT DO NOTHING;

-- name: copy_journal
-- The rows of a batch.
COPY journal (tenant, position, key, content, revision, supersedes, kind, status, patient, provider, occurred_at,
              posted_at, currency, accounts, amounts, sources, states, avail, leaf)
FROM STDIN (FORMAT BINARY);

-- name: copy_body
-- Their sealed bodies.
COPY body (tenant, position, cipher) FROM STDIN (FORMAT BINARY);

-- name: add_accounts
-- Accounts used for the first time, in order of id; returns those that were not here.
INSERT INTO account (tenant, id, kind, owner, currency)
SELECT %(tenant)s, new.id, new.kind, new.owner, new.currency
FROM unnest(%(ids)s::bigint[], %(kinds)s::text[], %(owners)s::text[], %(currencies)s::text[])
     AS new (id, kind, owner, currency)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: add_to_totals
-- The net change of every touched total.
INSERT INTO accumulator AS a (tenant, scope, name, period, value)
SELECT %(tenant)s, delta.scope, delta.name, delta.period, delta.value
FROM unnest(%(scopes)s::text[], %(names)s::text[], %(periods)s::text[], %(values)s::bigint[])
     AS delta (scope, name, period, value)
ON CONFLICT (tenant, scope, name, period) DO UPDATE SET value = a.value + excluded.value;

-- name: delete_zero_totals
-- Totals that came back to zero.
DELETE FROM accumulator
WHERE ctid = ANY (ARRAY(
    SELECT a.place
    FROM unnest(%(scopes)s::text[], %(names)s::text[], %(periods)s::text[]) AS wanted (scope, name, period)
    CROSS JOIN LATERAL (
        SELECT accumulator.ctid AS place FROM accumulator
        WHERE accumulator.tenant = %(tenant)s AND accumulator.scope = wanted.scope
          AND accumulator.name = wanted.name AND accumulator.period = wanted.period AND accumulator.value = 0
        OFFSET 0
    ) AS a
));

-- name: move_pots
-- The net change of every touched pot; the table's checks hold the floors. The rows are locked, so they keep their place.
UPDATE state
SET avail = state.avail + touched.move, held = state.held + touched.held, version = state.version + 1
FROM (
    SELECT s.place, delta.move, delta.held
    FROM unnest(%(ids)s::bigint[], %(moves)s::bigint[], %(held)s::bigint[]) AS delta (id, move, held)
    CROSS JOIN LATERAL (
        SELECT state.ctid AS place FROM state WHERE state.tenant = %(tenant)s AND state.id = delta.id OFFSET 0
    ) AS s
) AS touched
WHERE state.ctid = touched.place;

-- name: put_in_queue
-- Events that wait now, each with the position of its newest row.
INSERT INTO work_queue AS q (tenant, key, position, reason)
SELECT %(tenant)s, new.key, new.position, new.reason
FROM unnest(%(keys)s::bytea[], %(positions)s::bigint[], %(reasons)s::text[]) AS new (key, position, reason)
ON CONFLICT (tenant, key) DO UPDATE SET position = excluded.position, reason = excluded.reason;

-- name: take_from_queue
-- Events that wait no longer.
DELETE FROM work_queue
WHERE ctid = ANY (ARRAY(
    SELECT q.place
    FROM unnest(%(keys)s::bytea[]) AS wanted (key)
    CROSS JOIN LATERAL (
        SELECT work_queue.ctid AS place FROM work_queue
        WHERE work_queue.tenant = %(tenant)s AND work_queue.key = wanted.key
        OFFSET 0
    ) AS q
));

-- name: put_in_outbox
-- One row for the batch: what leaves the house finds the rows by their positions.
INSERT INTO outbox (tenant, kind, positions, created_at)
VALUES (%(tenant)s, 'posted', int8range(%(first)s, %(last)s, '[]'), %(created_at)s);
