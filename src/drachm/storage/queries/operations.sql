-- Calls with an Idempotency-Key, written as drachm_registrar and read as drachm_reader. The database's clock counts.

-- name: claim
-- Claim a slot that nobody has, or whose claim has been left without an answer for too long; nothing otherwise.
INSERT INTO operation AS o (tenant, name, slot, content, claim, begun_at)
VALUES (%(tenant)s, %(name)s, %(slot)s, %(content)s, %(claim)s, clock_timestamp())
ON CONFLICT (tenant, name, slot) DO UPDATE SET claim = excluded.claim, begun_at = excluded.begun_at
WHERE o.answer IS NULL AND o.content = excluded.content
  AND o.begun_at < clock_timestamp() - make_interval(secs => %(seconds)s)
RETURNING claim;

-- name: slot
-- What is known of a slot.
SELECT content, answer, (SELECT wrapped FROM data_key WHERE tenant = %(tenant)s AND patient = %(patient)s)
FROM operation WHERE tenant = %(tenant)s AND name = %(name)s AND slot = %(slot)s;

-- name: finish
-- The answer; the first one stays. Whoever lost the claim keeps it all the same: both did the same work.
UPDATE operation SET answer = %(answer)s, done_at = clock_timestamp()
WHERE tenant = %(tenant)s AND name = %(name)s AND slot = %(slot)s AND answer IS NULL;

-- name: answers
-- Kept answers, by name and slot.
SELECT name, slot, answer, (SELECT wrapped FROM data_key WHERE tenant = %(tenant)s AND patient = %(patient)s)
FROM operation
WHERE tenant = %(tenant)s AND (name, slot) > (%(name)s::bytea, %(slot)s::bytea) AND answer IS NOT NULL
ORDER BY name, slot LIMIT %(limit)s;

-- name: answer_anew
-- Another answer in the place of one that tells of somebody who was erased.
UPDATE operation SET answer = %(answer)s
WHERE tenant = %(tenant)s AND name = %(name)s AND slot = %(slot)s AND answer IS NOT NULL;

-- name: release
-- The claim was for nothing.
DELETE FROM operation
WHERE tenant = %(tenant)s AND name = %(name)s AND slot = %(slot)s AND claim = %(claim)s AND answer IS NULL;

-- name: sweep
-- Some of what was kept long enough.
DELETE FROM operation AS o USING (
    SELECT name, slot FROM operation
    WHERE tenant = %(tenant)s AND done_at < clock_timestamp() - make_interval(days => %(days)s::integer)
    ORDER BY done_at LIMIT 20) AS old
WHERE o.tenant = %(tenant)s AND o.name = old.name AND o.slot = old.slot;

-- name: of_name
-- The calls of a caller with one key.
SELECT slot, begun_at, done_at, answer,
       (SELECT wrapped FROM data_key WHERE tenant = %(tenant)s AND patient = %(patient)s)
FROM operation
WHERE tenant = %(tenant)s AND name = %(name)s ORDER BY begun_at;
