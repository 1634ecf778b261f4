-- The register's version as it is when this is asked, not as it was when the statement began that asks: a function that is
-- volatile looks anew. So the statement that waits for a batch's locks tells what was registered while it waited.
CREATE FUNCTION register_version(of_tenant integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT version FROM tenant WHERE id = of_tenant);
END $$;
REVOKE EXECUTE ON FUNCTION register_version FROM PUBLIC;
GRANT EXECUTE ON FUNCTION register_version TO drachm_writer;
