-- The readers' index: how it follows the journal (as the writer), and how lists are read from it (as the reader).

-- name: follow_alone
-- Whether this transaction is the tenant's follower; another one has to wait for its end.
SELECT pg_try_advisory_xact_lock(7310588, %(tenant)s::integer);

-- name: follow_alone_at_last
-- The same, waiting.
SELECT pg_advisory_xact_lock(7310588, %(tenant)s::integer);

-- name: followed
-- Up to which position the index is whole.
SELECT position FROM journal_followed WHERE tenant = %(tenant)s;

-- name: reserved
-- The highest position that anybody has reserved. It does not wait for anybody's commit.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM journal_position;

-- name: writing
-- Transactions that have reserved positions, or written rows, and have not ended. Both leave a lock until the end: on the
-- sequence (PostgreSQL, sequence.c, lock_and_open_sequence) and on the table.
SELECT DISTINCT l.virtualtransaction FROM pg_locks AS l
WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'RowExclusiveLock'
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
  AND l.relation IN ('journal_position'::regclass, 'journal'::regclass);

-- name: rows_between
-- Journal rows behind a position up to another, in order, each with its sealed body and the key that opens it.
SELECT j.position, j.key, j.revision, j.supersedes, false, j.kind, j.status, j.posted_at, j.leaf, j.body, j.patient,
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient),
       j.occurred_at
FROM journal AS j
WHERE j.tenant = %(tenant)s AND j.position > %(after)s AND j.position <= %(until)s
ORDER BY j.position
LIMIT %(limit)s;

-- name: bare_rows_between
-- The same rows without their bodies, and whether each still opens: the first four bytes name the key that sealed it.
SELECT j.position, j.key, j.revision, j.supersedes, j.kind, j.status, j.posted_at, j.leaf, j.occurred_at,
       coalesce((SELECT substr(data_key.wrapped, 1, 4) FROM data_key
                 WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient) = substr(j.body, 1, 4), false)
FROM journal AS j
WHERE j.tenant = %(tenant)s AND j.position > %(after)s AND j.position <= %(until)s
ORDER BY j.position
LIMIT %(limit)s;

-- name: rows_at
-- The same of some positions, with what took their place: its position, event key and kind.
SELECT j.position, j.key, j.revision, j.supersedes, l.position IS NOT NULL, j.kind, j.status, j.posted_at, j.leaf, j.body,
       j.patient,
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient),
       j.occurred_at, l.position, l.key, l.kind
FROM unnest(%(positions)s::bigint[]) AS wanted (position)
CROSS JOIN LATERAL (
    SELECT * FROM journal WHERE journal.tenant = %(tenant)s AND journal.position = wanted.position OFFSET 0
) AS j
LEFT JOIN LATERAL (
    SELECT later.position, later.key, later.kind FROM journal AS later
    WHERE later.supersedes = int8send(j.position) AND later.supersedes <> '' AND later.tenant = %(tenant)s LIMIT 1
) AS l ON true
ORDER BY j.position;

