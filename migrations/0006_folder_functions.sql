-- What IMAP does to folders, each one round trip. All run inside a transaction
-- that enter_tenant() opened: names without a schema are the organisation's.
-- Whoever changes a folder locks its row first, lowest id first, so that UIDs
-- and MODSEQs ascend in commit order and nobody waits in a circle.

-- Keywords after STORE; compared without regard to case, first spelling kept.
CREATE FUNCTION public.merge_keywords(p_old text[], p_op text, p_given text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_op
        WHEN 'replace' THEN p_given
        WHEN 'add' THEN p_old || ARRAY(
            SELECT g FROM unnest(p_given) g WHERE lower(g) NOT IN (SELECT lower(o) FROM unnest(p_old) o))
        ELSE ARRAY(
            SELECT o FROM unnest(p_old) o WHERE lower(o) NOT IN (SELECT lower(g) FROM unnest(p_given) g))
    END
$$;
COMMENT ON FUNCTION public.merge_keywords IS 'A list of keywords after add, remove or replace.';

-- STORE. p_flags names the system flags given: seen, answered, flagged, deleted, draft.
-- Returns every entry that is still there, changed or not.
CREATE FUNCTION public.store_flags(
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
            public.merge_keywords(e.keywords, p_op, p_keywords) AS keywords
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
            ON CONFLICT ON CONSTRAINT email_reads_email_id_reader_source_key DO NOTHING;
        IF p_op <> 'remove' THEN
            INSERT INTO labels (address_id, keyword, name)
                SELECT v_address, k, k FROM unnest(p_keywords) k WHERE k NOT LIKE '$%' ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    RETURN QUERY SELECT e.uid, e.modseq, e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords
        FROM folder_entries e WHERE e.folder_id = p_folder AND e.uid = ANY (p_uids) ORDER BY e.uid;
END $$;
COMMENT ON FUNCTION public.store_flags IS 'IMAP STORE (RFC 3501 section 6.4.6). A first \Seen becomes a row of email_reads.';

-- Takes entries out of a folder and remembers that they are gone.
-- p_uids NULL is every entry; p_only_deleted leaves those without \Deleted.
CREATE FUNCTION public.expunge_entries(p_folder uuid, p_uids bigint[], p_only_deleted boolean) RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_modseq bigint;
    v_uids bigint[];
    v_unseen bigint;
    v_size bigint;
BEGIN
    SELECT f.highestmodseq + 1 INTO v_modseq FROM folders f WHERE f.id = p_folder FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no folder %', p_folder USING ERRCODE = 'no_data_found';
    END IF;
    WITH gone AS (
        DELETE FROM folder_entries e USING emails m
        WHERE e.folder_id = p_folder AND m.id = e.email_id
            AND (p_uids IS NULL OR e.uid = ANY (p_uids)) AND (e.deleted OR NOT p_only_deleted)
        RETURNING e.uid, e.seen, m.size_bytes)
    SELECT array_agg(g.uid ORDER BY g.uid), count(*) FILTER (WHERE NOT g.seen), sum(g.size_bytes)
        INTO v_uids, v_unseen, v_size FROM gone g;
    IF v_uids IS NOT NULL THEN
        INSERT INTO expunged_entries (folder_id, uid, modseq) SELECT p_folder, u, v_modseq FROM unnest(v_uids) u;
        UPDATE folders f SET highestmodseq = v_modseq, message_count = f.message_count - cardinality(v_uids),
            unseen_count = f.unseen_count - v_unseen, size_bytes = f.size_bytes - v_size
            WHERE f.id = p_folder;
    END IF;
    RETURN QUERY SELECT unnest(v_uids);
END $$;
COMMENT ON FUNCTION public.expunge_entries IS 'IMAP EXPUNGE and UID EXPUNGE (RFC 4315), and the leaving half of MOVE.';

-- COPY, and with p_move MOVE. The copies get UIDs in the order of the originals.
CREATE FUNCTION public.copy_entries(p_from uuid, p_uids bigint[], p_to uuid, p_move boolean)
RETURNS TABLE (source_uid bigint, target_uid bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_target record;
    v_count bigint;
    v_unseen bigint;
    v_size bigint;
    v_sources bigint[];
BEGIN
    PERFORM 1 FROM folders f WHERE f.id IN (p_from, p_to) ORDER BY f.id FOR UPDATE;
    SELECT f.id, f.uidnext, f.highestmodseq + 1 AS modseq, f.address_id INTO v_target FROM folders f WHERE f.id = p_to;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no folder %', p_to USING ERRCODE = 'no_data_found';
    END IF;
    SELECT array_agg(e.uid ORDER BY e.uid), count(*), count(*) FILTER (WHERE NOT e.seen), sum(m.size_bytes)
        INTO v_sources, v_count, v_unseen, v_size
        FROM folder_entries e JOIN emails m ON m.id = e.email_id
        WHERE e.folder_id = p_from AND e.uid = ANY (p_uids);
    IF v_count = 0 THEN
        RETURN;
    END IF;
    INSERT INTO folder_entries (folder_id, email_id, uid, modseq, seen, answered, flagged, deleted, draft, keywords)
        SELECT p_to, e.email_id, v_target.uidnext - 1 + s.n, v_target.modseq,
            e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords
        FROM unnest(v_sources) WITH ORDINALITY AS s (uid, n)
        JOIN folder_entries e ON e.folder_id = p_from AND e.uid = s.uid;
    UPDATE folders f SET uidnext = f.uidnext + v_count, highestmodseq = v_target.modseq,
        message_count = f.message_count + v_count, unseen_count = f.unseen_count + v_unseen,
        size_bytes = f.size_bytes + v_size
        WHERE f.id = p_to;
    IF p_move THEN
        PERFORM public.expunge_entries(p_from, v_sources, false);
    ELSE
        PERFORM public.check_quota(v_target.address_id);
    END IF;
    RETURN QUERY SELECT s.uid, v_target.uidnext - 1 + s.n FROM unnest(v_sources) WITH ORDINALITY AS s (uid, n);
END $$;
COMMENT ON FUNCTION public.copy_entries IS 'IMAP COPY (RFC 3501 section 6.4.7) and MOVE (RFC 6851).';

REVOKE ALL ON FUNCTION public.store_flags, public.expunge_entries, public.copy_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.store_flags, public.expunge_entries, public.copy_entries TO koltrix_tenant;
