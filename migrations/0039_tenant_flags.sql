-- Run in every org schema: STORE for several folders at once.

DROP FUNCTION store_flags;

-- Changes flags: what is asked of one folder each, no folder twice. Each of the first five
-- arguments has one element for each of them:
--
-- p_ops: add, remove or replace.
-- p_flags: the system flags given: 1 seen, 2 answered, 4 flagged, 8 deleted, 16 draft.
-- p_keywords: the keywords given, separated by a space.
-- p_readers: who reads what becomes \Seen; NULL: it was a rule, and nobody has read anything.
-- p_of, p_uids: the messages, each with the number of its folder among p_folders.
--
-- Returns every entry that is still there, changed or not.
CREATE FUNCTION change_flags(
    p_folders uuid[], p_ops text[], p_flags int[], p_keywords text[], p_readers text[], p_of int[], p_uids bigint[])
RETURNS TABLE (folder_id uuid, uid bigint, modseq bigint, seen boolean, answered boolean, flagged boolean,
    deleted boolean, draft boolean, keywords text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_there uuid[];
    v_folders uuid[] := '{}';
    v_unseen bigint[] := '{}';
    v_read uuid[] := '{}';
    v_read_in uuid[] := '{}';
    v_readers text[] := '{}';
    v_at int;
    r record;
BEGIN
    SELECT array_agg(f.id) INTO v_there
        FROM (SELECT l.id FROM folders l WHERE l.id = ANY (p_folders) ORDER BY l.id FOR UPDATE) f;
    IF cardinality(v_there) IS DISTINCT FROM cardinality(p_folders) THEN
        RAISE EXCEPTION 'one of these folders is not there: %', p_folders USING ERRCODE = 'no_data_found';
    END IF;
    FOR r IN
        WITH wanted AS (
            SELECT a.folder, a.reader, e.id, e.email_id, e.uid, e.modseq, f.highestmodseq + 1 AS next, e.seen AS was_seen,
                CASE WHEN a.flags & 1 <> 0 THEN a.op <> 'remove' ELSE e.seen AND a.op <> 'replace' END AS seen,
                CASE WHEN a.flags & 2 <> 0 THEN a.op <> 'remove' ELSE e.answered AND a.op <> 'replace' END AS answered,
                CASE WHEN a.flags & 4 <> 0 THEN a.op <> 'remove' ELSE e.flagged AND a.op <> 'replace' END AS flagged,
                CASE WHEN a.flags & 8 <> 0 THEN a.op <> 'remove' ELSE e.deleted AND a.op <> 'replace' END AS deleted,
                CASE WHEN a.flags & 16 <> 0 THEN a.op <> 'remove' ELSE e.draft AND a.op <> 'replace' END AS draft,
                CASE WHEN a.keywords = '' AND a.op <> 'replace' THEN e.keywords
                    ELSE public.merge_keywords(e.keywords, a.op, string_to_array(a.keywords, ' ')) END AS keywords
            FROM unnest(p_of, p_uids) AS u (n, uid)
            CROSS JOIN LATERAL (SELECT p_folders[u.n], p_ops[u.n], p_flags[u.n], p_keywords[u.n], p_readers[u.n])
                AS a (folder, op, flags, keywords, reader)
            JOIN folders f ON f.id = a.folder
            JOIN folder_entries e ON e.folder_id = a.folder AND e.uid = u.uid
        ), changed AS (
            UPDATE folder_entries e SET seen = w.seen, answered = w.answered, flagged = w.flagged, deleted = w.deleted,
                draft = w.draft, keywords = w.keywords, modseq = w.next
            FROM wanted w WHERE e.id = w.id
                AND (e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords)
                    IS DISTINCT FROM (w.seen, w.answered, w.flagged, w.deleted, w.draft, w.keywords)
            RETURNING e.id
        )
        SELECT w.*, c.id IS NOT NULL AS changed FROM wanted w LEFT JOIN changed c ON c.id = w.id
            ORDER BY w.folder, w.uid
    LOOP
        folder_id := r.folder;
        uid := r.uid;
        modseq := r.modseq;
        seen := r.seen;
        answered := r.answered;
        flagged := r.flagged;
        deleted := r.deleted;
        draft := r.draft;
        keywords := r.keywords;
        IF r.changed THEN
            modseq := r.next;
            v_at := cardinality(v_folders);
            IF v_at = 0 OR v_folders[v_at] <> r.folder THEN
                v_at := v_at + 1;
                v_folders[v_at] := r.folder;
                v_unseen[v_at] := 0;
            END IF;
            IF r.seen <> r.was_seen THEN
                v_unseen[v_at] := v_unseen[v_at] + CASE WHEN r.seen THEN -1 ELSE 1 END;
                IF r.seen AND r.reader IS NOT NULL THEN
                    v_read := v_read || r.email_id;
                    v_read_in := v_read_in || r.folder;
                    v_readers := v_readers || r.reader;
                END IF;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF cardinality(v_folders) = 0 THEN
        RETURN;
    END IF;
    UPDATE folders f SET highestmodseq = f.highestmodseq + 1, unseen_count = f.unseen_count + d.unseen
        FROM unnest(v_folders, v_unseen) AS d (id, unseen) WHERE f.id = d.id;
    IF cardinality(v_read) > 0 THEN
        INSERT INTO email_reads (email_id, address_id, reader, source)
            SELECT DISTINCT d.email, f.address_id, d.reader, 'imap'
            FROM unnest(v_read, v_read_in, v_readers) AS d (email, folder, reader) JOIN folders f ON f.id = d.folder
            ON CONFLICT ON CONSTRAINT email_reads_email_id_reader_source_key DO NOTHING;
    END IF;
    IF array_to_string(p_keywords, '') <> '' THEN
        INSERT INTO labels (address_id, keyword, name)
            SELECT f.address_id, k, k
            FROM unnest(p_folders, p_ops, p_keywords) AS a (folder, op, keywords)
            JOIN folders f ON f.id = a.folder, unnest(string_to_array(a.keywords, ' ')) k
            WHERE a.op <> 'remove' AND a.folder = ANY (v_folders) AND k NOT LIKE '$%'
            ON CONFLICT DO NOTHING;
    END IF;
END $$;
COMMENT ON FUNCTION change_flags IS 'IMAP STORE (RFC 3501 section 6.4.6); also called by public.flag_emails. A first \Seen becomes a row of email_reads.';
