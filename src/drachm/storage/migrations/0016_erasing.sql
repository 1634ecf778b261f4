-- Erasing a person takes away how they are registered, and what is derived of them and names them.
GRANT DELETE ON member, coverage, pot TO drachm_registrar;
GRANT SELECT (tenant, key, member), UPDATE (member, visit, source) ON journal_index TO drachm_registrar;

-- Of versions of records nothing is ever changed but this: of one that no key opens any more, who wrote it about whom.
GRANT UPDATE (author, members, parties) ON record_version TO drachm_registrar;
CREATE POLICY only_erased ON record_version AS RESTRICTIVE FOR UPDATE TO drachm_registrar USING (NOT EXISTS (
    SELECT FROM data_key
    WHERE data_key.tenant = record_version.tenant AND data_key.patient = record_version.patient));
