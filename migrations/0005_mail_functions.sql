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
-- The work is done by the organisation's own deliver_email(), so that plans
-- stay cached however often a connection goes from one organisation to another.
--
-- p_fields: the small columns of emails by name, and base_subject.
-- p_targets: [{"address_id", "folder_id"?, "seen"?, "answered"?, "flagged"?, "draft"?, "keywords"?}];
--     without folder_id, or with one that is gone, the INBOX. One entry per folder.
CREATE FUNCTION public.store_email(
    p_tenant uuid, p_fields jsonb, p_text text, p_parts jsonb, p_envelope bytea, p_body bytea,
    p_body_structure bytea, p_header bytea, p_skeleton bytea, p_cuts jsonb, p_attachments jsonb, p_targets jsonb,
    OUT email_id uuid, OUT thread_id uuid, OUT duplicate boolean,
    OUT folder_ids uuid[], OUT uids bigint[], OUT modseqs bigint[], OUT uidvalidities bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.enter_tenant(p_tenant);
    EXECUTE 'SELECT * FROM deliver_email($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)'
        INTO email_id, thread_id, duplicate, folder_ids, uids, modseqs, uidvalidities
        USING p_tenant, p_fields, p_text, p_parts, p_envelope, p_body, p_body_structure, p_header, p_skeleton, p_cuts,
            p_attachments, p_targets;
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
