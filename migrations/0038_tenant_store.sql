-- Run in every org schema: what STORE and every new message pay for.

-- A check is parsed again for every statement that writes the table: half of
-- what the update of a folder took. Functions alone write these columns.
ALTER TABLE folders DROP CONSTRAINT folders_counters_check;
ALTER TABLE folder_entries DROP CONSTRAINT folder_entries_uid_check;

-- STORE. p_flags names the system flags given: seen, answered, flagged, deleted, draft.
-- p_reader NULL: it was a rule that set the flags, and nobody has read anything.
-- Returns every entry that is still there, changed or not.
CREATE OR REPLACE FUNCTION store_flags(
    p_folder uuid, p_uids bigint[], p_op text, p_flags text[], p_keywords text[], p_reader text)
RETURNS TABLE (uid bigint, modseq bigint, seen boolean, answered boolean, flagged boolean, deleted boolean,
    draft boolean, keywords text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_modseq bigint;
    v_address uuid;
    v_read uuid[];
    v_unread bigint;
    v_changed bigint;
BEGIN
    SELECT f.highestmodseq + 1, f.address_id INTO v_modseq, v_address FROM folders f WHERE f.id = p_folder FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no folder %', p_folder USING ERRCODE = 'no_data_found';
    END IF;
    WITH wanted AS (
        SELECT e.id, e.seen AS was_seen,
            CASE WHEN 'seen' = ANY (p_flags) THEN p_op <> 'remove' ELSE e.seen AND p_op <> 'replace' END AS seen,
            CASE WHEN 'answered' = ANY (p_flags) THEN p_op <> 'remove' ELSE e.answered AND p_op <> 'replace' END AS answered,
            CASE WHEN 'flagged' = ANY (p_flags) THEN p_op <> 'remove' ELSE e.flagged AND p_op <> 'replace' END AS flagged,
            CASE WHEN 'deleted' = ANY (p_flags) THEN p_op <> 'remove' ELSE e.deleted AND p_op <> 'replace' END AS deleted,
            CASE WHEN 'draft' = ANY (p_flags) THEN p_op <> 'remove' ELSE e.draft AND p_op <> 'replace' END AS draft,
            CASE WHEN p_keywords = '{}' AND p_op <> 'replace' THEN e.keywords
                ELSE public.merge_keywords(e.keywords, p_op, p_keywords) END AS keywords
        FROM folder_entries e WHERE e.folder_id = p_folder AND e.uid = ANY (p_uids)
    ), changed AS (
        UPDATE folder_entries e SET seen = w.seen, answered = w.answered, flagged = w.flagged, deleted = w.deleted,
            draft = w.draft, keywords = w.keywords, modseq = v_modseq
        FROM wanted w WHERE e.id = w.id
            AND (e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords)
                IS DISTINCT FROM (w.seen, w.answered, w.flagged, w.deleted, w.draft, w.keywords)
        RETURNING e.email_id, w.was_seen, e.seen
    )
    SELECT count(*), count(*) FILTER (WHERE c.was_seen AND NOT c.seen),
        array_agg(c.email_id) FILTER (WHERE c.seen AND NOT c.was_seen)
        INTO v_changed, v_unread, v_read FROM changed c;
    IF v_changed > 0 THEN
        UPDATE folders f SET highestmodseq = v_modseq,
            unseen_count = f.unseen_count + v_unread - coalesce(cardinality(v_read), 0)
            WHERE f.id = p_folder;
        INSERT INTO email_reads (email_id, address_id, reader, source)
            SELECT DISTINCT r.id, v_address, p_reader, 'imap' FROM unnest(v_read) AS r (id)
            WHERE p_reader IS NOT NULL
            ON CONFLICT ON CONSTRAINT email_reads_email_id_reader_source_key DO NOTHING;
        IF p_op <> 'remove' THEN
            INSERT INTO labels (address_id, keyword, name)
                SELECT v_address, k, k FROM unnest(p_keywords) k WHERE k NOT LIKE '$%' ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    RETURN QUERY SELECT e.uid, e.modseq, e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords
        FROM folder_entries e WHERE e.folder_id = p_folder AND e.uid = ANY (p_uids) ORDER BY e.uid;
END $$;
