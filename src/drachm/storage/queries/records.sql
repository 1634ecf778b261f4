-- Records of a tenant: read as drachm_reader, written as drachm_registrar, both held by row security. A body comes with
-- the wrapped data key that it was sealed under, as far as that key is still here. OFFSET 0: each row is looked up by its
-- whole key, also as long as the server has counted nothing in these tables.

-- name: not_erased_now
-- Until the end of the transaction nobody erases these people: see `alone_with_records` in `enrolment.sql`.
SELECT pg_advisory_xact_lock_shared(one) FROM unnest(%(patients)s::bigint[]) AS wanted (one);

-- name: newest
-- The newest version of one record.
SELECT v.id, v.version, v.patient, v.at, v.author, v.parties, v.members, v.body, k.wrapped
FROM record AS r
CROSS JOIN LATERAL (
    SELECT * FROM record_version
    WHERE tenant = r.tenant AND kind = r.kind AND id = r.id AND version = r.version OFFSET 0) AS v
LEFT JOIN LATERAL (SELECT wrapped FROM data_key WHERE tenant = v.tenant AND patient = v.patient OFFSET 0) AS k ON true
WHERE r.tenant = %(tenant)s AND r.kind = %(kind)s AND r.id = %(id)s;

-- name: history
-- Every version of one record, oldest first.
SELECT v.id, v.version, v.patient, v.at, v.author, v.parties, v.members, v.body, k.wrapped
FROM record_version AS v
LEFT JOIN LATERAL (SELECT wrapped FROM data_key WHERE tenant = v.tenant AND patient = v.patient OFFSET 0) AS k ON true
WHERE v.tenant = %(tenant)s AND v.kind = %(kind)s AND v.id = %(id)s
ORDER BY v.version;

-- name: page
-- Newest versions of a kind from behind an id.
SELECT v.id, v.version, v.patient, v.at, v.author, v.parties, v.members, v.body, k.wrapped
FROM (
    SELECT * FROM record WHERE tenant = %(tenant)s AND kind = %(kind)s AND id > %(after)s ORDER BY id LIMIT %(limit)s
) AS r
CROSS JOIN LATERAL (
    SELECT * FROM record_version
    WHERE tenant = r.tenant AND kind = r.kind AND id = r.id AND version = r.version OFFSET 0) AS v
LEFT JOIN LATERAL (SELECT wrapped FROM data_key WHERE tenant = v.tenant AND patient = v.patient OFFSET 0) AS k ON true
ORDER BY v.id;

-- name: rarest
-- Of several tags the one that the fewest records bear; beyond a thousand all are alike.
SELECT wanted.tag
FROM unnest(%(tags)s::bytea[]) AS wanted (tag)
CROSS JOIN LATERAL (
    SELECT count(*) AS many
    FROM (SELECT FROM record_tag WHERE tenant = %(tenant)s AND kind = %(kind)s AND tag = wanted.tag LIMIT 1000) AS bearer
) AS counted
ORDER BY counted.many LIMIT 1;

-- name: page_bearing
-- The same as `page`, of those that bear one tag of `either`, every tag of `each`, and, where `narrowed`, one of `within`.
SELECT v.id, v.version, v.patient, v.at, v.author, v.parties, v.members, v.body, k.wrapped
FROM (
    SELECT DISTINCT found.id
    FROM unnest(%(either)s::bytea[]) AS wanted (tag)
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM record_tag AS t
        WHERE t.tenant = %(tenant)s AND t.kind = %(kind)s AND t.tag = wanted.tag AND t.id > %(after)s
          AND (SELECT count(*) FROM record_tag AS o
               WHERE o.tenant = t.tenant AND o.kind = t.kind AND o.id = t.id
                 AND o.tag = ANY (%(each)s::bytea[])) = cardinality(%(each)s::bytea[])
          AND (NOT %(narrowed)s OR EXISTS (
                  SELECT FROM record_tag AS o
                  WHERE o.tenant = t.tenant AND o.kind = t.kind AND o.id = t.id AND o.tag = ANY (%(within)s::bytea[])))
        ORDER BY t.id
        LIMIT %(limit)s) AS found
    ORDER BY found.id
    LIMIT %(limit)s
) AS f
CROSS JOIN LATERAL (
    SELECT version FROM record WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = f.id OFFSET 0) AS r
