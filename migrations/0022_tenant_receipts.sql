-- Run in every org schema: read receipts, mail that could not be forwarded, and
-- threads by subject.
-- Names without a schema are this organisation's.

-- A receipt counts for a message that this organisation sent to that very
-- reader, and once; what else it may claim leaves no trace.
CREATE FUNCTION note_receipts(p_tenant uuid, p_receipt uuid, p_receipts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_read record;
BEGIN
    FOR v_read IN
        SELECT DISTINCT ON (o.email_id, o.recipient) o.id, o.email_id, o.recipient, o.address_id
        FROM jsonb_to_recordset(p_receipts) AS r (message_id text, readers text[])
        JOIN emails m ON m.message_id = r.message_id
        JOIN public.outbound_messages o ON o.tenant_id = p_tenant AND o.email_id = m.id
        WHERE o.recipient = ANY (r.readers) AND o.source NOT IN ('forward', 'bounce')
        ORDER BY o.email_id, o.recipient, array_position(r.readers, o.recipient)
    LOOP
        INSERT INTO email_reads (email_id, reader, source) VALUES (v_read.email_id, v_read.recipient, 'mdn')
            ON CONFLICT ON CONSTRAINT email_reads_email_id_reader_source_key DO NOTHING;
        IF FOUND THEN
            INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, email_id, address_id, properties)
                VALUES (p_tenant, 'email.read', v_read.id, v_read.email_id, v_read.address_id,
                    jsonb_build_object('receipt', p_receipt));
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION note_receipts IS 'Message disposition notifications (RFC 8098) become rows of email_reads.';

