-- What is read back from the books, always for one tenant and as the reader.

-- name: rows_after
-- Journal rows after a position, in order, each with its sealed body and the key that opens it.
SELECT j.position, j.key, j.revision, j.supersedes,
       (SELECT later.position FROM journal AS later
        WHERE later.supersedes = int8send(j.position) AND later.supersedes <> '' AND later.tenant = %(tenant)s
        LIMIT 1) IS NOT NULL,
       j.kind, j.status, j.posted_at, j.leaf, j.body, j.patient,
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient),
       j.occurred_at, j.currency, j.legs, j.sources, j.avail
FROM journal AS j
WHERE j.tenant = %(tenant)s AND j.position > %(after)s
ORDER BY j.position
LIMIT %(limit)s;

-- name: account_names
-- What accounts are called, by id.
SELECT a.id, a.kind, a.owner, a.currency
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM account WHERE account.tenant = %(tenant)s AND account.id = wanted.id OFFSET 0) AS a;

-- name: pot_names
-- Which pots stand behind state rows.
SELECT state, id FROM pot WHERE tenant = %(tenant)s AND state = ANY (%(ids)s::bigint[]);

-- name: balances
-- Every account's balance from raw entries; numeric, because a sum of many amounts may pass 64 bits.
SELECT a.kind, a.owner, a.currency, b.balance, b.account
FROM (SELECT entry.account, sum(entry.amount) AS balance FROM entry WHERE entry.tenant = %(tenant)s GROUP BY 1) AS b
LEFT JOIN account AS a ON a.tenant = %(tenant)s AND a.id = b.account;

-- name: sources
-- The same, apart by whose money it is.
SELECT a.kind, a.owner, a.currency, b.source, b.amount, b.account
FROM (SELECT entry.account, entry.source, sum(entry.amount) AS amount
      FROM entry WHERE entry.tenant = %(tenant)s GROUP BY 1, 2) AS b
LEFT JOIN account AS a ON a.tenant = %(tenant)s AND a.id = b.account;

-- name: pot_states
-- What each pot may spend and has promised, as its state row says.
SELECT p.id, s.avail, s.held
FROM pot AS p LEFT JOIN state AS s ON s.tenant = p.tenant AND s.id = p.state
WHERE p.tenant = %(tenant)s;

-- name: pot_states_of
-- The same of some pots.
SELECT p.id, s.avail, s.held
FROM unnest(%(pots)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM pot WHERE pot.tenant = %(tenant)s AND pot.id = wanted.id OFFSET 0) AS p
LEFT JOIN LATERAL (SELECT * FROM state WHERE state.id = p.state AND state.tenant = p.tenant OFFSET 0) AS s ON true;

-- name: fund
-- Currency and number of slices of the shared fund whose own pot this is.
SELECT currency, slices FROM pot WHERE tenant = %(tenant)s AND id = %(pot)s AND fund = '' AND slices > 0;

-- name: expired_pots
-- Pots that close by now and still hold money, by id; an admission never holds any.
SELECT p.id, p.member, p.currency, s.avail, p.priority, p.pocket, p.state, p.fund, p.slices, p.terms, p.purpose, p.frozen
FROM pot AS p JOIN state AS s ON s.tenant = p.tenant AND s.id = p.state
WHERE p.tenant = %(tenant)s AND p.closes <= %(now)s AND p.id COLLATE "C" > %(after)s AND s.avail > 0
      AND (p.member = '' OR p.fund = '')
ORDER BY p.id COLLATE "C"
LIMIT %(limit)s;

-- name: totals_after
-- Rows of running totals after a row, in order of id.
SELECT id, packed FROM total WHERE tenant = %(tenant)s AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: queue
-- Pended events, oldest first.
SELECT position, key, reason FROM work_queue WHERE tenant = %(tenant)s ORDER BY position LIMIT %(limit)s;

-- name: version
-- The register as it stands.
SELECT version FROM tenant WHERE id = %(tenant)s;

-- name: sheets_at
-- People or parties as they were registered at a version, and the version from which on they were registered otherwise.
SELECT s.id, s.packed, s.since, (
    SELECT later.since FROM sheet AS later
    WHERE later.id = s.id AND later.kind = %(kind)s AND later.tenant = %(tenant)s AND later.since > %(version)s
    ORDER BY later.since
    LIMIT 1
)
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM sheet
    WHERE sheet.id = wanted.id AND sheet.kind = %(kind)s AND sheet.tenant = %(tenant)s AND sheet.since <= %(version)s
    ORDER BY sheet.since DESC
    LIMIT 1
) AS s;

-- name: document_list
-- Which documents are published, in the order in which they came.
SELECT since, hash FROM document WHERE tenant = %(tenant)s ORDER BY since, hash;

-- name: document_bodies
-- The documents themselves.
SELECT hash, kind, body FROM document WHERE tenant = %(tenant)s AND hash = ANY (%(hashes)s::text[]);
