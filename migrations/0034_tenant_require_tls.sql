-- As before; and what comes of a message that requires TLS may require it too (RFC 8689).
--
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
            dsn_orcpt text, idempotency_key text, smtputf8 boolean, require_tls boolean, metadata jsonb)
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
                idempotency_key, smtputf8, require_tls, metadata)
            VALUES (p_tenant, v_row.queue_id, CASE WHEN v_row.email THEN p_email END, v_row.address_id, v_row.source,
                coalesce(v_row.class, 'personal'), v_row.reverse_path, v_row.recipient, v_row.from_address,
                v_row.from_name, coalesce(v_row.subject, ''), v_row.text_body, v_row.html_body, v_row.message_id,
                coalesce(v_row.dsn_notify, '{}'), v_row.dsn_orcpt, v_row.idempotency_key,
                coalesce(v_row.smtputf8, false), coalesce(v_row.require_tls, false), coalesce(v_row.metadata, '{}'))
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
