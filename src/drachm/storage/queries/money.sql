-- What answers about documents, wallets, accounts and statements are read from, always as the reader; and how the index
-- of entries follows the journal, as the writer. In every answer the journal behind `money_followed` is added.

-- name: version
-- The register as it stands.
SELECT version FROM tenant WHERE id = %(tenant)s;

-- name: totals_of
-- Rows of running totals.
SELECT t.id, t.packed
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT total.id, total.packed FROM total WHERE total.id = wanted.id AND total.tenant = %(tenant)s OFFSET 0
) AS t;

-- name: pots_by_number
-- What pots may spend, by the numbers of their state rows.
SELECT s.id, s.avail
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT state.id, state.avail FROM state WHERE state.id = wanted.id AND state.tenant = %(tenant)s OFFSET 0
) AS s;

-- name: published
-- Which documents of a kind are published.
SELECT hash, id, version, published_at FROM document WHERE tenant = %(tenant)s AND kind = %(kind)s;

-- name: document
-- One document.
SELECT body FROM document WHERE tenant = %(tenant)s AND hash = %(hash)s;

-- name: purses
-- Pots by id; of a shared fund the rest and all slices together. Admissions and slices are left out.
SELECT p.id, p.member, p.currency,
       coalesce(s.avail, 0)::numeric + coalesce(more.avail, 0), coalesce(s.held, 0)::numeric + coalesce(more.held, 0),
       p.priority, p.pocket, p.state, p.fund, p.slices, p.terms, p.purpose, p.frozen
FROM pot AS p
LEFT JOIN state AS s ON s.tenant = p.tenant AND s.id = p.state
LEFT JOIN LATERAL (
    SELECT sum(slice_state.avail) AS avail, sum(slice_state.held) AS held
    FROM generate_series(0, p.slices - 1) AS part (number)
    JOIN pot AS slice ON slice.tenant = p.tenant AND slice.id = p.id || '/' || part.number
    JOIN state AS slice_state ON slice_state.tenant = slice.tenant AND slice_state.id = slice.state
) AS more ON p.slices > 0
WHERE p.tenant = %(tenant)s AND p.fund = '' AND p.id > %(after)s
  AND (%(all)s::boolean OR p.id = ANY (%(ids)s::text[])
       OR (p.member <> '' AND p.member = ANY (%(members)s::text[])))
ORDER BY p.id
LIMIT %(limit)s;

-- name: accounts
-- Accounts by kind, owner and currency, each with the sum of its entries.
WITH fresh AS (
    SELECT e.account, sum(e.amount) AS amount FROM entry AS e
    WHERE e.tenant = %(tenant)s AND e.position > %(followed)s GROUP BY 1
), chosen AS (
    SELECT a.id, a.kind, a.owner, a.currency FROM account AS a
    WHERE a.tenant = %(tenant)s
      AND (a.kind COLLATE "C", a.owner COLLATE "C", a.currency COLLATE "C") > (%(kind)s, %(owner)s, %(currency)s)
      AND (%(all)s::boolean
           OR (a.kind IN ('payer_receivable', 'provider_payable', 'funder_payable') AND a.owner = ANY (%(parties)s::text[]))
           OR (a.kind IN ('wallet', 'wallet_held') AND a.owner = ANY (%(pots)s::text[])))
      AND (%(only)s = '' OR a.kind = %(only)s)
    ORDER BY a.kind COLLATE "C", a.owner COLLATE "C", a.currency COLLATE "C"
    LIMIT %(limit)s
)
SELECT c.kind, c.owner, c.currency, c.id, coalesce(d.amount, 0) + coalesce(f.amount, 0)
FROM chosen AS c
LEFT JOIN LATERAL (
    SELECT sum(account_day.amount) AS amount FROM account_day
    WHERE account_day.account = c.id AND account_day.tenant = %(tenant)s
) AS d ON true
LEFT JOIN fresh AS f ON f.account = c.id
ORDER BY c.kind COLLATE "C", c.owner COLLATE "C", c.currency COLLATE "C";

-- name: account
-- One account with the sum of its entries.
SELECT a.kind, a.owner, a.currency, a.id,
       coalesce((SELECT sum(d.amount) FROM account_day AS d
                 WHERE d.account = a.id AND d.tenant = %(tenant)s), 0)
       + coalesce((SELECT sum(e.amount) FROM entry AS e
                   WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = %(number)s), 0)
FROM account AS a WHERE a.tenant = %(tenant)s AND a.id = %(number)s;

