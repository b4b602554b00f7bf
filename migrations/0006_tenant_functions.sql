-- Run in every org schema: what happens to mail and folders, each one call.
--
-- These functions are every organisation's own, so that their plans are cached
-- once and stay right. Whoever calls them has entered the organisation: names
-- without a schema are its own. Whoever changes a folder locks its row first,
-- lowest id first, so that UIDs and MODSEQs ascend in commit order and nobody
-- waits in a circle.

-- Makes one thread of several: the oldest one stays. Returns it, or NULL when
-- none of them is left.
CREATE FUNCTION join_threads(p_threads uuid[]) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_kept uuid;
    v_gone uuid[];
BEGIN
    PERFORM 1 FROM threads t WHERE t.id = ANY (p_threads) ORDER BY t.id FOR UPDATE;
    SELECT t.id INTO v_kept FROM threads t WHERE t.id = ANY (p_threads) ORDER BY t.first_message_at, t.id LIMIT 1;
    v_gone := ARRAY(SELECT t.id FROM threads t WHERE t.id = ANY (p_threads) AND t.id <> v_kept);
    IF cardinality(v_gone) > 0 THEN
        UPDATE emails e SET thread_id = v_kept WHERE e.thread_id = ANY (v_gone);
        -- A ticket goes along, where the thread that stays has none.
        UPDATE tickets k SET thread_id = v_kept
            WHERE k.id = (SELECT min(x.id::text)::uuid FROM tickets x WHERE x.thread_id = ANY (v_gone))
                AND NOT EXISTS (SELECT 1 FROM tickets x WHERE x.thread_id = v_kept);
        UPDATE threads t SET message_count = t.message_count + g.messages,
                last_message_at = greatest(t.last_message_at, g.last)
            FROM (SELECT sum(x.message_count)::integer AS messages, max(x.last_message_at) AS last
                  FROM threads x WHERE x.id = ANY (v_gone)) g
            WHERE t.id = v_kept;
        DELETE FROM threads t WHERE t.id = ANY (v_gone);
    END IF;
    RETURN v_kept;
END $$;
COMMENT ON FUNCTION join_threads IS 'Makes one thread of several: a message has shown that they are one conversation.';

-- The thread of an answer that does not say what it answers: the same subject
-- within 30 days, its sender among the people of a message there, and that
-- message's sender among its own.
CREATE FUNCTION thread_by_subject(p_fields jsonb) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_people text[] := ARRAY(SELECT lower(x ->> 'address')
        FROM jsonb_path_query(p_fields -> 'recipients', '$.*[*]') x);
    v_sender text := lower(p_fields ->> 'from_address');
BEGIN
    IF p_fields ->> 'base_subject' = '' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT t.id FROM (
            SELECT x.id, x.last_message_at FROM threads x
            WHERE x.base_subject = p_fields ->> 'base_subject' AND x.last_message_at > now() - interval '30 days'
            ORDER BY x.last_message_at DESC LIMIT 20) t
        WHERE EXISTS (
            SELECT 1 FROM emails e WHERE e.thread_id = t.id AND lower(e.from_address) = ANY (v_people)
                AND EXISTS (SELECT 1 FROM jsonb_path_query(e.recipients, '$.*[*]') x
                            WHERE lower(x ->> 'address') = v_sender))
        ORDER BY t.last_message_at DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION thread_by_subject IS 'The thread of the same subject among the same people, where nothing else tells.';

