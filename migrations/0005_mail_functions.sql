-- The two questions on the way in, each one round trip.

-- Whose is this recipient? Exact address, sub-address, alias, catch-all; with
-- everything that delivery to it will need, so that it is asked once.
CREATE FUNCTION public.resolve_recipient(
    p_address text, OUT tenant_id uuid, OUT tenant_status text, OUT directory_version bigint, OUT proven boolean,
    OUT suspended boolean, OUT mailboxes jsonb)
RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at int := strpos(p_address, '@');
    v_domain text := substr(p_address, v_at + 1);
    v_bare text := split_part(substr(p_address, 1, v_at - 1), '+', 1) || '@' || v_domain;
    v_slug text;
    v_ids uuid[];
BEGIN
    SELECT a.tenant_id, t.status, t.directory_version, t.slug, ARRAY[a.id], a.status <> 'active', d.verified_at IS NOT NULL
        INTO tenant_id, tenant_status, directory_version, v_slug, v_ids, suspended, proven
        FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
        JOIN public.tenant_domains d ON d.id = a.domain_id
        WHERE a.address IN (p_address, v_bare)
        ORDER BY a.address <> p_address LIMIT 1;
    IF FOUND THEN
        EXECUTE format('SELECT %I.mailbox_rules($1)', 'org_' || v_slug) INTO mailboxes USING v_ids;
        RETURN NEXT;
        RETURN;
    END IF;
    -- Aliases are the organisation's own; the domain tells whose, and one that
    -- is proven goes before one that is only claimed.
    FOR tenant_id, tenant_status, directory_version, v_slug, proven IN
        SELECT t.id, t.status, t.directory_version, t.slug, d.verified_at IS NOT NULL
        FROM public.tenant_domains d JOIN public.tenants t ON t.id = d.tenant_id
        WHERE d.domain = v_domain ORDER BY d.verified_at NULLS LAST, d.created_at
    LOOP
        EXECUTE format(
            'SELECT array_agg(l.address_id ORDER BY l.address_id), bool_and(a.status <> ''active'') FROM %I.aliases l
             JOIN public.email_addresses a ON a.id = l.address_id
             WHERE l.enabled AND l.alias_address = (
                SELECT x.alias_address FROM %1$I.aliases x WHERE x.enabled AND x.alias_address IN ($1, $2, $3)
                ORDER BY array_position(ARRAY[$1, $2, $3], x.alias_address) LIMIT 1)',
            'org_' || v_slug)
        INTO v_ids, suspended USING p_address, v_bare, '@' || v_domain;
        IF v_ids IS NOT NULL THEN
            EXECUTE format('SELECT %I.mailbox_rules($1)', 'org_' || v_slug) INTO mailboxes USING v_ids;
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION public.resolve_recipient IS 'The mailboxes behind a recipient with their rules: no row when there are none. The address must be in its canonical form.';
REVOKE ALL ON FUNCTION public.resolve_recipient FROM PUBLIC;

-- Is there room for a message in each of these mailboxes? For those with a
-- quota only; whoever asks knows which have one.
CREATE FUNCTION public.mailbox_room(p_tenant uuid, p_mailboxes uuid[], p_size bigint, OUT is_full boolean, OUT never_fits boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_slug text;
BEGIN
    SELECT t.slug INTO v_slug FROM public.tenants t WHERE t.id = p_tenant;
    EXECUTE format(
        'SELECT coalesce(bool_or(u.bytes + greatest($2, 1) > q.bytes OR u.messages + 1 > q.messages), false),
                coalesce(bool_or($2 > q.bytes), false)
         FROM (SELECT a.id, coalesce(a.quota_bytes, t.default_quota_bytes) AS bytes, a.quota_messages AS messages
               FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
               WHERE a.id = ANY ($1)) q
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(f.size_bytes), 0) AS bytes, coalesce(sum(f.message_count), 0) AS messages
               FROM %I.folders f WHERE f.address_id = q.id) u', 'org_' || v_slug)
        INTO is_full, never_fits USING p_mailboxes, p_size;
END $$;
COMMENT ON FUNCTION public.mailbox_room IS 'Whether one of these mailboxes has no room for that many octets now, or never will.';
REVOKE ALL ON FUNCTION public.mailbox_room FROM PUBLIC;

-- Stores one message for one organisation, whole or not at all: email, source,
-- attachments, thread, an entry with UID and MODSEQ in every target folder.
-- Called alone it is its own transaction: one round trip for a delivery.
--
-- The work is done by the organisation's own deliver_email(), so that plans
-- stay cached however often a connection goes from one organisation to another.
--
-- p_fields: the small columns of emails by name, base_subject, and the directory_version that p_targets and
--     p_actions were made by: KX002 when it is no longer the last one.
-- p_targets: [{"address_id", "folder_id"?, "folder"?, "special_use"?, "seen"?, "answered"?, "flagged"?, "draft"?,
--     "keywords"?}]; without a folder, or with one that is gone, the INBOX. One entry per folder.
-- p_actions: what the rules of the mailboxes want besides; see act_on_email. '{}' for nearly every message.
CREATE FUNCTION public.store_email(
    p_tenant uuid, p_fields jsonb, p_text text, p_parts jsonb, p_envelope bytea, p_body bytea,
    p_body_structure bytea, p_header bytea, p_skeleton bytea, p_cuts jsonb, p_attachments jsonb, p_targets jsonb,
    p_actions jsonb,
    OUT email_id uuid, OUT thread_id uuid, OUT duplicate boolean,
    OUT folder_ids uuid[], OUT uids bigint[], OUT modseqs bigint[], OUT uidvalidities bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.enter_tenant(p_tenant);
    EXECUTE 'SELECT * FROM deliver_email($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)'
        INTO email_id, thread_id, duplicate, folder_ids, uids, modseqs, uidvalidities
        USING p_tenant, p_fields, p_text, p_parts, p_envelope, p_body, p_body_structure, p_header, p_skeleton, p_cuts,
            p_attachments, p_targets, p_actions;
END $$;
COMMENT ON FUNCTION public.store_email IS 'Stores one message of one organisation with its folder entries; the one way a message gets in.';
REVOKE ALL ON FUNCTION public.store_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.store_email TO koltrix_tenant;

-- The tenant's role may not write public.tenants; this one step it may take.
CREATE FUNCTION public.note_first_mail(p_tenant uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.tenants t SET first_mail_at = now()
        WHERE t.id = p_tenant AND t.first_mail_at IS NULL AND current_setting('role') = public.tenant_role(p_tenant);
END $$;
COMMENT ON FUNCTION public.note_first_mail IS 'Onboarding: the first message has arrived.';
REVOKE ALL ON FUNCTION public.note_first_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.note_first_mail TO koltrix_tenant;

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
