-- Keys, machines and what hangs on them. One row by its id before the tenant is known (app.credential, see
-- migrations/0002_service.sql); everything else within a tenant.

-- name: name_credential
-- Before the tenant is known: which one row may be seen in this transaction.
SELECT set_config('app.credential', %(id)s, true);

-- name: versions
-- How often keys and machines were revoked or changed.
SELECT kind, version FROM identity_version;

-- name: raise_version
-- A key or machine changes: what processes remember of all of them holds no longer.
UPDATE identity_version SET version = version + 1 WHERE kind = %(kind)s RETURNING version;

-- name: find_key
-- One key.
SELECT id, tenant, environment, name, digest, pepper, roles, parties, scopes, created_at, created_by, expires_at,
       revoked_at, coalesce(replaces, ''), last_used_hour
FROM api_key WHERE id = %(id)s;

-- name: list_keys
-- Keys of a tenant, in order of id.
SELECT id, tenant, environment, name, digest, pepper, roles, parties, scopes, created_at, created_by, expires_at,
       revoked_at, coalesce(replaces, ''), last_used_hour
FROM api_key
WHERE tenant = %(tenant)s AND environment = %(environment)s AND id > %(after)s
  AND (NOT %(narrowed)s OR parties && %(parties)s::text[])
ORDER BY id LIMIT %(limit)s;

-- name: add_key
-- A new key.
INSERT INTO api_key (id, tenant, environment, name, digest, pepper, roles, parties, scopes, created_at, created_by,
                     expires_at, revoked_at, replaces)
VALUES (%(id)s, %(tenant)s, %(environment)s, %(name)s, %(digest)s, %(pepper)s, %(roles)s, %(parties)s, %(scopes)s,
        %(created_at)s, %(created_by)s, %(expires_at)s, %(revoked_at)s, nullif(%(replaces)s, ''));

-- name: end_key
-- An end comes nearer, never later.
UPDATE api_key
SET expires_at = least(expires_at, %(expires_at)s), revoked_at = coalesce(revoked_at, %(revoked_at)s)
WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: shorten_key
-- The key that another one follows lasts a while yet, unless it was revoked.
UPDATE api_key SET expires_at = least(expires_at, %(expires_at)s)
WHERE tenant = %(tenant)s AND id = %(id)s AND revoked_at IS NULL
RETURNING id;

-- name: touch_key
-- The hour of the last use.
UPDATE api_key SET last_used_hour = %(hour)s
WHERE tenant = %(tenant)s AND id = %(id)s AND (last_used_hour IS NULL OR last_used_hour < %(hour)s);

-- name: find_client
-- One machine.
SELECT id, tenant, environment, name, roles, parties, scopes, keys, created_at, created_by, generation, disabled_at
FROM client WHERE id = %(id)s;

-- name: list_clients
-- Machines of a tenant, in order of id.
SELECT id, tenant, environment, name, roles, parties, scopes, keys, created_at, created_by, generation, disabled_at
FROM client
WHERE tenant = %(tenant)s AND environment = %(environment)s AND id > %(after)s
  AND (NOT %(narrowed)s OR parties && %(parties)s::text[])
ORDER BY id LIMIT %(limit)s;

-- name: add_client
-- A new machine.
INSERT INTO client (id, tenant, environment, name, roles, parties, scopes, keys, created_at, created_by, generation,
                    disabled_at)
VALUES (%(id)s, %(tenant)s, %(environment)s, %(name)s, %(roles)s, %(parties)s, %(scopes)s, %(keys)s::jsonb,
        %(created_at)s, %(created_by)s, %(generation)s, %(disabled_at)s);

-- name: change_client
-- The next generation of a machine; nothing when another one was faster, unless this one is its end.
UPDATE client
SET name = %(name)s, roles = %(roles)s, parties = %(parties)s, scopes = %(scopes)s, keys = %(keys)s::jsonb,
    generation = generation + 1, disabled_at = coalesce(disabled_at, %(disabled_at)s)
WHERE tenant = %(tenant)s AND id = %(id)s
  AND (generation = %(generation)s - 1 OR %(disabled_at)s::timestamptz IS NOT NULL)
RETURNING generation;

-- name: first_use
-- A statement of a machine, once.
INSERT INTO used_statement (client, jti, until) VALUES (%(client)s, %(jti)s, %(until)s)
ON CONFLICT DO NOTHING RETURNING 1;

-- name: sweep_statements
-- Statements that have ended are refused for that.
DELETE FROM used_statement WHERE until < now() - interval '1 minute';

-- name: link_version
-- Links below this version were withdrawn.
SELECT version FROM receipt_link WHERE tenant = %(tenant)s AND receipt = %(receipt)s;

-- name: raise_link_version
-- Withdraw links; a version never falls.
INSERT INTO receipt_link AS l (tenant, receipt, version) VALUES (%(tenant)s, %(receipt)s, %(version)s)
ON CONFLICT (tenant, receipt) DO UPDATE SET version = greatest(l.version, excluded.version);

-- name: take_try
-- One try, if there is one left; nothing otherwise. The row is locked first, so that no two count the same.
INSERT INTO receipt_try AS r (tenant, receipt, version, taken)
VALUES (%(tenant)s, %(receipt)s, %(version)s, ARRAY[%(at)s::timestamptz])
ON CONFLICT (tenant, receipt, version) DO UPDATE SET taken = r.taken || excluded.taken
WHERE cardinality(r.taken) < %(in_all)s
  AND (SELECT count(*) FROM unnest(r.taken) AS t (at) WHERE t.at > %(since)s) < %(in_window)s
RETURNING 1;

-- name: forget_tries
-- Begin anew.
DELETE FROM receipt_try WHERE tenant = %(tenant)s AND receipt = %(receipt)s AND version = %(version)s;