-- name: positions_of_key
-- Every row of some events, by event and revision.
SELECT j.key, j.position
FROM unnest(%(keys)s::bytea[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT journal.key, journal.revision, journal.position FROM journal
    WHERE journal.key = wanted.key AND journal.tenant = %(tenant)s OFFSET 0
) AS j
ORDER BY j.key, j.revision;

-- name: owners_at
-- Whose accounts some rows touch.
SELECT e.position, a.kind, a.owner
FROM entry AS e JOIN account AS a ON a.tenant = e.tenant AND a.id = e.account
WHERE e.tenant = %(tenant)s AND e.position = ANY (%(positions)s::bigint[]);

-- name: add_rows
-- Rows of the index. `parties` come joined, because arrays of arrays of different lengths do not exist.
INSERT INTO journal_index (tenant, position, head, latest, now, revision, kind, status, day, posted_at, key, visit,
                           member, provider, source, parties)
SELECT %(tenant)s, new.position, new.head, new.position, new.status, new.revision, new.kind, new.status, new.day::date,
       new.posted_at::timestamptz, new.key, new.visit, new.member, new.provider, new.source,
       string_to_array(new.parties, chr(31))
FROM unnest(%(positions)s::bigint[], %(heads)s::bigint[], %(revisions)s::bigint[], %(kinds)s::bigint[],
            %(statuses)s::bigint[], %(days)s::text[], %(moments)s::text[], %(keys)s::bytea[], %(visits)s::bytea[],
            %(members)s::text[], %(providers)s::text[], %(sources)s::text[], %(parties)s::text[])
     AS new (position, head, revision, kind, status, day, posted_at, key, visit, member, provider, source, parties);

-- name: add_parties
-- Who may see which rows.
INSERT INTO journal_party (tenant, party, position)
SELECT %(tenant)s, new.party, new.position
FROM unnest(%(parties)s::text[], %(positions)s::bigint[]) AS new (party, position)
ON CONFLICT DO NOTHING;

-- name: move_heads
-- First rows of events that have another answer now.
UPDATE journal_index AS i
SET latest = new.latest, now = new.status, day = new.day::date, visit = new.visit,
    parties = ARRAY(SELECT unnest(i.parties) UNION SELECT unnest(string_to_array(new.parties, chr(31))) ORDER BY 1)
FROM unnest(%(heads)s::bigint[], %(positions)s::bigint[], %(statuses)s::bigint[], %(days)s::text[], %(visits)s::bytea[],
            %(parties)s::text[])
     AS new (head, latest, status, day, visit, parties)
WHERE i.tenant = %(tenant)s AND i.position = new.head AND i.latest < new.latest;

-- name: set_followed
-- Remember how far the index is whole.
INSERT INTO journal_followed (tenant, position) VALUES (%(tenant)s, %(position)s)
ON CONFLICT (tenant) DO UPDATE SET position = excluded.position;

-- name: drop_rows
-- Forget the index of a tenant.
DELETE FROM journal_index WHERE tenant = %(tenant)s;

-- name: drop_parties
-- Forget who may see which rows.
DELETE FROM journal_party WHERE tenant = %(tenant)s;

-- name: page
-- A piece of a list, newest first: positions of rows from every way by which the caller reaches some, then the newest
-- revision of each where first rows are listed.
SELECT n.position, n.key, n.revision, n.kind, n.status, n.member, n.provider, h.parties, n.visit, n.source, n.day,
       n.posted_at, h.position
FROM (
    SELECT found.position FROM (
        (SELECT i.position FROM journal_index AS i
         WHERE %(all)s::boolean AND i.tenant = %(tenant)s AND i.position < %(before)s
           AND journal_index_fits(i, %(wanted)s::integer, %(status)s::integer, %(since)s::date, %(until)s::date,
                                  %(member)s::text, %(party)s::text, %(visit)s::bytea)
         ORDER BY i.position DESC LIMIT %(limit)s)
        UNION
        SELECT near.position FROM unnest(%(parties)s::text[]) AS p (party)
        CROSS JOIN LATERAL (
            SELECT i.position FROM journal_party AS jp
            JOIN journal_index AS i ON i.tenant = jp.tenant AND i.position = jp.position
            WHERE jp.tenant = %(tenant)s AND jp.party = p.party AND jp.position < %(before)s
              AND journal_index_fits(i, %(wanted)s::integer, %(status)s::integer, %(since)s::date, %(until)s::date,
                                     %(member)s::text, %(party)s::text, %(visit)s::bytea)
              AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[]
                   OR i.member = ANY (%(own_members)s::text[]))
            ORDER BY jp.position DESC LIMIT %(limit)s
        ) AS near
        UNION
        SELECT near.position FROM unnest(%(members)s::text[]) AS m (member)
        CROSS JOIN LATERAL (
            SELECT i.position FROM journal_index AS i
            WHERE i.tenant = %(tenant)s AND i.member = m.member AND i.position < %(before)s
              AND journal_index_fits(i, %(wanted)s::integer, %(status)s::integer, %(since)s::date, %(until)s::date,
                                     %(member)s::text, %(party)s::text, %(visit)s::bytea)
              AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[]
                   OR i.member = ANY (%(own_members)s::text[]))
            ORDER BY i.position DESC LIMIT %(limit)s
        ) AS near
        UNION
        SELECT near.position FROM unnest(%(days)s::date[]) AS d (day)
        CROSS JOIN LATERAL (
            SELECT i.position FROM journal_index AS i
            WHERE i.tenant = %(tenant)s AND i.day = d.day AND i.position < %(before)s
              AND journal_index_fits(i, %(wanted)s::integer, %(status)s::integer, %(since)s::date, %(until)s::date,
                                     %(member)s::text, %(party)s::text, %(visit)s::bytea)
              AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[]
                   OR i.member = ANY (%(own_members)s::text[]))
            ORDER BY i.position DESC LIMIT %(limit)s
        ) AS near
    ) AS found
    ORDER BY found.position DESC LIMIT %(limit)s
) AS shown
JOIN journal_index AS h ON h.tenant = %(tenant)s AND h.position = shown.position
JOIN journal_index AS n ON n.tenant = %(tenant)s
     AND n.position = CASE WHEN %(wanted)s::integer = 2 THEN h.position ELSE h.latest END
