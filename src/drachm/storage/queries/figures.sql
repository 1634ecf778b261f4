-- Figures of many charges: how they follow the journal (as the writer), and how they are read (as the reader).

-- name: follow_alone
-- Whether this transaction is the tenant's only one that folds; another has to wait for its end.
SELECT pg_try_advisory_xact_lock(7310590, %(tenant)s::integer);

-- name: follow_alone_at_last
-- The same, waiting.
SELECT pg_advisory_xact_lock(7310590, %(tenant)s::integer);

-- name: followed
-- Up to which position the figures are whole, and up to which the readers' index is.
SELECT coalesce((SELECT position FROM figure_followed WHERE tenant = %(tenant)s), 0),
       coalesce((SELECT position FROM journal_followed WHERE tenant = %(tenant)s), 0);

-- name: set_followed
-- Remember how far the figures are whole.
INSERT INTO figure_followed (tenant, position) VALUES (%(tenant)s, %(position)s)
ON CONFLICT (tenant) DO UPDATE SET position = excluded.position;

-- name: add_days
-- Add to the sums of days.
INSERT INTO figure_day (tenant, provider, day, currency, charges, denied, billed, insurers, patients, due, forgone)
SELECT %(tenant)s, new.provider, new.day::date, new.currency, new.charges, new.denied, new.billed::numeric,
       new.insurers::numeric, new.patients::numeric, new.due::numeric, new.forgone::numeric
FROM unnest(%(providers)s::text[], %(days)s::text[], %(currencies)s::text[], %(charges)s::bigint[], %(denied)s::bigint[],
            %(billed)s::text[], %(insurers)s::text[], %(patients)s::text[], %(due)s::text[],
            %(forgone)s::text[])
     AS new (provider, day, currency, charges, denied, billed, insurers, patients, due, forgone)
ON CONFLICT (tenant, provider, day, currency) DO UPDATE
SET charges = figure_day.charges + excluded.charges, denied = figure_day.denied + excluded.denied,
    billed = figure_day.billed + excluded.billed, insurers = figure_day.insurers + excluded.insurers,
    patients = figure_day.patients + excluded.patients, due = figure_day.due + excluded.due,
    forgone = figure_day.forgone + excluded.forgone;

-- name: add_mix
-- Add to the sums of kinds of care and of refusals.
INSERT INTO figure_mix (tenant, provider, month, currency, what, word, charges, agreed)
SELECT %(tenant)s, new.provider, new.month::date, new.currency, new.what, new.word, new.charges, new.agreed::numeric
FROM unnest(%(providers)s::text[], %(months)s::text[], %(currencies)s::text[], %(whats)s::bigint[], %(words)s::bytea[],
            %(charges)s::bigint[], %(agreed)s::text[])
     AS new (provider, month, currency, what, word, charges, agreed)
ON CONFLICT (tenant, provider, month, currency, what, word) DO UPDATE
SET charges = figure_mix.charges + excluded.charges, agreed = figure_mix.agreed + excluded.agreed;

-- name: add_words
-- Words that were not met before, sealed.
INSERT INTO figure_word (tenant, word, sealed)
SELECT %(tenant)s, new.word, new.sealed FROM unnest(%(words)s::bytea[], %(sealed)s::bytea[]) AS new (word, sealed)
ON CONFLICT DO NOTHING;

-- name: add_times
-- Add to how long answers took.
INSERT INTO figure_time (tenant, provider, day, measure, at_most, number)
SELECT %(tenant)s, new.provider, new.day::date, new.measure, new.at_most, new.number
FROM unnest(%(providers)s::text[], %(days)s::text[], %(measures)s::bigint[], %(edges)s::bigint[], %(numbers)s::bigint[])
     AS new (provider, day, measure, at_most, number)
ON CONFLICT (tenant, provider, day, measure, at_most) DO UPDATE SET number = figure_time.number + excluded.number;

-- name: add_hours
-- Add to what each half hour answered.
INSERT INTO figure_hour (tenant, began, status, at_most, number)
SELECT %(tenant)s, new.began::timestamptz, new.status, new.at_most, new.number
FROM unnest(%(began)s::text[], %(statuses)s::bigint[], %(edges)s::bigint[], %(numbers)s::bigint[])
     AS new (began, status, at_most, number)
ON CONFLICT (tenant, began, status, at_most) DO UPDATE SET number = figure_hour.number + excluded.number;

-- name: add_books
-- Add what the entries of care (kinds 1 to 7) behind a position say that providers are owed.
INSERT INTO figure_books (tenant, provider, currency, posted)
SELECT %(tenant)s, a.owner, a.currency, -sum(j.legs[2 * leg.n])
FROM journal AS j CROSS JOIN LATERAL generate_series(1, cardinality(j.legs) / 2) AS leg (n)
JOIN account AS a ON a.tenant = j.tenant AND a.id = j.legs[2 * leg.n - 1]
WHERE j.tenant = %(tenant)s AND j.position > %(after)s AND j.position <= %(until)s AND j.kind <= 7
  AND a.kind = 'provider_payable'
GROUP BY a.owner, a.currency
ON CONFLICT (tenant, provider, currency) DO UPDATE SET posted = figure_books.posted + excluded.posted;

-- name: legs_of
-- What some rows did to whom: of rows that cannot be opened any more.
SELECT e.position, a.kind, a.owner, a.currency, e.amount
FROM entry AS e JOIN account AS a ON a.tenant = e.tenant AND a.id = e.account
WHERE e.tenant = %(tenant)s AND e.position = ANY (%(positions)s::bigint[]);

