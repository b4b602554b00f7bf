-- Whether an organisation knows a sender.

CREATE INDEX outbound_messages_tenant_id_recipient_idx ON public.outbound_messages (tenant_id, recipient);

-- Had mail from this address before, or written to it. An address in lower case.
CREATE FUNCTION public.sender_is_known(p_tenant uuid, p_address text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_slug text;
    v_known boolean;
BEGIN
    IF EXISTS (SELECT 1 FROM public.outbound_messages o WHERE o.tenant_id = p_tenant AND o.recipient = p_address
            AND o.source NOT IN ('bounce', 'auto_reply', 'forward')) THEN
        RETURN true;
    END IF;
    SELECT t.slug INTO v_slug FROM public.tenants t WHERE t.id = p_tenant;
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM %I.emails e
            WHERE hashtext(lower(e.from_address)) = hashtext($1) AND lower(e.from_address) = $1)', 'org_' || v_slug)
        INTO v_known USING p_address;
    RETURN v_known;
END $$;
COMMENT ON FUNCTION public.sender_is_known IS 'Whether an organisation has had mail from an address or written to it.';
REVOKE ALL ON FUNCTION public.sender_is_known FROM PUBLIC;

-- Whether a text may be an expression of the engine that asks messages, as far
-- as that can be told here: brackets that fit, nothing repeated that is not
-- there, no look-around and no reference back, which no linear engine has.
CREATE FUNCTION public.regex_is_plausible(p_text text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at int := 1;
    v_depth int := 0;
    v_class int := 0;
    v_fresh boolean := true;
    v_c text;
BEGIN
    WHILE v_at <= length(p_text) LOOP
        v_c := substr(p_text, v_at, 1);
        IF v_c = '\' THEN
            IF v_at = length(p_text) OR (v_class = 0 AND substr(p_text, v_at + 1, 1) ~ '[1-9]') THEN
                RETURN false;
            END IF;
            v_at := v_at + 1;
            v_fresh := false;
        ELSIF v_class > 0 THEN
            IF v_c = '[' THEN
                v_class := v_class + 1;
            ELSIF v_c = ']' THEN
                v_class := v_class - 1;
            END IF;
        ELSIF v_c = '[' THEN
            v_class := 1;
            v_fresh := false;
            -- One that stands first is meant literally.
            IF substr(p_text, v_at + 1, 2) = '^]' THEN
                v_at := v_at + 2;
            ELSIF substr(p_text, v_at + 1, 1) = ']' THEN
                v_at := v_at + 1;
            END IF;
        ELSIF v_c = '(' THEN
            IF substr(p_text, v_at + 1, 2) IN ('?=', '?!') OR substr(p_text, v_at + 1, 3) IN ('?<=', '?<!') THEN
                RETURN false;
            END IF;
            v_depth := v_depth + 1;
            v_fresh := true;
            IF substr(p_text, v_at + 1, 1) = '?' THEN
                v_at := v_at + 1;
            END IF;
        ELSIF v_c = ')' THEN
            v_depth := v_depth - 1;
            IF v_depth < 0 THEN
                RETURN false;
            END IF;
            v_fresh := false;
        ELSIF v_c = '|' THEN
            v_fresh := true;
        ELSIF v_c IN ('*', '+', '?') AND v_fresh THEN
            RETURN false;
        ELSE
            v_fresh := false;
        END IF;
        v_at := v_at + 1;
    END LOOP;
    RETURN v_depth = 0 AND v_class = 0;
END $$;
COMMENT ON FUNCTION public.regex_is_plausible IS 'Whether a text may be a regular expression; false only where it certainly is none.';