-- name: trial
-- How many accounts of each kind and currency there are, and what stands on their two sides.
WITH every AS (
    SELECT d.account, d.amount FROM account_day AS d WHERE d.tenant = %(tenant)s
    UNION ALL
    SELECT e.account, e.amount FROM entry AS e WHERE e.tenant = %(tenant)s AND e.position > %(followed)s
), sums AS (
    SELECT account, sum(amount) AS amount FROM every GROUP BY 1
)
SELECT a.kind, a.currency, count(*), coalesce(sum(s.amount) FILTER (WHERE s.amount > 0), 0),
       coalesce(sum(s.amount) FILTER (WHERE s.amount < 0), 0)
FROM sums AS s LEFT JOIN account AS a ON a.tenant = %(tenant)s AND a.id = s.account
GROUP BY 1, 2 ORDER BY 2, 1;

-- name: sources
-- What stands on accounts of each kind by whose money it is; of cash for each rail.
WITH every AS (
    SELECT d.account, d.source, d.amount FROM account_day AS d WHERE d.tenant = %(tenant)s
    UNION ALL
    SELECT e.account, e.source, e.amount FROM entry AS e WHERE e.tenant = %(tenant)s AND e.position > %(followed)s
), sums AS (
    SELECT account, source, sum(amount) AS amount FROM every GROUP BY 1, 2
)
SELECT a.kind, CASE WHEN a.kind = 'cash' THEN a.owner ELSE '' END, a.currency, s.source, sum(s.amount)
FROM sums AS s LEFT JOIN account AS a ON a.tenant = %(tenant)s AND a.id = s.account
GROUP BY 1, 2, 3, 4;

-- name: sums
-- What accounts hold of everything posted before a day.
SELECT every.account, sum(every.amount), sum(every.entries) FROM (
    SELECT d.account, d.amount, d.entries
    FROM unnest(%(accounts)s::bigint[]) AS wanted (account)
    CROSS JOIN LATERAL (
        SELECT account_day.account, account_day.amount, account_day.entries FROM account_day
        WHERE account_day.account = wanted.account AND account_day.tenant = %(tenant)s AND account_day.day < %(until)s
    ) AS d
    UNION ALL
    SELECT e.account, e.amount, 1 FROM entry AS e
    WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = ANY (%(accounts)s::bigint[]) AND (e.posted_at AT TIME ZONE 'UTC')::date < %(until)s
) AS every
GROUP BY 1;

-- name: moved_pots
-- Pots of which there is a record of a kind, and that moved behind a position, as far as the index is whole.
SELECT DISTINCT p.id
FROM after_value AS v
JOIN pot AS p ON p.tenant = v.tenant AND p.state = v.state
JOIN record AS r ON r.tenant = v.tenant AND r.kind = %(kind)s AND r.id = p.id
WHERE v.tenant = %(tenant)s AND v.position > %(after)s AND v.position <= %(until)s;

-- name: reached
-- Who owes, or once owed, of care, and has got money since a position into a pot of theirs or one shared with them.
-- Charges and holds bring none, and between a fund and its slices it only moves.
WITH gained AS (
    SELECT DISTINCT p.id, p.member, CASE WHEN p.slices = 0 THEN '' WHEN p.fund = '' THEN p.id ELSE p.fund END AS fund
    FROM journal AS j
    CROSS JOIN LATERAL generate_series(1, cardinality(j.legs) / 2) AS leg (n)
    JOIN account AS w ON w.tenant = j.tenant AND w.id = j.legs[2 * leg.n - 1] AND w.kind = 'wallet'
    JOIN pot AS p ON p.tenant = j.tenant AND p.id = w.owner
    WHERE j.tenant = %(tenant)s AND j.position > %(after)s AND j.position <= %(until)s
      AND j.kind NOT IN (1, 4, 9, 10) AND j.legs[2 * leg.n] < 0
), people AS (
    SELECT g.member FROM gained AS g WHERE g.member <> ''
    UNION
    SELECT m.member FROM gained AS g
    JOIN pot AS m ON m.tenant = %(tenant)s AND m.fund = g.fund AND m.fund <> '' AND m.member <> ''
)
SELECT a.owner, a.currency FROM people AS p
JOIN account AS a ON a.tenant = %(tenant)s AND a.kind = 'patient_receivable' AND a.owner = p.member
ORDER BY 1, 2;

-- name: owing_with_money
-- Who owes of care, as far as the index is whole, and has a pot with money in it or is admitted to a shared one.
SELECT a.owner, a.currency FROM account AS a
WHERE a.tenant = %(tenant)s AND a.kind = 'patient_receivable'
  AND (a.owner COLLATE "C", a.currency COLLATE "C") > (%(owner)s, %(currency)s)
  AND EXISTS (
      SELECT FROM pot AS p LEFT JOIN state AS s ON s.tenant = p.tenant AND s.id = p.state
      WHERE p.tenant = a.tenant AND p.member = a.owner AND p.currency = a.currency AND (p.fund <> '' OR s.avail > 0)
  )
  AND (SELECT sum(d.amount) FROM account_day AS d WHERE d.account = a.id AND d.tenant = a.tenant) > 0