-- What public.store_email does, once it is inside.
CREATE FUNCTION deliver_email(
    p_tenant uuid, p_fields jsonb, p_text text, p_parts jsonb, p_envelope bytea, p_body bytea,
    p_body_structure bytea,
    p_header bytea, p_skeleton bytea, p_cuts jsonb, p_attachments jsonb, p_targets jsonb, p_actions jsonb,
    OUT email_id uuid, OUT thread_id uuid, OUT duplicate boolean,
    OUT folder_ids uuid[], OUT uids bigint[], OUT modseqs bigint[], OUT uidvalidities bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    v_key bytea := decode(p_fields ->> 'dedup_key', 'hex');
    v_size bigint := (p_fields ->> 'size_bytes')::bigint;
    v_message_id text := p_fields ->> 'message_id';
    v_references text[] := '{}';
    v_in_reply_to text[] := '{}';
    v_candidates text[];
    v_threads uuid[] := '{}';
    v_received_at timestamptz;
    v_targets jsonb := p_targets;
    v_target record;
    v_folder record;
    v_tenant record;
BEGIN
    folder_ids := '{}'; uids := '{}'; modseqs := '{}'; uidvalidities := '{}';

    -- The same message again (a peer that missed our 250): say yes, store nothing.
    duplicate := false;
    IF v_key IS NOT NULL THEN
        SELECT e.id, e.thread_id, e.received_at INTO email_id, thread_id, v_received_at FROM emails e WHERE e.dedup_key = v_key;
        IF FOUND AND v_received_at > now() - interval '72 hours' THEN
            duplicate := true;
            RETURN;
        ELSIF FOUND THEN
            UPDATE emails e SET dedup_key = NULL WHERE e.dedup_key = v_key;
        END IF;
    END IF;
    email_id := coalesce((p_fields ->> 'id')::uuid, gen_random_uuid());

    -- What the rules of the mailboxes want, first: it may change who gets it where.
    IF p_actions <> '{}' THEN
        v_targets := act_on_email(p_tenant, email_id, p_actions, v_targets);
    END IF;

    -- The thread: that of the ancestors and of the children that are here, which this message
    -- may be what joins; else that of a sibling; else that of the same subject among the same people.
    IF p_fields -> 'in_reply_to' <> '[]' OR p_fields -> 'reference_ids' <> '[]' THEN
        v_references := ARRAY(SELECT jsonb_array_elements_text(p_fields -> 'reference_ids'));
        v_in_reply_to := ARRAY(SELECT jsonb_array_elements_text(p_fields -> 'in_reply_to'));
        v_candidates := v_in_reply_to || v_references;
        v_threads := ARRAY(SELECT DISTINCT e.thread_id FROM emails e WHERE e.message_id = ANY (v_candidates));
    END IF;
    IF v_message_id IS NOT NULL THEN
        v_threads := v_threads || ARRAY(SELECT DISTINCT e.thread_id FROM emails e
            WHERE e.reference_ids @> ARRAY[v_message_id] AND e.reference_ids <> '{}');
    END IF;
    IF cardinality(v_threads) > 1 THEN
        thread_id := join_threads(v_threads);
    ELSIF cardinality(v_threads) = 1 THEN
        thread_id := v_threads[1];
    ELSIF v_candidates IS NOT NULL THEN
        SELECT e.thread_id INTO thread_id FROM emails e
            WHERE e.reference_ids && v_candidates AND e.reference_ids <> '{}' LIMIT 1;
    END IF;
    IF thread_id IS NULL AND p_fields ->> 'subject' ~* '^\s*(re|fwd?)\s*(\[[^]]*\])?\s*:' THEN
        thread_id := thread_by_subject(p_fields);
    END IF;
    IF thread_id IS NOT NULL THEN
        UPDATE threads t SET message_count = t.message_count + 1, last_message_at = now() WHERE t.id = thread_id;
        -- It may have been joined to another one at this moment.
        IF NOT FOUND THEN
            thread_id := NULL;
        END IF;
    END IF;
    IF thread_id IS NULL THEN
        INSERT INTO threads AS t (base_subject) VALUES (p_fields ->> 'base_subject') RETURNING t.id INTO thread_id;
    END IF;

    INSERT INTO emails (id, thread_id, source, queue_id, dedup_key, reverse_path, message_id, in_reply_to, reference_ids,
            subject, from_address, from_name, recipients, sent_at, internal_date, size_bytes, header_bytes,
            envelope, body, body_structure, parts, text_body, snippet, has_attachments, verdict, spam_score,
            orphaned_at)
        VALUES (email_id, thread_id, p_fields ->> 'source', (p_fields ->> 'queue_id')::uuid, v_key, p_fields ->> 'reverse_path',
            v_message_id, v_in_reply_to, v_references || v_in_reply_to,
            p_fields ->> 'subject', p_fields ->> 'from_address', p_fields ->> 'from_name', p_fields -> 'recipients',
            to_timestamp((p_fields ->> 'sent_at')::double precision),
            coalesce(to_timestamp((p_fields ->> 'internal_date')::double precision), now()),
            v_size, octet_length(p_header), p_envelope, p_body, p_body_structure, p_parts, p_text, p_fields ->> 'snippet',
            jsonb_array_length(p_attachments) > 0, coalesce(p_fields -> 'verdict', '{}'),
            (p_fields ->> 'spam_score')::real,
            CASE WHEN jsonb_array_length(v_targets) = 0 THEN now() END);
    INSERT INTO email_sources (id, header, skeleton, cuts) VALUES (email_id, p_header, p_skeleton, p_cuts);
    IF jsonb_array_length(p_attachments) > 0 THEN
        INSERT INTO attachments (email_id, section, filename, content_type, disposition, content_id, size_bytes,
                sha256, bucket, object_key, encoded)
            SELECT deliver_email.email_id, a.section, a.filename, a.content_type, a.disposition, a.content_id, a.size_bytes,
                decode(a.sha256, 'hex'), a.bucket, a.object_key, coalesce(a.encoded, false)
            FROM jsonb_to_recordset(p_attachments) AS a (section text, filename text, content_type text, disposition text,
                content_id text, size_bytes bigint, sha256 text, bucket text, object_key text, encoded boolean);
    END IF;

    -- Folders in one order everywhere, so that two deliveries never wait for each other.
    FOR v_target IN
        SELECT DISTINCT ON (f.id) f.id, t.*,
            a.quota_messages IS NOT NULL OR coalesce(a.quota_bytes, o.default_quota_bytes) IS NOT NULL AS has_quota
        FROM jsonb_to_recordset(v_targets) AS t (address_id uuid, folder_id uuid, folder text, special_use text,
            seen boolean, answered boolean, flagged boolean, deleted boolean, draft boolean, keywords text[])
        JOIN LATERAL (
            SELECT x.id FROM folders x
            WHERE x.address_id = t.address_id
                AND (x.special_use = 'inbox' OR x.id = t.folder_id OR x.name = t.folder OR x.special_use = t.special_use)
            ORDER BY x.id IS NOT DISTINCT FROM t.folder_id DESC, x.name IS NOT DISTINCT FROM t.folder DESC,
                x.special_use IS NOT DISTINCT FROM t.special_use DESC LIMIT 1) f ON true
        JOIN public.email_addresses a ON a.id = t.address_id
        JOIN public.tenants o ON o.id = p_tenant
        ORDER BY f.id
    LOOP
        UPDATE folders f SET uidnext = f.uidnext + 1, highestmodseq = f.highestmodseq + 1,
                message_count = f.message_count + 1, size_bytes = f.size_bytes + v_size,
                unseen_count = f.unseen_count + CASE WHEN v_target.seen THEN 0 ELSE 1 END
            WHERE f.id = v_target.id
            RETURNING f.uidnext - 1 AS uid, f.highestmodseq AS modseq, f.uidvalidity INTO STRICT v_folder;
        INSERT INTO folder_entries (folder_id, email_id, uid, modseq, seen, answered, flagged, deleted, draft, keywords)
            VALUES (v_target.id, email_id, v_folder.uid, v_folder.modseq, coalesce(v_target.seen, false),
                coalesce(v_target.answered, false), coalesce(v_target.flagged, false), coalesce(v_target.deleted, false),
                coalesce(v_target.draft, false), coalesce(v_target.keywords, '{}'));
        folder_ids := folder_ids || v_target.id;
        uids := uids || v_folder.uid;
        modseqs := modseqs || v_folder.modseq;
        uidvalidities := uidvalidities || v_folder.uidvalidity;
        IF v_target.has_quota THEN
            PERFORM check_quota(v_target.address_id);
        END IF;
    END LOOP;
    IF cardinality(folder_ids) = 0 AND jsonb_array_length(v_targets) > 0 THEN
        RAISE EXCEPTION 'no target folder of % is left', email_id USING ERRCODE = 'no_data_found';
    END IF;

    IF p_fields ->> 'source' IN ('smtp', 'system') THEN
        INSERT INTO public.analytics_events (tenant_id, event, email_id, properties)
            VALUES (p_tenant, 'email.received', email_id, jsonb_build_object('size', p_fields -> 'size_bytes'));
        SELECT t.first_mail_at IS NULL AS is_first, t.directory_version INTO STRICT v_tenant
            FROM public.tenants t WHERE t.id = p_tenant;
        -- Who decided where it goes may not have heard of the last change yet.
        IF v_tenant.directory_version <> (p_fields ->> 'directory_version')::bigint THEN
            RAISE EXCEPTION 'the directory of % has changed', p_tenant USING ERRCODE = 'KX002';
        END IF;
        IF v_tenant.is_first THEN
            PERFORM public.note_first_mail(p_tenant);
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION deliver_email IS 'Stores a message with its folder entries; called by public.store_email.';

-- Refuses what would put a mailbox over its quota.
CREATE FUNCTION check_quota(p_address uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_quota record;
    v_used record;
BEGIN
    SELECT coalesce(a.quota_bytes, t.default_quota_bytes) AS bytes, a.quota_messages AS messages INTO v_quota
        FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id WHERE a.id = p_address;
    IF v_quota.bytes IS NULL AND v_quota.messages IS NULL THEN
        RETURN;
    END IF;
    -- Two deliveries to two folders of one mailbox must see each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('quota ' || p_address, 0));
    SELECT sum(f.size_bytes) AS bytes, sum(f.message_count) AS messages INTO v_used FROM folders f WHERE f.address_id = p_address;
    IF v_used.bytes > v_quota.bytes OR v_used.messages > v_quota.messages THEN
        RAISE EXCEPTION 'mailbox % is over its quota', p_address USING ERRCODE = 'KX001';
    END IF;
END $$;
COMMENT ON FUNCTION check_quota IS 'Raises KX001 when a mailbox holds more than its quota; call it after the counters moved.';

-- STORE. p_flags names the system flags given: seen, answered, flagged, deleted, draft.
-- Returns every entry that is still there, changed or not.
CREATE FUNCTION store_flags(
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
COMMENT ON FUNCTION store_flags IS 'IMAP STORE (RFC 3501 section 6.4.6). A first \Seen becomes a row of email_reads.';

-- Takes entries out of a folder and remembers that they are gone.
-- p_uids NULL is every entry; p_only_deleted leaves those without \Deleted.
CREATE FUNCTION expunge_entries(p_folder uuid, p_uids bigint[], p_only_deleted boolean) RETURNS SETOF bigint
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
COMMENT ON FUNCTION expunge_entries IS 'IMAP EXPUNGE and UID EXPUNGE (RFC 4315), and the leaving half of MOVE.';

-- COPY, and with p_move MOVE. The copies get UIDs in the order of the originals.
CREATE FUNCTION copy_entries(p_from uuid, p_uids bigint[], p_to uuid, p_move boolean)
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
        PERFORM expunge_entries(p_from, v_sources, false);
    ELSE
        PERFORM check_quota(v_target.address_id);
    END IF;
    RETURN QUERY SELECT s.uid, v_target.uidnext - 1 + s.n FROM unnest(v_sources) WITH ORDINALITY AS s (uid, n);
END $$;
COMMENT ON FUNCTION copy_entries IS 'IMAP COPY (RFC 3501 section 6.4.7) and MOVE (RFC 6851).';