-- What the rules want for one message besides where it is put; called by
-- deliver_email in the transaction that stores it. Returns its targets, to
-- which a mailbox comes back whose forwards may not leave.
--
-- p_actions, each list may be missing:
--   "folders": [{"address_id", "name"}], made with the levels above where they are missing;
--   "outbound": rows of outbound_messages by column, without tenant_id; with "email" true the content is the
--       message itself; with "auto_reply_id" only when that sender was not answered within repeat_after;
--   "unkept": targets of mailboxes that forward without keeping a copy;
--   "webhooks": [{"webhook_id", "payload"}];
--   "receipts": [{"message_id", "readers"}], which say that a message that was sent was read.
CREATE OR REPLACE FUNCTION act_on_email(p_tenant uuid, p_email uuid, p_actions jsonb, p_targets jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    v_targets jsonb := p_targets;
    v_row record;
    v_forwarding uuid[] := '{}';
    v_state text;
BEGIN
    INSERT INTO folders (address_id, name)
        SELECT DISTINCT f.address_id, array_to_string((string_to_array(f.name, '/'))[:n.n], '/') AS name
        FROM jsonb_to_recordset(p_actions -> 'folders') AS f (address_id uuid, name text)
        CROSS JOIN LATERAL generate_series(1, cardinality(string_to_array(f.name, '/'))) AS n (n)
        ORDER BY 1, 2
        ON CONFLICT ON CONSTRAINT folders_address_id_name_key DO NOTHING;

    FOR v_row IN
        SELECT * FROM jsonb_to_recordset(p_actions -> 'outbound') AS o (queue_id uuid, address_id uuid, source text,
            class text, reverse_path text, recipient text, from_address text, from_name text, subject text,
            text_body text, html_body text, message_id text, email boolean, auto_reply_id uuid, dsn_notify text[],
            dsn_orcpt text, idempotency_key text, smtputf8 boolean, metadata jsonb)
    LOOP
        IF v_row.auto_reply_id IS NOT NULL THEN
            INSERT INTO auto_reply_recipients AS r (auto_reply_id, recipient)
                SELECT v.id, v_row.recipient FROM auto_replies v WHERE v.id = v_row.auto_reply_id
                ON CONFLICT ON CONSTRAINT auto_reply_recipients_auto_reply_id_recipient_key DO UPDATE SET replied_at = now()
                WHERE r.replied_at <= now() - (SELECT v.repeat_after FROM auto_replies v WHERE v.id = r.auto_reply_id);
            CONTINUE WHEN NOT FOUND;
        END IF;
        v_state := NULL;
        INSERT INTO public.outbound_messages AS m (tenant_id, queue_id, email_id, address_id, source, class, reverse_path,
                recipient, from_address, from_name, subject, text_body, html_body, message_id, dsn_notify, dsn_orcpt,
                idempotency_key, smtputf8, metadata)
            VALUES (p_tenant, v_row.queue_id, CASE WHEN v_row.email THEN p_email END, v_row.address_id, v_row.source,
                coalesce(v_row.class, 'personal'), v_row.reverse_path, v_row.recipient, v_row.from_address,
                v_row.from_name, coalesce(v_row.subject, ''), v_row.text_body, v_row.html_body, v_row.message_id,
                coalesce(v_row.dsn_notify, '{}'), v_row.dsn_orcpt, v_row.idempotency_key,
                coalesce(v_row.smtputf8, false), coalesce(v_row.metadata, '{}'))
            ON CONFLICT DO NOTHING RETURNING m.state INTO v_state;
        IF v_row.source = 'forward' AND v_state = 'queued' THEN
            v_forwarding := v_forwarding || v_row.address_id;
        END IF;
    END LOOP;
    SELECT v_targets || coalesce(jsonb_agg(u.target), '[]') INTO v_targets
        FROM jsonb_array_elements(p_actions -> 'unkept') AS u (target)
        WHERE (u.target ->> 'address_id')::uuid <> ALL (v_forwarding);

    INSERT INTO public.webhook_deliveries (tenant_id, webhook_id, event_id, event_type, payload)
        SELECT p_tenant, w.id, gen_random_uuid(), 'filter.matched', x.payload || jsonb_build_object('email_id', p_email)
        FROM jsonb_to_recordset(p_actions -> 'webhooks') AS x (webhook_id uuid, payload jsonb)
        JOIN public.webhooks w ON w.id = x.webhook_id AND w.tenant_id = p_tenant AND w.status = 'active';
    IF p_actions ? 'receipts' THEN
        PERFORM note_receipts(p_tenant, p_email, p_actions -> 'receipts');
    END IF;
    RETURN v_targets;
END $$;

-- A message that could not be forwarded, and that nobody is told of: into the
-- INBOX of the mailbox that wanted it forwarded, unless it is in one of its
-- folders. Whatever its quota: better there than nowhere.
CREATE FUNCTION keep_in_inbox(p_tenant uuid, p_email uuid, p_address uuid, p_recipient text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_size bigint;
    v_inbox record;
BEGIN
    SELECT m.size_bytes INTO v_size FROM emails m WHERE m.id = p_email;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- The INBOX's lock comes first: two that fail at once put it there once.
    SELECT f.id, f.uidnext, f.highestmodseq INTO v_inbox
        FROM folders f WHERE f.address_id = p_address AND f.special_use = 'inbox' FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT 1 FROM folder_entries e JOIN folders f ON f.id = e.folder_id
            WHERE e.email_id = p_email AND f.address_id = p_address) THEN
        RETURN;
    END IF;
    UPDATE folders f SET uidnext = v_inbox.uidnext + 1, highestmodseq = v_inbox.highestmodseq + 1,
            message_count = f.message_count + 1, unseen_count = f.unseen_count + 1, size_bytes = f.size_bytes + v_size
        WHERE f.id = v_inbox.id;
    INSERT INTO folder_entries (folder_id, email_id, uid, modseq)
        VALUES (v_inbox.id, p_email, v_inbox.uidnext, v_inbox.highestmodseq + 1);
    UPDATE emails m SET orphaned_at = NULL WHERE m.id = p_email;
    INSERT INTO public.activity_log (tenant_id, action, object_kind, object_id, summary)
        SELECT p_tenant, 'forward.failed', 'email_addresses', a.id,
            format('A message for %s could not be forwarded to %s and is in the INBOX instead', a.address, p_recipient)
        FROM public.email_addresses a WHERE a.id = p_address;
    PERFORM pg_notify('kx_folder', 'sql ' || v_inbox.id);
END $$;
COMMENT ON FUNCTION keep_in_inbox IS 'Puts a message whose forwarding failed into the INBOX of the mailbox that forwards.';

-- As before; and an answer that goes to the author of a message there, or to
-- an address that a message there went to (a list, whose members name each
-- other rarely), unless that is a mailbox here. A subject that is nothing but a
-- prefix tells nothing.
CREATE OR REPLACE FUNCTION thread_by_subject(p_fields jsonb) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_sender text := lower(p_fields ->> 'from_address');
    v_people text[] := ARRAY(SELECT DISTINCT lower(x ->> 'address')
        FROM jsonb_path_query(p_fields -> 'recipients', '$.*[*]') x);
    -- Whom it is sent to, without mailboxes here: to them many write about the same.
    v_others text[];
BEGIN
    IF p_fields ->> 'base_subject' = '' THEN
        RETURN NULL;
    END IF;
    v_others := ARRAY(SELECT DISTINCT lower(x ->> 'address') FROM jsonb_path_query(p_fields -> 'recipients', '$.*[*]') x
        WHERE lower(x ->> 'address') <> v_sender
            AND NOT EXISTS (SELECT 1 FROM public.email_addresses a WHERE a.address = lower(x ->> 'address'))
            AND NOT EXISTS (SELECT 1 FROM aliases l WHERE l.alias_address = lower(x ->> 'address')));
    RETURN (
        SELECT t.id FROM (
            SELECT x.id, x.last_message_at FROM threads x
            WHERE x.base_subject = p_fields ->> 'base_subject' AND x.last_message_at > now() - interval '30 days'
            ORDER BY x.last_message_at DESC LIMIT 20) t
        WHERE EXISTS (
            SELECT 1 FROM emails e WHERE e.thread_id = t.id
                AND (lower(e.from_address) = ANY (v_people)
                        AND EXISTS (SELECT 1 FROM jsonb_path_query(e.recipients, '$.*[*]') x
                                    WHERE lower(x ->> 'address') = v_sender)
                    OR lower(e.from_address) = ANY (v_others)
                    OR EXISTS (SELECT 1 FROM jsonb_path_query(e.recipients, '$.*[*]') x
                               WHERE lower(x ->> 'address') = ANY (v_others)
                                   AND lower(x ->> 'address') <> lower(e.from_address))))
        ORDER BY t.last_message_at DESC LIMIT 1);
END $$;