-- name: drop_days
-- Forget the sums of days.
DELETE FROM figure_day WHERE tenant = %(tenant)s;

-- name: drop_mix
-- Forget the kinds of care and refusals.
DELETE FROM figure_mix WHERE tenant = %(tenant)s;

-- name: drop_times
-- Forget how long answers took.
DELETE FROM figure_time WHERE tenant = %(tenant)s;

-- name: drop_hours
-- Forget what each half hour answered.
DELETE FROM figure_hour WHERE tenant = %(tenant)s;

-- name: drop_books
-- Forget what the entries said.
DELETE FROM figure_books WHERE tenant = %(tenant)s;

-- name: sums
-- What stands of charges of some days, by currency.
SELECT d.currency, sum(d.charges)::bigint, sum(d.denied)::bigint, sum(d.billed), sum(d.insurers), sum(d.patients), sum(d.due),
       sum(d.forgone)
FROM figure_day AS d
WHERE d.tenant = %(tenant)s AND (%(all)s::boolean OR d.provider = ANY (%(parties)s::text[]))
  AND d.day >= %(since)s::date AND d.day <= %(until)s::date
GROUP BY d.currency HAVING sum(d.charges) > 0 ORDER BY sum(d.charges) DESC, d.currency;

-- name: months
-- Months with charges, newest first.
SELECT date_trunc('month', d.day)::date AS month, sum(d.charges)::bigint
FROM figure_day AS d
WHERE d.tenant = %(tenant)s AND (%(all)s::boolean OR d.provider = ANY (%(parties)s::text[]))
GROUP BY 1 HAVING sum(d.charges) > 0 ORDER BY 1 DESC;

-- name: ageing
-- What insurers and patients still owe, by how many days ago the care was: the first step whose last day it is not older
-- than.
SELECT d.currency, width_bucket(greatest(%(today)s::date - d.day, 0), %(steps)s::bigint[]), sum(d.insurers), sum(d.due)
FROM figure_day AS d
WHERE d.tenant = %(tenant)s AND (%(all)s::boolean OR d.provider = ANY (%(parties)s::text[]))
GROUP BY 1, 2 HAVING sum(d.insurers) <> 0 OR sum(d.due) <> 0 ORDER BY 1, 2;

-- name: mix
-- Kinds of care (1) or refusals (2) of some months.
SELECT m.currency, w.sealed, m.word, sum(m.charges)::bigint, sum(m.agreed)
FROM figure_mix AS m JOIN figure_word AS w ON w.tenant = m.tenant AND w.word = m.word
WHERE m.tenant = %(tenant)s AND (%(all)s::boolean OR m.provider = ANY (%(parties)s::text[])) AND m.what = %(what)s::smallint
  AND m.month >= %(since)s::date AND m.month <= %(until)s::date
GROUP BY 1, 2, 3 HAVING sum(m.charges) > 0;

-- name: times
-- How long answers of some days took.
SELECT t.measure, t.at_most, sum(t.number)::bigint
FROM figure_time AS t
WHERE t.tenant = %(tenant)s AND (%(all)s::boolean OR t.provider = ANY (%(parties)s::text[]))
  AND t.day >= %(since)s::date AND t.day <= %(until)s::date
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: hours
-- What was answered since a moment, by half hour.
SELECT h.began, h.status, h.at_most, h.number FROM figure_hour AS h
WHERE h.tenant = %(tenant)s AND h.began >= %(since)s::timestamptz ORDER BY h.began, h.status, h.at_most;

-- name: queue
-- What waits, by reason and by when it came first.
SELECT q.reason, count(*), min(i.posted_at), count(*) FILTER (WHERE i.posted_at >= %(hour)s::timestamptz),
       count(*) FILTER (WHERE i.posted_at < %(hour)s::timestamptz AND i.posted_at >= %(day)s::timestamptz),
       count(*) FILTER (WHERE i.posted_at < %(day)s::timestamptz AND i.posted_at >= %(week)s::timestamptz),
       count(*) FILTER (WHERE i.posted_at < %(week)s::timestamptz)
FROM journal_index AS i
JOIN work_queue AS q ON q.tenant = i.tenant AND q.key = i.key
WHERE i.tenant = %(tenant)s AND i.revision = 0 AND i.now = 2 AND (%(all)s::boolean OR i.provider = ANY (%(parties)s::text[]))
GROUP BY q.reason ORDER BY 2 DESC, 1;

-- name: books
-- For each currency: what the lines add up to, and what the entries say, of one moment.
SELECT currency, sum(lines), sum(posted) FROM (
    SELECT d.currency, d.insurers + d.patients AS lines, 0 AS posted FROM figure_day AS d
    WHERE d.tenant = %(tenant)s AND (%(all)s::boolean OR d.provider = ANY (%(parties)s::text[]))
    UNION ALL
    SELECT b.currency, 0, b.posted FROM figure_books AS b
    WHERE b.tenant = %(tenant)s AND (%(all)s::boolean OR b.provider = ANY (%(parties)s::text[]))
) AS every
GROUP BY 1 ORDER BY 1;

-- name: newest_position
-- The newest row of the tenant's journal.
SELECT coalesce(max(position), 0) FROM journal WHERE tenant = %(tenant)s;
