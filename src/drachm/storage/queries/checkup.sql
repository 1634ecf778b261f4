-- What `drachm doctor` asks the database, as whoever the service connects as.

-- name: server
-- Version as a number and in words, the server's time, whether commits are durable.
SELECT current_setting('server_version_num')::integer, current_setting('server_version'), clock_timestamp(),
       current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('data_checksums');

-- name: has_schema
-- Whether any migration was ever applied here.
SELECT to_regclass('public.schema_migration') IS NOT NULL;

-- name: applied
-- Which files were applied, and what they said.
SELECT name, sha256 FROM public.schema_migration;

-- name: roles
-- Our roles: whether we may act as them, and whether they pass row security.
SELECT rolname, pg_has_role(oid, 'MEMBER'), rolbypassrls, rolsuper, rolcanlogin FROM pg_roles
WHERE rolname IN ('drachm_writer', 'drachm_reader', 'drachm_registrar');

-- name: bare_tables
-- Tables of a tenant without forced row security, or without a policy.
SELECT c.relname FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity
           AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid))
ORDER BY c.relname;

-- name: tenants
-- Every tenant.
SELECT id FROM tenant ORDER BY id;

-- name: behind
-- How many rows of a tenant's journal its readers' index does not know yet; counted no further than matters.
SELECT count(*) FROM (
    SELECT FROM journal WHERE tenant = %(tenant)s
        AND position > coalesce((SELECT position FROM journal_followed WHERE tenant = %(tenant)s), 0)
    LIMIT 100000
) AS unknown_rows;

-- name: waiting
-- How many events of a tenant wait.
SELECT count(*) FROM work_queue WHERE tenant = %(tenant)s;
