-- Who is registered, page by page, always for one tenant and as the reader. Ids are compared byte by byte, whatever the
-- database's collation: a page begins where the last one ended, and pages of several sources can be joined. `only` are
-- the members of a caller who reaches nobody by a party: they are looked up instead of everybody being asked.

-- name: parties
-- Parties in order of id.
SELECT id, roles, name, zone, facts FROM party
WHERE tenant = %(tenant)s AND id COLLATE "C" > %(after)s
      AND (%(ids)s::text[] IS NULL OR id = ANY (%(ids)s::text[]))
      AND (cardinality(%(roles)s::text[]) = 0 OR roles && %(roles)s::text[])
ORDER BY id COLLATE "C" LIMIT %(limit)s;

-- name: members
-- Members in order of id: of these members, and of those whom these parties registered, treat or cover.
SELECT m.id, m.birth_date, m.sex, m.family, m.shard, m.facts FROM member AS m
WHERE m.tenant = %(tenant)s AND m.id COLLATE "C" > %(after)s
      AND (%(ids)s::text[] IS NULL OR m.id = ANY (%(ids)s::text[]))
      AND (%(only)s::text[] IS NULL OR m.id = ANY (%(only)s::text[]))
      AND (%(everybody)s OR m.id = ANY (%(members)s::text[])
           OR EXISTS (
               SELECT FROM coverage AS c
               WHERE c.tenant = %(tenant)s AND c.member = m.id AND c.plan = ANY (%(plans)s::text[]))
           OR EXISTS (
               SELECT FROM record AS r JOIN record_version AS v USING (tenant, kind, id, version)
               WHERE r.tenant = %(tenant)s AND r.kind = 'member_profile' AND r.id = m.id
                     AND v.parties && %(parties)s::text[])
           OR EXISTS (
               SELECT FROM journal_index AS j
               WHERE j.tenant = %(tenant)s AND j.member = m.id AND j.status < 2 AND j.parties && %(parties)s::text[]))
ORDER BY m.id COLLATE "C" LIMIT %(limit)s;

-- name: coverages
-- Coverages in order of id: of these members, of those whom these parties registered or treat, and what they pay.
SELECT c.id, c.member, c.plan, c.starts_on, c.ends_on, c.rank, c.policy, c.facts FROM coverage AS c
WHERE c.tenant = %(tenant)s AND c.id COLLATE "C" > %(after)s
      AND (%(ids)s::text[] IS NULL OR c.id = ANY (%(ids)s::text[]))
      AND (%(only)s::text[] IS NULL OR c.member = ANY (%(only)s::text[]))
      AND (%(of)s = '' OR c.member = %(of)s)
      AND (%(everybody)s OR c.member = ANY (%(members)s::text[])
           OR c.plan = ANY (%(plans)s::text[])
           OR EXISTS (
               SELECT FROM record AS r JOIN record_version AS v USING (tenant, kind, id, version)
               WHERE r.tenant = %(tenant)s AND r.kind = 'member_profile' AND r.id = c.member
                     AND v.parties && %(parties)s::text[])
           OR EXISTS (
               SELECT FROM journal_index AS j
               WHERE j.tenant = %(tenant)s AND j.member = c.member AND j.status < 2 AND j.provider = ANY (%(parties)s::text[])))
ORDER BY c.id COLLATE "C" LIMIT %(limit)s;

-- name: families
-- Families that somebody belongs to now: of these members, and of those whom these payers cover.
SELECT DISTINCT m.family COLLATE "C" FROM member AS m
WHERE m.tenant = %(tenant)s AND m.family COLLATE "C" > %(after)s
      AND (%(only)s::text[] IS NULL OR m.id = ANY (%(only)s::text[]))
      AND (%(everybody)s OR m.id = ANY (%(members)s::text[]) OR EXISTS (
          SELECT FROM coverage AS c
          WHERE c.tenant = %(tenant)s AND c.member = m.id AND c.plan = ANY (%(plans)s::text[])))
ORDER BY 1 LIMIT %(limit)s;

-- name: contracts
-- Every term of the contracts behind a provider and payer, or of one contract.
WITH wanted AS (
    SELECT DISTINCT provider COLLATE "C" AS provider, payer COLLATE "C" AS payer FROM contract
    WHERE tenant = %(tenant)s AND (provider COLLATE "C", payer COLLATE "C") > (%(provider)s, %(payer)s)
          AND (%(everybody)s OR provider = ANY (%(parties)s::text[]) OR payer = ANY (%(parties)s::text[]))
          AND (%(id)s = '\x'::bytea OR %(id)s = substring(sha256(convert_to(
              %(tenant)s::text || chr(31) || 'contract' || chr(31) || provider || chr(31) || payer, 'UTF8')) FOR 16))
    ORDER BY 1, 2 LIMIT %(limit)s
)
SELECT c.provider, c.payer, c.price_book, c.starts_on, c.ends_on, c.network
FROM wanted JOIN contract AS c ON c.tenant = %(tenant)s AND c.provider = wanted.provider AND c.payer = wanted.payer
ORDER BY wanted.provider, wanted.payer, c.starts_on;

-- name: pots
-- A member's pots.
SELECT id, member, currency, 0, priority, pocket, state, fund, slices, terms, purpose, frozen FROM pot
WHERE tenant = %(tenant)s AND member = %(member)s
ORDER BY id COLLATE "C";

-- name: family
-- Who is registered in a family.
SELECT id, birth_date, sex, family, shard, facts FROM member
WHERE tenant = %(tenant)s AND family = %(family)s
ORDER BY id COLLATE "C";

-- name: plan_count
-- How many plan documents are published; none is ever taken back.
SELECT count(*) FROM document WHERE tenant = %(tenant)s AND kind = 'plan';

-- name: payers
-- Which payers stand in the published versions of each plan.
SELECT DISTINCT id, coalesce(body::jsonb ->> 'payer', '') FROM document
WHERE tenant = %(tenant)s AND kind = 'plan';

-- name: price_books
-- Which price books are published.
SELECT DISTINCT id FROM document WHERE tenant = %(tenant)s AND kind = 'price_book';

-- name: alone
-- Wait until nobody else changes this tenant's register through the service; holds until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('drachm register', %(tenant)s));

-- name: mandate
-- What a member lets be paid without asking.
SELECT mandate FROM member WHERE tenant = %(tenant)s AND id = %(member)s AND mandate IS NOT NULL;

-- name: budgeted
-- Members whose mandate has a budget.
SELECT id FROM member WHERE tenant = %(tenant)s AND jsonb_array_length(mandate -> 1) > 0;