ORDER BY h.position DESC;

-- name: waiting
-- Of the events that wait, those that the caller reaches and asks for, newest first: from the newest on, as far as asked.
SELECT n.position, n.key, n.revision, n.kind, n.status, n.member, n.provider, i.parties, n.visit, n.source, n.day,
       n.posted_at, i.position
FROM journal_index AS i
JOIN work_queue AS q ON q.tenant = i.tenant AND q.key = i.key
JOIN journal_index AS n ON n.tenant = i.tenant AND n.position = i.latest
WHERE i.tenant = %(tenant)s AND i.revision = 0 AND i.now = 2 AND i.position < %(before)s
  AND journal_index_fits(i, 0, 2, %(since)s::date, %(until)s::date, %(member)s::text, %(party)s::text, %(visit)s::bytea)
  AND (%(reason)s::text = '' OR q.reason = %(reason)s::text)
  AND (%(provider)s::text = '' OR i.provider = %(provider)s::text)
  AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[] OR i.member = ANY (%(own_members)s::text[]))
ORDER BY i.position DESC
LIMIT %(limit)s;

-- name: waiting_groups
-- The same added up: how many wait, for what, whose, since when, and how many since before a moment.
SELECT q.reason, i.provider, array_to_string(i.parties, chr(31)), count(*), min(i.posted_at),
       count(*) FILTER (WHERE i.posted_at <= %(long_ago)s::timestamptz)
FROM journal_index AS i
JOIN work_queue AS q ON q.tenant = i.tenant AND q.key = i.key
WHERE i.tenant = %(tenant)s AND i.revision = 0 AND i.now = 2
  AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[] OR i.member = ANY (%(own_members)s::text[]))
GROUP BY 1, 2, 3;

-- name: after
-- Rows behind a position, oldest first, from every way by which the caller reaches some.
SELECT i.position, i.key, i.revision, i.kind, i.status, i.member, i.provider, i.parties, i.visit, i.source, i.day,
       i.posted_at, i.head
FROM (
    SELECT found.position FROM (
        (SELECT i.position FROM journal_index AS i
         WHERE %(all)s::boolean AND i.tenant = %(tenant)s AND i.position > %(after)s
         ORDER BY i.position LIMIT %(limit)s)
        UNION
        SELECT near.position FROM unnest(%(parties)s::text[]) AS p (party)
        CROSS JOIN LATERAL (
            SELECT jp.position FROM journal_party AS jp
            WHERE jp.tenant = %(tenant)s AND jp.party = p.party AND jp.position > %(after)s
            ORDER BY jp.position LIMIT %(limit)s
        ) AS near
        UNION
        SELECT near.position FROM unnest(%(members)s::text[]) AS m (member)
        CROSS JOIN LATERAL (
            SELECT i.position FROM journal_index AS i
            WHERE i.tenant = %(tenant)s AND i.member = m.member AND i.position > %(after)s
            ORDER BY i.position LIMIT %(limit)s
        ) AS near
    ) AS found
    ORDER BY found.position LIMIT %(limit)s
) AS following
JOIN journal_index AS i ON i.tenant = %(tenant)s AND i.position = following.position
ORDER BY i.position;

