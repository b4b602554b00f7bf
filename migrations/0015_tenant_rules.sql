-- Run in every org schema: what the rules of mailboxes need of the database.
-- Names without a schema are this organisation's.

-- Everything that delivery to these mailboxes asks, in one answer:
-- [{"id", "address", "name"?, "quota", "filters"?, "forwards"?, "auto_replies"?, "templates"?, "own"?}], where a
-- mailbox without rules has no more than the first four.
CREATE FUNCTION mailbox_rules(p_mailboxes uuid[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN (
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'id', a.id, 'address', a.address, 'name', a.display_name,
            'quota', a.quota_messages IS NOT NULL OR coalesce(a.quota_bytes, t.default_quota_bytes) IS NOT NULL,
            'filters', (
                SELECT jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name,
                    'conditions', f.conditions, 'actions', f.actions) ORDER BY f.position, f.id)
                FROM email_filters f WHERE f.address_id = a.id AND f.enabled),
            'forwards', (
                SELECT jsonb_agg(jsonb_build_object('to', w.forward_to, 'keep', w.keep_copy) ORDER BY w.id)
                FROM email_forwards w WHERE w.address_id = a.id AND w.enabled),
            'auto_replies', r.auto_replies,
            'templates', (
                SELECT jsonb_object_agg(m.id, jsonb_build_object('subject', m.subject, 'text', m.text_body,
                    'html', m.html_body, 'defaults', m.defaults))
                FROM email_templates m WHERE m.id::text IN (
                    SELECT x ->> 'template_id' FROM email_filters f, jsonb_array_elements(f.actions) x
                    WHERE f.address_id = a.id AND f.enabled AND x ->> 'do' = 'reply')),
            'own', CASE WHEN r.auto_replies IS NOT NULL THEN (
                SELECT jsonb_agg(l.alias_address) FROM aliases l
                WHERE l.address_id = a.id AND l.enabled AND l.alias_address NOT LIKE '@%') END
        )) ORDER BY a.id)
        FROM public.email_addresses a
        JOIN public.tenants t ON t.id = a.tenant_id
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('id', v.id, 'subject', v.subject, 'text', v.text_body,
                'html', v.html_body, 'starts_at', extract(epoch FROM v.starts_at)::bigint,
                'ends_at', extract(epoch FROM v.ends_at)::bigint,
                'own', to_jsonb(v.own_addresses)) ORDER BY v.created_at, v.id) AS auto_replies
            FROM auto_replies v WHERE v.address_id = a.id AND v.enabled) r
        WHERE a.id = ANY (p_mailboxes));
END $$;
COMMENT ON FUNCTION mailbox_rules IS 'Mailboxes with their rules, as public.resolve_recipient answers them.';

CREATE TRIGGER aliases_move_directory AFTER INSERT OR UPDATE OR DELETE ON aliases
    FOR EACH STATEMENT EXECUTE FUNCTION public.move_directory('schema');
CREATE TRIGGER email_forwards_move_directory AFTER INSERT OR UPDATE OR DELETE ON email_forwards
    FOR EACH STATEMENT EXECUTE FUNCTION public.move_directory('schema');
CREATE TRIGGER email_filters_move_directory AFTER INSERT OR UPDATE OR DELETE ON email_filters
    FOR EACH STATEMENT EXECUTE FUNCTION public.move_directory('schema');
CREATE TRIGGER auto_replies_move_directory AFTER INSERT OR UPDATE OR DELETE ON auto_replies
    FOR EACH STATEMENT EXECUTE FUNCTION public.move_directory('schema');
CREATE TRIGGER email_templates_move_directory AFTER INSERT OR UPDATE OR DELETE ON email_templates
    FOR EACH STATEMENT EXECUTE FUNCTION public.move_directory('schema');

