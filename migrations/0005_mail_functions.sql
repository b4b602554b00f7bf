-- The two questions on the way in, each one round trip.

-- Whose is this recipient? Exact address, sub-address, alias, catch-all.
CREATE FUNCTION public.resolve_recipient(
    p_address text, OUT tenant_id uuid, OUT tenant_status text, OUT address_ids uuid[], OUT suspended boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at int := strpos(p_address, '@');
    v_domain text := substr(p_address, v_at + 1);
    v_bare text := split_part(substr(p_address, 1, v_at - 1), '+', 1) || '@' || v_domain;
    v_slug text;
BEGIN
    RETURN QUERY
        SELECT a.tenant_id, t.status, ARRAY[a.id], a.status <> 'active'
        FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
        WHERE a.address IN (p_address, v_bare)
        ORDER BY a.address <> p_address LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    -- Aliases are the organisation's own; the domain tells whose, and one that
    -- is proven goes before one that is only claimed.
    FOR tenant_id, tenant_status, v_slug IN
        SELECT t.id, t.status, t.slug FROM public.tenant_domains d JOIN public.tenants t ON t.id = d.tenant_id
        WHERE d.domain = v_domain ORDER BY d.verified_at NULLS LAST, d.created_at
    LOOP
        EXECUTE format(
            'SELECT array_agg(l.address_id ORDER BY l.address_id), bool_and(a.status <> ''active'') FROM %I.aliases l
             JOIN public.email_addresses a ON a.id = l.address_id
             WHERE l.enabled AND l.alias_address = (
                SELECT x.alias_address FROM %1$I.aliases x WHERE x.enabled AND x.alias_address IN ($1, $2, $3)
                ORDER BY array_position(ARRAY[$1, $2, $3], x.alias_address) LIMIT 1)',
            'org_' || v_slug)
        INTO address_ids, suspended USING p_address, v_bare, '@' || v_domain;
        IF address_ids IS NOT NULL THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION public.resolve_recipient IS 'The mailboxes behind a recipient: no row when there are none. The address must be in its canonical form.';
REVOKE ALL ON FUNCTION public.resolve_recipient FROM PUBLIC;

-- Stores one message for one organisation, whole or not at all: email, source,
-- attachments, thread, an entry with UID and MODSEQ in every target folder.
-- Called alone it is its own transaction: one round trip for a delivery.
--
-- p_fields: the small columns of emails by name, and base_subject.
-- p_targets: [{"address_id", "folder_id"?, "seen"?, "answered"?, "flagged"?, "draft"?, "keywords"?}];
--     without folder_id, or with one that is gone, the INBOX. One entry per folder.
CREATE FUNCTION public.store_email(
    p_tenant uuid, p_fields jsonb, p_text text, p_parts jsonb, p_envelope bytea, p_body bytea,
    p_body_structure bytea,
    p_header bytea, p_skeleton bytea, p_cuts jsonb, p_attachments jsonb, p_targets jsonb,
    OUT email_id uuid, OUT thread_id uuid, OUT duplicate boolean,
    OUT folder_ids uuid[], OUT uids bigint[], OUT modseqs bigint[], OUT uidvalidities bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    v_key bytea := decode(p_fields ->> 'dedup_key', 'hex');
    v_size bigint := (p_fields ->> 'size_bytes')::bigint;
    v_message_id text := p_fields ->> 'message_id';
    v_references text[] := ARRAY(SELECT jsonb_array_elements_text(p_fields -> 'reference_ids'));
    v_in_reply_to text[] := ARRAY(SELECT jsonb_array_elements_text(p_fields -> 'in_reply_to'));
    v_candidates text[];
    v_received_at timestamptz;
    v_target record;
    v_folder record;
BEGIN
    PERFORM public.enter_tenant(p_tenant);
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

    -- The thread: the nearest ancestor that is here, else a child that came before its parent.
    v_candidates := v_in_reply_to || ARRAY(SELECT r.id FROM unnest(v_references) WITH ORDINALITY r (id, n) ORDER BY r.n DESC);
    thread_id := NULL;
    IF cardinality(v_candidates) > 0 THEN
        SELECT e.thread_id INTO thread_id FROM emails e WHERE e.message_id = ANY (v_candidates)
            ORDER BY array_position(v_candidates, e.message_id) LIMIT 1;
        IF thread_id IS NULL THEN
            SELECT e.thread_id INTO thread_id FROM emails e
                WHERE e.reference_ids && v_candidates AND e.reference_ids <> '{}' LIMIT 1;
        END IF;
    END IF;
    IF thread_id IS NULL AND v_message_id IS NOT NULL THEN
        SELECT e.thread_id INTO thread_id FROM emails e
            WHERE e.reference_ids @> ARRAY[v_message_id] AND e.reference_ids <> '{}' LIMIT 1;
    END IF;
    IF thread_id IS NOT NULL THEN
        UPDATE threads t SET message_count = t.message_count + 1, last_message_at = now() WHERE t.id = thread_id;
    ELSE
        INSERT INTO threads AS t (base_subject) VALUES (p_fields ->> 'base_subject') RETURNING t.id INTO thread_id;
    END IF;

    INSERT INTO emails (id, thread_id, source, queue_id, dedup_key, reverse_path, message_id, in_reply_to, reference_ids,
            subject, from_address, from_name, recipients, sent_at, internal_date, size_bytes, header_bytes,
            envelope, body, body_structure, parts, text_body, snippet, has_attachments, verdict, orphaned_at)
        VALUES (email_id, thread_id, p_fields ->> 'source', (p_fields ->> 'queue_id')::uuid, v_key, p_fields ->> 'reverse_path',
            v_message_id, v_in_reply_to, v_references || v_in_reply_to,
            p_fields ->> 'subject', p_fields ->> 'from_address', p_fields ->> 'from_name', p_fields -> 'recipients',
            to_timestamp((p_fields ->> 'sent_at')::double precision),
            coalesce(to_timestamp((p_fields ->> 'internal_date')::double precision), now()),
            v_size, octet_length(p_header), p_envelope, p_body, p_body_structure, p_parts, p_text, p_fields ->> 'snippet',
            jsonb_array_length(p_attachments) > 0, coalesce(p_fields -> 'verdict', '{}'),
            CASE WHEN jsonb_array_length(p_targets) = 0 THEN now() END);
    INSERT INTO email_sources (id, header, skeleton, cuts) VALUES (email_id, p_header, p_skeleton, p_cuts);
    IF jsonb_array_length(p_attachments) > 0 THEN
        INSERT INTO attachments (email_id, section, filename, content_type, disposition, content_id, size_bytes,
                sha256, bucket, object_key, encoded)
            SELECT store_email.email_id, a.section, a.filename, a.content_type, a.disposition, a.content_id, a.size_bytes,
                decode(a.sha256, 'hex'), a.bucket, a.object_key, coalesce(a.encoded, false)
            FROM jsonb_to_recordset(p_attachments) AS a (section text, filename text, content_type text, disposition text,
                content_id text, size_bytes bigint, sha256 text, bucket text, object_key text, encoded boolean);
    END IF;

    -- Folders in one order everywhere, so that two deliveries never wait for each other.
    FOR v_target IN
        SELECT DISTINCT ON (f.id) f.id, t.*
        FROM jsonb_to_recordset(p_targets) AS t (address_id uuid, folder_id uuid, seen boolean, answered boolean,
            flagged boolean, deleted boolean, draft boolean, keywords text[])
        JOIN LATERAL (
            SELECT x.id FROM folders x
            WHERE x.address_id = t.address_id AND (x.id = t.folder_id OR x.special_use = 'inbox')
            ORDER BY (x.id IS NOT DISTINCT FROM t.folder_id) DESC LIMIT 1) f ON true
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
        PERFORM public.check_quota(v_target.address_id);
    END LOOP;
    IF cardinality(folder_ids) = 0 AND jsonb_array_length(p_targets) > 0 THEN
        RAISE EXCEPTION 'no target folder of % is left', email_id USING ERRCODE = 'no_data_found';
    END IF;

    IF p_fields ->> 'source' IN ('smtp', 'system') THEN
        INSERT INTO public.analytics_events (tenant_id, event, email_id, properties)
            VALUES (p_tenant, 'email.received', email_id, jsonb_build_object('size', v_size));
        PERFORM public.note_first_mail(p_tenant);
    END IF;
END $$;
COMMENT ON FUNCTION public.store_email IS 'Stores one message of one organisation with its folder entries; the one way a message gets in.';
REVOKE ALL ON FUNCTION public.store_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.store_email TO koltrix_tenant;

-- Refuses what would put a mailbox over its quota. Names without a schema are
-- those of the organisation that store_email entered.
CREATE FUNCTION public.check_quota(p_address uuid) RETURNS void
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
COMMENT ON FUNCTION public.check_quota IS 'Raises KX001 when a mailbox holds more than its quota; call it after the counters moved.';

-- The tenant's role may not write public.tenants; this one step it may take.
CREATE FUNCTION public.note_first_mail(p_tenant uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('role') = public.tenant_role(p_tenant)
       AND EXISTS (SELECT 1 FROM public.tenants t WHERE t.id = p_tenant AND t.first_mail_at IS NULL) THEN
        UPDATE public.tenants t SET first_mail_at = now() WHERE t.id = p_tenant AND t.first_mail_at IS NULL;
    END IF;
END $$;
COMMENT ON FUNCTION public.note_first_mail IS 'Onboarding: the first message has arrived.';
REVOKE ALL ON FUNCTION public.note_first_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.note_first_mail TO koltrix_tenant;