-- name: revised
-- Rows of charges in the place of earlier rows of the same charges, behind a position up to another, oldest first.
SELECT i.position, i.key, i.revision, i.kind, i.status, i.member, i.provider, i.parties, i.visit, i.source, i.day,
       i.posted_at, i.head
FROM journal_index AS i
WHERE i.tenant = %(tenant)s AND i.position > %(after)s AND i.position <= %(until)s
  AND i.revision > 0 AND i.kind IN (1, 3) AND i.status = 0
  AND (SELECT j.kind FROM journal AS j WHERE j.tenant = %(tenant)s AND j.position = i.position) = %(kind)s
ORDER BY i.position
LIMIT %(limit)s;

-- name: visits
-- The rows of some visits that the caller reaches, oldest first.
SELECT i.position, i.key, i.revision, i.kind, i.status, i.member, i.provider, i.parties, i.visit, i.source, i.day,
       i.posted_at, i.head
FROM unnest(%(visits)s::bytea[]) AS v (visit)
CROSS JOIN LATERAL (
    SELECT * FROM journal_index AS i
    WHERE i.tenant = %(tenant)s AND i.visit = v.visit
      AND (%(anybody)s::boolean OR i.parties && %(own_parties)s::text[] OR i.member = ANY (%(own_members)s::text[]))
    ORDER BY i.position LIMIT %(limit)s
) AS i
ORDER BY i.position
LIMIT %(limit)s;

-- name: open_holds
-- Events of some members that hold something and were neither delivered nor ended.
SELECT n.position, n.key, n.revision, n.kind, n.status, n.member, n.provider, n.parties, n.visit, n.source, n.day,
       n.posted_at, n.head
FROM journal_index AS i
JOIN journal_index AS n ON n.tenant = i.tenant AND n.position = i.latest
WHERE i.tenant = %(tenant)s AND i.member = ANY (%(members)s::text[]) AND i.revision = 0 AND n.kind = 4 AND n.status < 2
  AND NOT EXISTS (
      SELECT FROM journal AS later
      WHERE later.supersedes = int8send(n.position) AND later.supersedes <> '' AND later.tenant = %(tenant)s)
ORDER BY n.position
LIMIT %(limit)s;

-- name: posted_behind
-- Whether the journal has rows of some patients that are not in the index yet.
SELECT EXISTS (
    SELECT FROM journal AS j
    WHERE j.tenant = %(tenant)s AND j.patient = ANY (%(patients)s::bigint[])
      AND j.position > coalesce((SELECT f.position FROM journal_followed AS f WHERE f.tenant = %(tenant)s), 0));

-- name: indexed_at
-- What the index says of some rows.
SELECT i.position, i.key, i.revision, i.kind, i.status, i.member, i.provider, i.parties, i.visit, i.source, i.day,
       i.posted_at, i.head
FROM unnest(%(positions)s::bigint[]) AS wanted (position)
CROSS JOIN LATERAL (
    SELECT * FROM journal_index WHERE journal_index.tenant = %(tenant)s AND journal_index.position = wanted.position OFFSET 0
) AS i;

-- name: newest_position
-- The newest row of the tenant's journal.
SELECT coalesce(max(position), 0) FROM journal WHERE tenant = %(tenant)s;

-- name: document_names
-- What published documents are called.
SELECT d.hash, d.id, d.version
FROM unnest(%(hashes)s::text[]) AS wanted (hash)
CROSS JOIN LATERAL (SELECT * FROM document WHERE document.tenant = %(tenant)s AND document.hash = wanted.hash OFFSET 0) AS d;
