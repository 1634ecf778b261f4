-- What one posting transaction asks and writes, in the order in which it does so.
--
-- Rows are found by their whole key, one key at a time (LATERAL with LIMIT 1 or OFFSET 0, which the planner cannot turn
-- into a join). A prepared plan may have been made while the tables were empty; with `= ANY` PostgreSQL 16 then reads
-- every row of the tenant and filters. tests/storage/test_plans.py holds the plans to this.

-- name: newest_rows
-- The newest revision of each event key that is here, with its sealed body and the key that opens it.
SELECT j.position, j.key, j.revision, j.supersedes,
       (SELECT later.position FROM journal AS later
        WHERE later.supersedes = int8send(j.position) AND later.supersedes <> '' AND later.tenant = %(tenant)s
        LIMIT 1) IS NOT NULL,
       j.kind, j.status, j.posted_at, j.leaf, j.body, j.patient,
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient)
FROM unnest(%(keys)s::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT * FROM journal
    WHERE journal.key = wanted.key AND journal.tenant = %(tenant)s
    ORDER BY journal.revision DESC
    LIMIT 1
) AS j;

-- name: version
-- The register as it stands.
SELECT version FROM tenant WHERE id = %(tenant)s;

-- name: changed
-- Whose sheets are newer than what is remembered.
SELECT kind, id FROM sheet WHERE tenant = %(tenant)s AND since > %(after)s AND since <= %(version)s;

-- name: people
-- People as they were registered at a version, each with the wrapped data key.
SELECT s.id, s.packed, d.wrapped
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT sheet.id, sheet.packed FROM sheet
    WHERE sheet.id = wanted.id AND sheet.kind = 1 AND sheet.tenant = %(tenant)s AND sheet.since <= %(version)s
    ORDER BY sheet.since DESC
    LIMIT 1
) AS s
LEFT JOIN LATERAL (
    SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = s.id OFFSET 0
) AS d ON true;

-- name: parties
-- Parties as they were registered at a version.
SELECT s.id, s.packed
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT sheet.id, sheet.packed FROM sheet
    WHERE sheet.id = wanted.id AND sheet.kind = 2 AND sheet.tenant = %(tenant)s AND sheet.since <= %(version)s
    ORDER BY sheet.since DESC
    LIMIT 1
) AS s;

-- name: take_hold
-- Lock each row of totals that is here once, then each pot, in the order of the sorted ids; then reserve a block of
-- journal positions that nobody else receives. What is returned is each row as it stands under the lock, and its place
-- in the table, which it keeps until the lock's holder changes it: rows with `packed` are totals, with `avail` pots, and
-- the last names the first position, and the register's version once all of this is held. The parts of a UNION ALL are
-- run one after the other, as they are written, and so are the columns of a row. The first row is none of these: behind
-- its lock, which all writers share, nobody erases a person (`alone_with_books` in `enrolment.sql`).
SELECT length(pg_advisory_xact_lock_shared(7310589, %(tenant)s::integer)::text)::bigint, NULL::bytea, NULL::bigint,
       NULL::tid
UNION ALL
SELECT t.id, t.packed, NULL::bigint, t.ctid
FROM unnest(%(totals)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT total.id, total.packed, total.ctid FROM total
    WHERE total.id = wanted.id AND total.tenant = %(tenant)s FOR UPDATE
) AS t
UNION ALL
SELECT s.id, NULL, s.avail, s.ctid
FROM unnest(%(pots)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT state.id, state.avail, state.ctid FROM state
    WHERE state.id = wanted.id AND state.tenant = %(tenant)s FOR UPDATE
) AS s
UNION ALL
SELECT reserve_positions(%(rows)s::integer), NULL, register_version(%(tenant)s::integer), NULL;

-- name: add_totals
-- Rows of totals seen for the first time, in order of id. One that another writer made since is left out.
INSERT INTO total (tenant, id, packed)
SELECT %(tenant)s, new.id, new.packed FROM unnest(%(ids)s::bigint[], %(packed)s::bytea[]) AS new (id, packed)
ON CONFLICT DO NOTHING;

-- name: change_totals
-- What every touched row holds now. The rows are locked, so they keep their place. `+ 0`: asked for plainly, the tenant
-- would lead PostgreSQL to read all its rows through the index.
UPDATE total SET packed = touched.packed
FROM unnest(%(places)s::tid[], %(packed)s::bytea[]) AS touched (place, packed)
WHERE total.ctid = touched.place AND total.tenant + 0 = %(tenant)s;

-- name: move_pots
-- The net change of every touched pot, whose floors the table's checks hold, and one row for the batch: what leaves the
-- house finds the rows by their positions.
WITH told AS (
    INSERT INTO outbox (tenant, kind, positions, created_at)
    VALUES (%(tenant)s, 'posted', int8range(%(first)s, %(last)s, '[]'), %(created_at)s)
)
UPDATE state SET avail = state.avail + touched.move, held = state.held + touched.held, room = NULL
FROM unnest(%(places)s::tid[], %(moves)s::bigint[], %(held)s::bigint[]) AS touched (place, move, held)
WHERE state.ctid = touched.place AND state.tenant + 0 = %(tenant)s;

-- name: data_keys
-- The wrapped data keys of patients, as far as they have one.
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
-- The rows of a batch with their sealed bodies.
COPY journal (tenant, revision, kind, status, currency, supersedes, sources, position, patient, occurred_at, posted_at,
              key, leaf, legs, avail, body)
FROM STDIN (FORMAT BINARY);

-- name: add_accounts
-- Accounts used for the first time, in order of id; returns those that were not here.
INSERT INTO account (tenant, id, kind, owner, currency)
SELECT %(tenant)s, new.id, new.kind, new.owner, new.currency
FROM unnest(%(ids)s::bigint[], %(kinds)s::text[], %(owners)s::text[], %(currencies)s::text[])
     AS new (id, kind, owner, currency)
ON CONFLICT DO NOTHING
RETURNING id;

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