ORDER BY a.owner COLLATE "C", a.currency COLLATE "C"
LIMIT %(limit)s;

-- name: dues
-- What is due of care by an account of a patient: of each chain of rows that took each other's place the newest, with
-- what all of it left on the account, oldest first.
WITH RECURSIVE touched AS (
    SELECT every.position, sum(every.amount) AS amount FROM (
        SELECT l.position, l.amount FROM account_line AS l WHERE l.account = %(number)s AND l.tenant = %(tenant)s
        UNION ALL
        SELECT e.position, e.amount FROM entry AS e
        WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = %(number)s
    ) AS every
    GROUP BY 1
), chain AS (
    SELECT t.position AS origin, t.amount, t.position AS place FROM touched AS t
    UNION ALL
    SELECT c.origin, c.amount, s.position
    FROM chain AS c
    JOIN journal AS s ON s.supersedes = int8send(c.place) AND s.tenant = %(tenant)s AND s.supersedes <> ''
), ends AS (
    SELECT DISTINCT ON (c.origin) c.origin, c.amount, c.place FROM chain AS c ORDER BY c.origin, c.place DESC
), open AS (
    SELECT e.place, min(e.origin) AS origin, sum(e.amount) AS amount FROM ends AS e GROUP BY 1 HAVING sum(e.amount) > 0
)
SELECT j.key, o.place, o.amount, (first.posted_at AT TIME ZONE 'UTC')::date
FROM open AS o
JOIN journal AS j ON j.tenant = %(tenant)s AND j.position = o.place
JOIN journal AS first ON first.tenant = %(tenant)s AND first.position = o.origin
ORDER BY o.origin;

-- name: months
-- In which months these accounts moved, newest first.
SELECT DISTINCT every.account, date_trunc('month', every.day)::date FROM (
    SELECT d.account, d.day
    FROM unnest(%(accounts)s::bigint[]) AS wanted (account)
    CROSS JOIN LATERAL (
        SELECT account_day.account, account_day.day FROM account_day
        WHERE account_day.account = wanted.account AND account_day.tenant = %(tenant)s
    ) AS d
    UNION ALL
    SELECT e.account, (e.posted_at AT TIME ZONE 'UTC')::date FROM entry AS e
    WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = ANY (%(accounts)s::bigint[])
) AS every
ORDER BY 2 DESC, 1;

-- name: movements
-- Entries of accounts, newest first, each with what its journal row says in the open.
WITH found AS (
    SELECT kept.day, kept.position, kept.leg, kept.account, kept.amount, kept.source
    FROM unnest(%(accounts)s::bigint[]) AS wanted (account)
    CROSS JOIN LATERAL (
        SELECT l.day, l.position, l.leg, l.account, l.amount, l.source FROM account_line AS l
        WHERE l.account = wanted.account AND l.tenant = %(tenant)s AND l.day >= %(since)s AND l.day < %(until)s
          AND (l.day, l.position, l.leg) < (%(day)s::date, %(position)s::bigint, %(leg)s::smallint)
        ORDER BY l.day DESC, l.position DESC, l.leg DESC
        LIMIT %(limit)s
    ) AS kept
    UNION ALL
    SELECT late.day, late.position, late.leg, late.account, late.amount, late.source FROM (
        SELECT (e.posted_at AT TIME ZONE 'UTC')::date AS day, e.position, (e.leg - 1)::smallint AS leg, e.account,
               e.amount, e.source::smallint AS source
        FROM entry AS e
        WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = ANY (%(accounts)s::bigint[])
    ) AS late
    WHERE late.day >= %(since)s AND late.day < %(until)s
      AND (late.day, late.position, late.leg) < (%(day)s::date, %(position)s::bigint, %(leg)s::smallint)
), top AS (
    SELECT * FROM found ORDER BY day DESC, position DESC, leg DESC LIMIT %(limit)s
)
SELECT top.day, top.position, top.leg, top.account, top.amount, top.source, j.kind, j.occurred_at, j.posted_at, j.key,
       j.patient
FROM top
CROSS JOIN LATERAL (
    SELECT journal.kind, journal.occurred_at, journal.posted_at, journal.key, journal.patient FROM journal
    WHERE journal.tenant = %(tenant)s AND journal.position = top.position OFFSET 0
) AS j
ORDER BY top.day DESC, top.position DESC, top.leg DESC;