CROSS JOIN LATERAL (
    SELECT * FROM record_version
    WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = f.id AND version = r.version OFFSET 0) AS v
LEFT JOIN LATERAL (SELECT wrapped FROM data_key WHERE tenant = v.tenant AND patient = v.patient OFFSET 0) AS k ON true
ORDER BY v.id;

-- name: by_time
-- The same in order of when the newest versions were written; of all of a kind where `either` names no tag.
SELECT v.id, v.version, v.patient, v.at, v.author, v.parties, v.members, v.body, k.wrapped
FROM (
    SELECT f.id, r.version
    FROM (
        SELECT DISTINCT t.id FROM record_tag AS t
        WHERE t.tenant = %(tenant)s AND t.kind = %(kind)s AND t.tag = ANY (%(either)s::bytea[])
          AND (SELECT count(*) FROM record_tag AS o
               WHERE o.tenant = t.tenant AND o.kind = t.kind AND o.id = t.id
                 AND o.tag = ANY (%(each)s::bytea[])) = cardinality(%(each)s::bytea[])
          AND (NOT %(narrowed)s OR EXISTS (
                  SELECT FROM record_tag AS o
                  WHERE o.tenant = t.tenant AND o.kind = t.kind AND o.id = t.id AND o.tag = ANY (%(within)s::bytea[])))
        UNION ALL
        SELECT every.id FROM record AS every
        WHERE cardinality(%(either)s::bytea[]) = 0 AND every.tenant = %(tenant)s AND every.kind = %(kind)s
    ) AS f
    CROSS JOIN LATERAL (
        SELECT version FROM record WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = f.id OFFSET 0) AS r
    CROSS JOIN LATERAL (
        SELECT at FROM record_version
        WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = f.id AND version = r.version OFFSET 0) AS w
    WHERE %(at)s::timestamptz IS NULL
       OR CASE WHEN %(newest)s THEN (w.at, f.id) < (%(at)s::timestamptz, %(after)s::text COLLATE "C")
               ELSE (w.at, f.id) > (%(at)s::timestamptz, %(after)s::text COLLATE "C") END
    ORDER BY CASE WHEN %(newest)s THEN w.at END DESC, CASE WHEN %(newest)s THEN f.id END DESC, w.at, f.id
    LIMIT %(limit)s
) AS shown
CROSS JOIN LATERAL (
    SELECT * FROM record_version
    WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = shown.id AND version = shown.version OFFSET 0) AS v
LEFT JOIN LATERAL (SELECT wrapped FROM data_key WHERE tenant = v.tenant AND patient = v.patient OFFSET 0) AS k ON true
ORDER BY CASE WHEN %(newest)s THEN v.at END DESC, CASE WHEN %(newest)s THEN v.id END DESC, v.at, v.id;

-- name: add
-- The first version of a record; nothing when there is one.
INSERT INTO record (tenant, kind, id, version) VALUES (%(tenant)s, %(kind)s, %(id)s, 1)
ON CONFLICT DO NOTHING RETURNING version;

-- name: follow
-- The version that takes the place of this one; nothing when it is not the newest any more.
UPDATE record SET version = version + 1
WHERE tenant = %(tenant)s AND kind = %(kind)s AND id = %(id)s AND version = %(version)s
RETURNING version;

-- name: add_version
-- What the version says.
INSERT INTO record_version (tenant, kind, id, version, patient, at, author, parties, members, tags, body)
VALUES (%(tenant)s, %(kind)s, %(id)s, %(version)s, %(patient)s, %(at)s, %(author)s, %(parties)s, %(members)s, %(tags)s,
        %(body)s);

-- name: drop_tags
-- Tags that the version before bore and this one does not.
DELETE FROM record_tag AS t USING record_version AS v
WHERE v.tenant = %(tenant)s AND v.kind = %(kind)s AND v.id = %(id)s AND v.version = %(version)s - 1
  AND t.tenant = v.tenant AND t.kind = v.kind AND t.id = v.id AND t.tag = ANY (v.tags)
  AND NOT t.tag = ANY (%(tags)s::bytea[]);

-- name: add_tags
-- Tags that this version bears.
INSERT INTO record_tag (tenant, kind, id, tag)
SELECT %(tenant)s, %(kind)s, %(id)s, new.tag FROM unnest(%(tags)s::bytea[]) AS new (tag) ORDER BY new.tag
ON CONFLICT DO NOTHING;
