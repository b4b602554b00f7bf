-- Turns the transaction at hand into the organisation's own: its role and its
-- search_path, both until the transaction ends.
CREATE OR REPLACE FUNCTION public.enter_tenant(p_tenant uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_slug text;
BEGIN
    SELECT t.slug INTO v_slug FROM public.tenants t WHERE t.id = p_tenant;
    IF NOT FOUND OR to_regnamespace('org_' || v_slug) IS NULL THEN
        RAISE EXCEPTION 'no schema for tenant %', p_tenant USING ERRCODE = 'invalid_schema_name';
    END IF;
    -- What is asked here has an index. A plan made while a table is empty would
    -- read all of it, and stays until the table is analysed: thousands of
    -- messages later. And there is one good plan whatever the parameters are:
    -- arrays among them would have the statement planned anew each time, which
    -- takes longer than running it.
    PERFORM set_config('search_path', 'org_' || v_slug || ', public', true),
            set_config('enable_seqscan', 'off', true),
            set_config('plan_cache_mode', 'force_generic_plan', true),
            set_config('role', public.tenant_role(p_tenant), true);
END $$;