-- name: care_sums
-- What accounts of pots paid for care, by member and by between which bounds the care began.
SELECT j.patient, width_bucket(j.occurred_at, %(bounds)s::timestamptz[]), sum(every.amount)
FROM (
    SELECT l.position, l.amount
    FROM unnest(%(accounts)s::bigint[]) AS wanted (account)
    CROSS JOIN LATERAL (
        SELECT account_line.position, account_line.amount FROM account_line
        WHERE account_line.account = wanted.account AND account_line.tenant = %(tenant)s AND account_line.day >= %(posted)s
        OFFSET 0
    ) AS l
    UNION ALL
    SELECT e.position, e.amount FROM entry AS e
    WHERE e.tenant = %(tenant)s AND e.position > %(followed)s AND e.account = ANY (%(accounts)s::bigint[])
) AS every
CROSS JOIN LATERAL (
    SELECT journal.kind, journal.occurred_at, journal.patient FROM journal
    WHERE journal.tenant = %(tenant)s AND journal.position = every.position OFFSET 0
) AS j
WHERE j.kind = ANY (%(kinds)s::bigint[])
  AND j.occurred_at >= %(since)s::timestamptz AND j.occurred_at < %(until)s::timestamptz
GROUP BY 1, 2
HAVING sum(every.amount) <> 0;

-- name: names_of
-- What accounts are called, by number.
SELECT a.id, a.kind, a.owner, a.currency
FROM unnest(%(ids)s::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM account WHERE account.tenant = %(tenant)s AND account.id = wanted.id OFFSET 0) AS a;

-- name: follow_alone
-- Whether this transaction is the tenant's follower; another one is at work otherwise.
SELECT pg_try_advisory_xact_lock(7310589, %(tenant)s::integer);

-- name: followed
-- Up to which position the index of entries is whole.
SELECT position FROM money_followed WHERE tenant = %(tenant)s;

-- name: lag
-- Up to which position the index is whole, and the newest position of the journal.
SELECT coalesce((SELECT position FROM money_followed WHERE tenant = %(tenant)s), 0),
       coalesce((SELECT max(position) FROM journal WHERE tenant = %(tenant)s), 0);

-- name: follow_until
-- The last of the next journal rows, and how many there are.
SELECT max(next.position), count(*) FROM (
    SELECT j.position FROM journal AS j
    WHERE j.tenant = %(tenant)s AND j.position > %(after)s AND j.position <= %(until)s
    ORDER BY j.position LIMIT %(limit)s
) AS next;

-- name: add_lines
-- Entries of journal rows behind a position up to another.
INSERT INTO account_line (account, day, position, leg, source, tenant, amount)
SELECT e.account, (e.posted_at AT TIME ZONE 'UTC')::date, e.position, e.leg - 1, e.source, e.tenant, e.amount
FROM entry AS e
WHERE e.tenant = %(tenant)s AND e.position > %(after)s AND e.position <= %(until)s;

-- name: add_days
-- What they add to the sums of days.
INSERT INTO account_day AS d (account, day, source, tenant, entries, amount)
SELECT e.account, (e.posted_at AT TIME ZONE 'UTC')::date, e.source, %(tenant)s, count(*), sum(e.amount)
FROM entry AS e
WHERE e.tenant = %(tenant)s AND e.position > %(after)s AND e.position <= %(until)s
GROUP BY 1, 2, 3
ON CONFLICT (account, day, source, tenant)
DO UPDATE SET entries = d.entries + excluded.entries, amount = d.amount + excluded.amount;

-- name: set_followed
-- Remember how far the index is whole.
INSERT INTO money_followed (tenant, position) VALUES (%(tenant)s, %(position)s)
ON CONFLICT (tenant) DO UPDATE SET position = excluded.position;

-- name: contract_sides
-- Who agreed on a price book: providers and payers.
SELECT DISTINCT provider, payer FROM contract WHERE tenant = %(tenant)s AND price_book = %(book)s;

-- name: books_of
-- Price books that parties agreed on.
SELECT DISTINCT price_book FROM contract
WHERE tenant = %(tenant)s AND (provider = ANY (%(parties)s::text[]) OR payer = ANY (%(parties)s::text[]));

-- name: undone
-- Of these rows, those that belong to a chain of rows, each in the place of another, which together move nothing on
-- these accounts.
WITH RECURSIVE chain (start, position) AS (
    SELECT wanted.position, wanted.position FROM unnest(%(positions)s::bigint[]) AS wanted (position)
    UNION
    SELECT chain.start, near.position
    FROM chain
    CROSS JOIN LATERAL (
        SELECT later.position FROM journal AS later
        WHERE later.supersedes = int8send(chain.position) AND later.supersedes <> '' AND later.tenant = %(tenant)s
        UNION ALL
        SELECT ('x' || encode(own.supersedes, 'hex'))::bit(64)::bigint FROM journal AS own
        WHERE own.tenant = %(tenant)s AND own.position = chain.position AND own.supersedes <> ''
    ) AS near (position)
)
SELECT chain.start FROM chain
JOIN entry AS e ON e.tenant = %(tenant)s AND e.position = chain.position AND e.account = ANY (%(accounts)s::bigint[])
GROUP BY chain.start
HAVING sum(e.amount) = 0;
