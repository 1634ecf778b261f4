-- What is read back from the books, always for one tenant and as the reader.

-- name: rows_after
-- Journal rows after a position, in order, each with its sealed body and the key that opens it.
SELECT j.position, j.key, j.content, j.revision, j.supersedes,
       (SELECT later.position FROM journal AS later
        WHERE later.supersedes = j.position AND later.tenant = %(tenant)s LIMIT 1) IS NOT NULL,
       j.kind, j.status, j.patient, j.occurred_at, j.posted_at, j.currency,
       j.accounts, j.amounts, j.sources, j.states, j.avail, j.leaf,
       (SELECT body.cipher FROM body WHERE body.tenant = %(tenant)s AND body.position = j.position),
       (SELECT data_key.wrapped FROM data_key WHERE data_key.tenant = %(tenant)s AND data_key.patient = j.patient)
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

-- name: pot_states
-- What each pot may spend and has promised, as its state row says.
SELECT p.id, s.avail, s.held
FROM pot AS p LEFT JOIN state AS s ON s.tenant = p.tenant AND s.id = p.state
WHERE p.tenant = %(tenant)s;

-- name: totals_after
-- Running totals after a key, in key order (code points, whatever the server's language).
SELECT scope, name, period, value FROM accumulator
WHERE tenant = %(tenant)s AND (scope, name, period) > (%(scope)s, %(name)s, %(period)s)
ORDER BY scope, name, period
LIMIT %(limit)s;

-- name: queue
-- Pended events, oldest first.
SELECT position, key, reason FROM work_queue WHERE tenant = %(tenant)s ORDER BY position LIMIT %(limit)s;

-- name: documents_mark
-- Changes whenever a document is published: none is ever changed or removed.
SELECT count(*), max(published_at) FROM document WHERE tenant = %(tenant)s;

-- name: document_hashes
-- Which documents are published, in order of their first day in the books.
SELECT hash FROM document WHERE tenant = %(tenant)s ORDER BY published_at, hash;

-- name: document_bodies
-- The documents themselves.
SELECT hash, kind, body FROM document WHERE tenant = %(tenant)s AND hash = ANY (%(hashes)s::text[]);
