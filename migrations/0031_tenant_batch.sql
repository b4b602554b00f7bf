-- Run in every org schema: storing several messages at once. What a statement
-- costs before it touches a row is most of what storing one message costs, so
-- the statements are asked once for all messages that wait; one alone is a
-- batch of one. Names without a schema are this organisation's.

DROP FUNCTION deliver_email;

-- The thread of a message that says what it answers, or looks like an answer:
-- that of its ancestors and of the children that are here, which this message
-- may be what joins; else that of a sibling; else that of the same subject
-- among the same people. NULL when there is none.
CREATE FUNCTION find_thread(p_fields jsonb, p_children uuid[]) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_ancestors text[] := ARRAY(SELECT jsonb_array_elements_text(p_fields -> 'in_reply_to')
        UNION ALL SELECT jsonb_array_elements_text(p_fields -> 'reference_ids'));
    v_threads uuid[] := coalesce(p_children, '{}');
    v_thread uuid;
BEGIN
    IF v_ancestors <> '{}' THEN
        v_threads := v_threads || ARRAY(SELECT DISTINCT e.thread_id FROM emails e WHERE e.message_id = ANY (v_ancestors));
    END IF;
    IF cardinality(v_threads) > 1 THEN
        v_thread := join_threads(v_threads);
    ELSIF cardinality(v_threads) = 1 THEN
        v_thread := v_threads[1];
    ELSIF v_ancestors <> '{}' THEN
        SELECT e.thread_id INTO v_thread FROM emails e
            WHERE e.reference_ids && v_ancestors AND e.reference_ids <> '{}' LIMIT 1;
    END IF;
    IF v_thread IS NULL AND (p_fields ->> 'is_reply')::boolean THEN
        v_thread := thread_by_subject(p_fields);
    END IF;
    RETURN v_thread;
END $$;
COMMENT ON FUNCTION find_thread IS 'The thread that a message belongs to, by what it answers, by what answers it, or by its subject.';

-- What public.store_emails does, once it is inside. Every argument has one
-- element for each message, in the same order, and so has the answer. No
-- message of a batch may answer another one of it, or have its dedup_key:
-- they do not see each other.
CREATE FUNCTION deliver_emails(
    p_tenant uuid, p_ids uuid[], p_keys bytea[], p_versions bigint[], p_sizes bigint[], p_fields jsonb[],
    p_texts text[], p_parts jsonb[], p_envelopes bytea[], p_bodies bytea[], p_body_structures bytea[],
    p_headers bytea[], p_skeletons bytea[], p_cuts jsonb[], p_attachments jsonb[], p_targets jsonb[],
    p_actions jsonb[])
RETURNS TABLE (email_id uuid, thread_id uuid, duplicate boolean,
    folder_ids uuid[], uids bigint[], modseqs bigint[], uidvalidities bigint[])
-- Plans are made once, where Postgres would make one for each length of array, and look up what they need: made
-- while tables are empty, they would read all of them instead.
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_ids uuid[] := p_ids;
    v_targets jsonb[] := p_targets;
    v_threads uuid[] := array_fill(NULL::uuid, ARRAY[cardinality(p_ids)]);
    v_duplicates boolean[] := array_fill(false, ARRAY[cardinality(p_ids)]);
    v_old uuid[] := '{}';
    -- The messages that are stored, by their place in the batch.
    v_new integer[] := ARRAY(SELECT generate_series(1, cardinality(p_ids)));
    v_places record;
    v_folder record;
    v_tenant record;
    v_row record;
    v_size bigint;
    v_unseen bigint;
    v_uids bigint[] := '{}';
    v_modseqs bigint[] := '{}';
    v_uidvalidities bigint[] := '{}';
    v_n integer;
    v_last integer;
