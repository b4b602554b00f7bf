-- STORE as one statement and its own transaction.

-- The arguments and what is returned: see change_flags of the organisation.
CREATE FUNCTION public.flag_emails(p_tenant uuid, p_folders uuid[], p_ops text[], p_flags int[], p_keywords text[],
    p_readers text[], p_of int[], p_uids bigint[])
RETURNS TABLE (folder_id uuid, uid bigint, modseq bigint, seen boolean, answered boolean, flagged boolean,
    deleted boolean, draft boolean, keywords text[])
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.enter_tenant(p_tenant);
    RETURN QUERY EXECUTE 'SELECT * FROM change_flags($1, $2, $3, $4, $5, $6, $7)'
        USING p_folders, p_ops, p_flags, p_keywords, p_readers, p_of, p_uids;
END $$;
COMMENT ON FUNCTION public.flag_emails IS 'Changes flags in folders of one organisation, all of them or none.';
REVOKE ALL ON FUNCTION public.flag_emails FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.flag_emails TO koltrix_tenant;
