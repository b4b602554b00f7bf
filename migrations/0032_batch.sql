-- Several messages of one organisation stored at once.

DROP FUNCTION public.store_email;

-- Stores messages for one organisation, all of them or none: email, source,
-- attachments, thread, an entry with UID and MODSEQ in every target folder.
-- Called alone it is its own transaction: one round trip for a delivery.
--
-- The work is done by the organisation's own deliver_emails(), so that plans
-- stay cached however often a connection goes from one organisation to another.
-- Each argument has one element for each message:
--
-- p_keys: dedup_key, or NULL.
-- p_versions: the directory_version that p_targets and p_actions were made by, or NULL; KX002 when it is no longer
--     the last one.
-- p_fields: the other small columns of emails by name, base_subject, and is_reply: whether the subject says so.
-- p_targets: [{"address_id", "folder_id"?, "folder"?, "special_use"?, "seen"?, "answered"?, "flagged"?, "draft"?,
--     "keywords"?}]; without a folder, or with one that is gone, the INBOX. One entry per folder.
-- p_actions: what the rules of the mailboxes want besides; see act_on_email. '{}' for nearly every message.
CREATE FUNCTION public.store_emails(
    p_tenant uuid, p_ids uuid[], p_keys bytea[], p_versions bigint[], p_sizes bigint[], p_fields jsonb[],
    p_texts text[], p_parts jsonb[], p_envelopes bytea[], p_bodies bytea[], p_body_structures bytea[],
    p_headers bytea[], p_skeletons bytea[], p_cuts jsonb[], p_attachments jsonb[], p_targets jsonb[],
    p_actions jsonb[])
RETURNS TABLE (email_id uuid, thread_id uuid, duplicate boolean,
    folder_ids uuid[], uids bigint[], modseqs bigint[], uidvalidities bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.enter_tenant(p_tenant);
    RETURN QUERY EXECUTE 'SELECT * FROM deliver_emails($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)'
        USING p_tenant, p_ids, p_keys, p_versions, p_sizes, p_fields, p_texts, p_parts, p_envelopes, p_bodies, p_body_structures, p_headers, p_skeletons,
            p_cuts, p_attachments, p_targets, p_actions;
END $$;
COMMENT ON FUNCTION public.store_emails IS 'Stores messages of one organisation with their folder entries; the one way a message gets in.';
REVOKE ALL ON FUNCTION public.store_emails FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.store_emails TO koltrix_tenant;