BEGIN
    SELECT t.first_mail_at IS NULL AS is_first, t.directory_version, t.default_quota_bytes INTO STRICT v_tenant
        FROM public.tenants t WHERE t.id = p_tenant;
    -- Who decided where they go may not have heard of the last change yet.
    IF v_tenant.directory_version <> ANY (p_versions) THEN
        RAISE EXCEPTION 'the directory of % has changed', p_tenant USING ERRCODE = 'KX002';
    END IF;

    -- The same message again (a peer that missed our 250): say yes, store nothing.
    IF array_remove(p_keys, NULL) <> '{}' THEN
        FOR v_row IN
            SELECT array_position(p_keys, e.dedup_key) AS n, e.id, e.thread_id AS thread,
                e.received_at > now() - interval '72 hours' AS is_same
            FROM emails e WHERE e.dedup_key = ANY (p_keys)
        LOOP
            IF v_row.is_same THEN
                v_duplicates[v_row.n] := true;
                v_ids[v_row.n] := v_row.id;
                v_threads[v_row.n] := v_row.thread;
                v_new := array_remove(v_new, v_row.n);
            ELSE
                UPDATE emails e SET dedup_key = NULL WHERE e.id = v_row.id;
            END IF;
        END LOOP;
    END IF;

    FOR v_row IN
        SELECT n, p_fields[n] AS fields, p_actions[n] AS actions,
            (SELECT array_agg(DISTINCT e.thread_id) FROM emails e
                WHERE e.reference_ids @> ARRAY[p_fields[n] ->> 'message_id'] AND e.reference_ids <> '{}') AS children
        FROM unnest(v_new) n
    LOOP
        -- What the rules of the mailboxes want, first: it may change who gets it where.
        IF v_row.actions <> '{}' THEN
            v_targets[v_row.n] := act_on_email(p_tenant, v_ids[v_row.n], v_row.actions, v_targets[v_row.n]);
        END IF;
        IF v_row.children IS NOT NULL OR (v_row.fields ->> 'is_reply')::boolean
            OR v_row.fields -> 'in_reply_to' <> '[]' OR v_row.fields -> 'reference_ids' <> '[]' THEN
            v_threads[v_row.n] := find_thread(v_row.fields, v_row.children);
        END IF;
    END LOOP;
    IF array_remove(v_threads, NULL) <> '{}' THEN
        -- In one order everywhere. One may have been joined to another at this moment: then it is not there.
        v_old := ARRAY(SELECT t.id FROM threads t WHERE t.id = ANY (v_threads) ORDER BY t.id FOR UPDATE);
        UPDATE threads t SET message_count = t.message_count + m.messages, last_message_at = now()
            FROM (SELECT v_threads[n] AS thread, count(*)::integer AS messages FROM unnest(v_new) n GROUP BY 1) m
            WHERE t.id = m.thread;
    END IF;
    FOREACH v_n IN ARRAY v_new LOOP
        IF v_threads[v_n] IS NULL OR v_threads[v_n] <> ALL (v_old) THEN
            v_threads[v_n] := gen_random_uuid();
        END IF;
    END LOOP;
    INSERT INTO threads (id, base_subject)
        SELECT v_threads[n], p_fields[n] ->> 'base_subject' FROM unnest(v_new) n WHERE v_threads[n] <> ALL (v_old);

    INSERT INTO emails (id, thread_id, source, queue_id, dedup_key, reverse_path, message_id, in_reply_to, reference_ids,
            subject, from_address, from_name, recipients, sent_at, internal_date, size_bytes, header_bytes,
            envelope, body, body_structure, parts, text_body, snippet, has_attachments, verdict, spam_score,
            orphaned_at)
        SELECT v_ids[n], v_threads[n], f ->> 'source', (f ->> 'queue_id')::uuid, p_keys[n], f ->> 'reverse_path',
            f ->> 'message_id', r.in_reply_to, r.reference_ids || r.in_reply_to, f ->> 'subject', f ->> 'from_address',
            f ->> 'from_name', f -> 'recipients', to_timestamp((f ->> 'sent_at')::double precision),
            coalesce(to_timestamp((f ->> 'internal_date')::double precision), now()), p_sizes[n],
            octet_length(p_headers[n]), p_envelopes[n], p_bodies[n], p_body_structures[n], p_parts[n], p_texts[n],
            f ->> 'snippet', p_attachments[n] <> '[]', coalesce(f -> 'verdict', '{}'), (f ->> 'spam_score')::real,
            CASE WHEN v_targets[n] = '[]' THEN now() END
        FROM unnest(v_new) n
        CROSS JOIN LATERAL (SELECT p_fields[n] AS f OFFSET 0) f
        CROSS JOIN LATERAL jsonb_to_record(f) AS r (in_reply_to text[], reference_ids text[]);
    INSERT INTO email_sources (id, header, skeleton, cuts)
        SELECT v_ids[n], p_headers[n], p_skeletons[n], p_cuts[n] FROM unnest(v_new) n;
    IF '[]' <> ANY (p_attachments) THEN
        INSERT INTO attachments (email_id, section, filename, content_type, disposition, content_id, size_bytes,
                sha256, bucket, object_key, encoded)
            SELECT v_ids[n], a.section, a.filename, a.content_type, a.disposition, a.content_id, a.size_bytes,
                decode(a.sha256, 'hex'), a.bucket, a.object_key, coalesce(a.encoded, false)
            FROM unnest(v_new) n
            CROSS JOIN LATERAL jsonb_to_recordset(p_attachments[n]) AS a (section text, filename text, content_type text,
                disposition text, content_id text, size_bytes bigint, sha256 text, bucket text, object_key text, encoded boolean);
    END IF;

    -- Which folder of each target, and for each message every folder once; in the order of the folders.
    SELECT coalesce(array_agg(x.n), '{}') AS ns, coalesce(array_agg(x.folder), '{}') AS folders,
            array_agg(x.target) AS targets, array_agg(x.seen) AS seen,
            array_agg(DISTINCT x.address_id) FILTER (WHERE x.has_quota) AS bounded
        INTO v_places FROM (
        SELECT DISTINCT ON (f.id, n) n, f.id AS folder, t.target, coalesce(w.seen, false) AS seen, a.id AS address_id,
            a.quota_messages IS NOT NULL OR coalesce(a.quota_bytes, v_tenant.default_quota_bytes) IS NOT NULL AS has_quota
        FROM unnest(v_new) n
        CROSS JOIN LATERAL jsonb_array_elements(v_targets[n]) AS t (target)
        CROSS JOIN LATERAL jsonb_to_record(t.target) AS w (address_id uuid, folder_id uuid, folder text, special_use text,
            seen boolean)
        JOIN public.email_addresses a ON a.id = w.address_id
        CROSS JOIN LATERAL (
            SELECT x.id FROM folders x
            WHERE x.address_id = w.address_id
                AND (x.special_use = 'inbox' OR x.id = w.folder_id OR x.name = w.folder OR x.special_use = w.special_use)
            ORDER BY x.id IS NOT DISTINCT FROM w.folder_id DESC, x.name IS NOT DISTINCT FROM w.folder DESC,
                x.special_use IS NOT DISTINCT FROM w.special_use DESC LIMIT 1) f
        ORDER BY f.id, n) x;
    -- Locked in one order everywhere, so that two deliveries never wait for each other.
    IF v_places.folders[1] <> v_places.folders[cardinality(v_places.folders)] THEN
        PERFORM 1 FROM folders f WHERE f.id = ANY (v_places.folders) ORDER BY f.id FOR UPDATE;
    END IF;
    -- They stand in the order of the folders: each folder moves once, by all that goes there.
    v_n := 1;
    WHILE v_n <= cardinality(v_places.ns) LOOP
        v_last := v_n;
        v_size := 0;
        v_unseen := 0;
        LOOP
            v_size := v_size + p_sizes[v_places.ns[v_last]];
            v_unseen := v_unseen + CASE WHEN v_places.seen[v_last] THEN 0 ELSE 1 END;
            EXIT WHEN v_places.folders[v_last + 1] IS DISTINCT FROM v_places.folders[v_n];
            v_last := v_last + 1;
        END LOOP;
        UPDATE folders f SET uidnext = f.uidnext + v_last - v_n + 1, highestmodseq = f.highestmodseq + 1,
                message_count = f.message_count + v_last - v_n + 1, size_bytes = f.size_bytes + v_size,
                unseen_count = f.unseen_count + v_unseen
            WHERE f.id = v_places.folders[v_n]
            RETURNING f.uidnext - 1 AS last_uid, f.highestmodseq AS modseq, f.uidvalidity INTO STRICT v_folder;
        FOR v_n IN v_n .. v_last LOOP
            v_uids := v_uids || v_folder.last_uid - v_last + v_n;
            v_modseqs := v_modseqs || v_folder.modseq;
            v_uidvalidities := v_uidvalidities || v_folder.uidvalidity;
        END LOOP;
        v_n := v_last + 1;
    END LOOP;
    INSERT INTO folder_entries (folder_id, email_id, uid, modseq, seen, answered, flagged, deleted, draft, keywords)
        SELECT v_places.folders[i], v_ids[v_places.ns[i]], v_uids[i], v_modseqs[i], v_places.seen[i],
            coalesce(v_places.targets[i] -> 'answered' = 'true', false),
            coalesce(v_places.targets[i] -> 'flagged' = 'true', false),
            coalesce(v_places.targets[i] -> 'deleted' = 'true', false),
            coalesce(v_places.targets[i] -> 'draft' = 'true', false),
            ARRAY(SELECT jsonb_array_elements_text(v_places.targets[i] -> 'keywords'))
        FROM generate_series(1, cardinality(v_uids)) i;
    IF v_places.bounded IS NOT NULL THEN
        PERFORM check_quota(a) FROM unnest(v_places.bounded) a;
    END IF;
    FOREACH v_n IN ARRAY v_new LOOP
        IF v_targets[v_n] <> '[]' AND v_n <> ALL (v_places.ns) THEN
            RAISE EXCEPTION 'no target folder of % is left', v_ids[v_n] USING ERRCODE = 'no_data_found';
        END IF;
    END LOOP;

    INSERT INTO public.analytics_events (tenant_id, event, email_id, properties)
        SELECT p_tenant, 'email.received', v_ids[n], jsonb_build_object('size', p_sizes[n])
        FROM unnest(v_new) n WHERE p_fields[n] ->> 'source' IN ('smtp', 'system');
    IF FOUND AND v_tenant.is_first THEN
        PERFORM public.note_first_mail(p_tenant);
    END IF;

    RETURN QUERY
        SELECT v_ids[n], v_threads[n], v_duplicates[n],
            ARRAY(SELECT v_places.folders[i] FROM unnest(array_positions(v_places.ns, n)) i),
            ARRAY(SELECT v_uids[i] FROM unnest(array_positions(v_places.ns, n)) i),
            ARRAY(SELECT v_modseqs[i] FROM unnest(array_positions(v_places.ns, n)) i),
            ARRAY(SELECT v_uidvalidities[i] FROM unnest(array_positions(v_places.ns, n)) i)
        FROM generate_series(1, cardinality(v_ids)) n;
END $$;
COMMENT ON FUNCTION deliver_emails IS 'Stores messages with their folder entries; called by public.store_emails.';