-- What the rules want for one message besides where it is put; called by
-- deliver_email in the transaction that stores it. Returns its targets, to
-- which a mailbox comes back whose forwards may not leave.
--
-- p_actions, each list may be missing:
--   "folders": [{"address_id", "name"}], made with the levels above where they are missing;
--   "outbound": rows of outbound_messages by column, without tenant_id; with "email" true the content is the
--       message itself; with "auto_reply_id" only when that sender was not answered within repeat_after;
--   "unkept": targets of mailboxes that forward without keeping a copy;
--   "webhooks": [{"webhook_id", "payload"}].
CREATE FUNCTION act_on_email(p_tenant uuid, p_email uuid, p_actions jsonb, p_targets jsonb) RETURNS jsonb
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
    RETURN v_targets;
END $$;
COMMENT ON FUNCTION act_on_email IS 'Folders, forwards, replies and webhooks that the rules of mailboxes ask for, in the storing transaction.';

-- Four octets a message: whether a sender is known is asked by rules.
CREATE INDEX emails_sender_idx ON emails (hashtext(lower(from_address)));

-- Actions and conditions that have the right shape and still cannot be carried
-- out are refused when they are written, each under a name of its own.
CREATE FUNCTION check_filter() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_test jsonb;
    v_action jsonb;
    v_broken text;
    v_tenant uuid;
BEGIN
    FOR v_test IN SELECT jsonb_path_query(NEW.conditions, 'strict $.**?(exists(@.field))') LOOP
        v_broken := CASE
            WHEN (v_test ->> 'field' IN ('size', 'spam_score')) <> (v_test ->> 'op' IN ('over', 'under'))
                OR (v_test ->> 'field' = 'sender_known') <> (v_test ->> 'op' = 'is')
                OR v_test ->> 'op' IN ('over', 'under') AND NOT v_test ->> 'value' ~ '^-?\d{1,15}(\.\d{1,6})?$'
                THEN 'email_filters_op_check'
            WHEN v_test ->> 'op' = 'regex' AND NOT public.regex_is_plausible(v_test ->> 'value')
                THEN 'email_filters_regex_check'
        END;
        EXIT WHEN v_broken IS NOT NULL;
    END LOOP;
    SELECT a.tenant_id INTO v_tenant FROM public.email_addresses a WHERE a.id = NEW.address_id;
    FOR v_action IN SELECT jsonb_array_elements(NEW.actions) LOOP
        EXIT WHEN v_broken IS NOT NULL;
        v_broken := CASE v_action ->> 'do'
            WHEN 'folder' THEN CASE WHEN octet_length(v_action ->> 'name') > 1000 OR v_action ->> 'name' ~ '[[:cntrl:]]'
                    OR v_action ->> 'name' ~ '(^|/)(\.\.|\.)?(/|$)'
                    OR (upper(v_action ->> 'name') = 'INBOX' AND v_action ->> 'name' <> 'INBOX')
                THEN 'email_filters_folder_check' END
            WHEN 'label' THEN CASE WHEN length(v_action ->> 'keyword') > 100
                    OR v_action ->> 'keyword' !~ '^[!#-''+-\[^-z|}~$&]+$'
                THEN 'email_filters_label_check' END
            WHEN 'forward' THEN CASE WHEN length(v_action ->> 'address') > 254
                    OR v_action ->> 'address' !~ '^[^[:space:][:cntrl:]@<>%!"\\]{1,64}@[^[:space:][:cntrl:]@<>/\\]+$'
                THEN 'email_filters_forward_check' END
            WHEN 'reply' THEN CASE WHEN NOT EXISTS (
                    SELECT 1 FROM email_templates m WHERE m.id::text = lower(v_action ->> 'template_id'))
                THEN 'email_filters_template_check' END
            WHEN 'webhook' THEN CASE WHEN NOT EXISTS (
                    SELECT 1 FROM public.webhooks w WHERE w.tenant_id = v_tenant AND w.id::text = lower(v_action ->> 'webhook_id'))
                THEN 'email_filters_webhook_check' END
        END;
    END LOOP;
    IF v_broken IS NOT NULL THEN
        RAISE EXCEPTION 'new row for relation "email_filters" violates check constraint "%"', v_broken
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken, SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
-- After the CHECKs of the table: what comes here has its shape.
CREATE TRIGGER email_filters_check AFTER INSERT OR UPDATE OF conditions, actions ON email_filters
    FOR EACH ROW EXECUTE FUNCTION check_filter();
