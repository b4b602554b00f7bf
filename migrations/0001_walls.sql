-- The ground: organisations, the walls between them, and what provisions one.
--
-- Every organisation has a schema org_<slug> and a database role of its own
-- that can reach this schema only. Row-level security on the public tables
-- knows the organisation by that role, so nothing a query says can widen it.

-- What every organisation's role may do in public is granted to this group.
-- Roles belong to the whole cluster, so another database may have made it.
DO $$
BEGIN
    CREATE ROLE koltrix_tenant NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT USAGE ON SCHEMA public TO koltrix_tenant;

CREATE TABLE public.tenants (
    id uuid CONSTRAINT tenants_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    slug text NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active',
    onboarding_state text NOT NULL DEFAULT 'created',
    default_quota_bytes bigint,
    track_opens boolean NOT NULL DEFAULT false,
    track_clicks boolean NOT NULL DEFAULT false,
    first_mail_at timestamptz,
    first_sent_at timestamptz,
    suspended_at timestamptz,
    directory_version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_slug_key UNIQUE (slug),
    CONSTRAINT tenants_slug_check CHECK (
        slug ~ '^[a-z][a-z0-9_]{0,39}$'
        AND slug NOT IN ('public', 'template', 'postgres', 'pg_catalog', 'information_schema', 'koltrix', 'admin', 'system')
    ),
    CONSTRAINT tenants_name_check CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT tenants_onboarding_state_check CHECK (
        onboarding_state IN ('created', 'domain_added', 'dns_verified', 'mailbox_created', 'first_mail', 'live')
    ),
    CONSTRAINT tenants_default_quota_bytes_check CHECK (default_quota_bytes > 0)
);
COMMENT ON TABLE public.tenants IS 'Organisations. An INSERT provisions the schema org_<slug> in the same transaction.';
COMMENT ON COLUMN public.tenants.slug IS 'Names the schema org_<slug>; never changes.';
COMMENT ON COLUMN public.tenants.status IS 'A suspended organisation neither sends nor receives nor logs in, and loses nothing.';
COMMENT ON COLUMN public.tenants.onboarding_state IS 'The last step reached without a gap; see advance_onboarding().';
COMMENT ON COLUMN public.tenants.default_quota_bytes IS 'For mailboxes that state no quota; NULL is unlimited.';
COMMENT ON COLUMN public.tenants.track_opens IS 'Default for mailboxes that do not say; people''s own mail is untracked unless this is set.';
COMMENT ON COLUMN public.tenants.track_clicks IS 'As track_opens, for links.';
COMMENT ON COLUMN public.tenants.first_mail_at IS 'When the first message was received.';
COMMENT ON COLUMN public.tenants.first_sent_at IS 'When the first message was delivered for this organisation.';
COMMENT ON COLUMN public.tenants.directory_version IS 'Moves with every change of what recipients resolve to and of the rules of mailboxes; what stores a message asks whether it still knows the last one.';

-- The role of an organisation is named by its id: unique over all databases of
-- the cluster, and readable back without a table.
CREATE FUNCTION public.tenant_role(p_tenant uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'kx_' || replace(p_tenant::text, '-', '');
COMMENT ON FUNCTION public.tenant_role IS 'The database role of an organisation.';

-- NULL for every role that is no organisation's.
CREATE FUNCTION public.current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN starts_with(current_user, 'kx_') THEN substr(current_user, 4)::uuid END;
COMMENT ON FUNCTION public.current_tenant IS 'The organisation whose role is in force. What row-level security asks.';

-- Turns the transaction at hand into the organisation's own: its role and its
-- search_path, both until the transaction ends.
CREATE FUNCTION public.enter_tenant(p_tenant uuid) RETURNS void
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
    -- messages later.
    PERFORM set_config('search_path', 'org_' || v_slug || ', public', true),
            set_config('enable_seqscan', 'off', true),
            set_config('role', public.tenant_role(p_tenant), true);
END $$;
COMMENT ON FUNCTION public.enter_tenant IS 'First call of every transaction that touches an organisation''s tables.';

-- One wall, written once: a table of public whose rows belong to a tenant.
CREATE PROCEDURE public.wall(p_table regclass, p_privileges text)
LANGUAGE plpgsql AS $$
DECLARE
    v_column text := CASE WHEN p_table = 'public.tenants'::regclass THEN 'id' ELSE 'tenant_id' END;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('CREATE POLICY own_rows ON %s USING (%I = public.current_tenant())', p_table, v_column);
    EXECUTE format('CREATE POLICY server ON %s TO %I USING (true)', p_table, current_user);
    EXECUTE format('GRANT %s ON %s TO koltrix_tenant', p_privileges, p_table);
END $$;
COMMENT ON PROCEDURE public.wall IS 'Row-level security and grants for one public table: an organisation sees its own rows, the server all.';
REVOKE ALL ON PROCEDURE public.wall FROM PUBLIC;

CALL public.wall('public.tenants', 'SELECT');

-- What an org schema is made of, in order. The migrator keeps this table: a
-- migration named NNNN_tenant_* is run in every org schema there is and kept
-- here for those to come.
CREATE TABLE public.tenant_migrations (
    id uuid CONSTRAINT tenant_migrations_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    body text NOT NULL,
    CONSTRAINT tenant_migrations_name_key UNIQUE (name)
);
COMMENT ON TABLE public.tenant_migrations IS 'The text that makes an org schema, applied in the order of name.';

-- What an organisation's rows say about rows of public: a mailbox, a user. Not
-- by foreign keys: each would hang two triggers on the table of public, for
-- every organisation, and with hundreds of them whoever opens that table reads
-- tens of thousands. One trigger here and one there keep the same promise.
CREATE TABLE public.tenant_references (
    id uuid CONSTRAINT tenant_references_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    table_name text NOT NULL,
    column_name text NOT NULL,
    target text NOT NULL,
    on_delete text NOT NULL,
    CONSTRAINT tenant_references_table_name_column_name_key UNIQUE (table_name, column_name),
    CONSTRAINT tenant_references_target_check CHECK (target IN ('email_addresses', 'tenant_users')),
    CONSTRAINT tenant_references_on_delete_check CHECK (on_delete IN ('cascade', 'set_null'))
);
COMMENT ON TABLE public.tenant_references IS 'Columns of the tenant tables that hold ids of public tables, and what becomes of a row whose target is deleted.';

-- A row of an org schema may name only what is there and the organisation's.
CREATE FUNCTION public.check_reference() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    v_there boolean;
BEGIN
    IF v_id IS NOT NULL THEN
        -- Locked as a foreign key would, so that it cannot go meanwhile.
        EXECUTE pg_catalog.format(
            'SELECT true FROM public.%I x JOIN public.tenants t ON t.id = x.tenant_id
             WHERE x.id = $1 AND ''org_'' || t.slug = $2 FOR KEY SHARE OF x', TG_ARGV[1])
        INTO v_there USING v_id, TG_TABLE_SCHEMA;
        IF v_there IS NULL THEN
            RAISE EXCEPTION 'insert or update on table "%" violates foreign key constraint "%"', TG_TABLE_NAME, TG_NAME
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME,
                    SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
        END IF;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.check_reference IS 'Trigger of refers(): the row of public that is named exists and is the organisation''s.';

-- And goes, or forgets it, when that is deleted.
CREATE FUNCTION public.drop_references() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_schema text;
    v_reference record;
BEGIN
    SELECT 'org_' || t.slug INTO v_schema FROM public.tenants t WHERE t.id = OLD.tenant_id;
    IF NOT FOUND THEN
        RETURN NULL; -- The organisation goes, and its schema with it.
    END IF;
    FOR v_reference IN SELECT * FROM public.tenant_references r WHERE r.target = TG_TABLE_NAME
        ORDER BY r.table_name, r.column_name
    LOOP
        EXECUTE pg_catalog.format(
            CASE v_reference.on_delete
                WHEN 'cascade' THEN 'DELETE FROM %I.%I WHERE %3$I = $1'
                ELSE 'UPDATE %I.%I SET %3$I = NULL WHERE %3$I = $1'
            END, v_schema, v_reference.table_name, v_reference.column_name)
        USING OLD.id;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.drop_references IS 'Trigger: what an organisation''s rows said about a row of public that is gone.';
REVOKE ALL ON FUNCTION public.check_reference, public.drop_references FROM PUBLIC;

-- For tenant migrations, after the table is made.
CREATE PROCEDURE public.refers(p_table text, p_column text, p_target text, p_on_delete text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OF %I ON %I.%I
         FOR EACH ROW EXECUTE FUNCTION public.check_reference(%L, %L)',
        p_table || '_' || p_column || '_fkey', p_column, current_schema(), p_table, p_column, p_target);
    INSERT INTO public.tenant_references (table_name, column_name, target, on_delete)
        VALUES (p_table, p_column, p_target, p_on_delete) ON CONFLICT DO NOTHING;
END $$;
COMMENT ON PROCEDURE public.refers IS 'A column of a tenant table holds ids of a table of public; see tenant_references.';
REVOKE ALL ON PROCEDURE public.refers FROM PUBLIC;

-- Runs one piece of that text inside one org schema. What it creates belongs
-- to the server; the organisation's role may use it and change no table.
CREATE FUNCTION public.apply_tenant_migration(p_slug text, p_body text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_catalog.set_config('search_path', pg_catalog.quote_ident('org_' || p_slug) || ', public', true);
    EXECUTE p_body;
END $$;
COMMENT ON FUNCTION public.apply_tenant_migration IS 'Runs one tenant migration in one org schema.';
REVOKE ALL ON FUNCTION public.apply_tenant_migration FROM PUBLIC;

CREATE FUNCTION public.provision_tenant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_schema text := 'org_' || NEW.slug;
    v_role text := public.tenant_role(NEW.id);
    v_body text;
BEGIN
    EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', v_role);
    EXECUTE pg_catalog.format('GRANT koltrix_tenant TO %I', v_role);
    -- SET ROLE needs membership, also of a server that is no superuser.
    EXECUTE pg_catalog.format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', v_role, current_user);
    EXECUTE pg_catalog.format('CREATE SCHEMA %I', v_schema);
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', v_schema, v_role);
    -- For every table to come. GRANT ON ALL TABLES would look through the tables of all organisations.
    EXECUTE pg_catalog.format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', v_schema, v_role);
    FOR v_body IN SELECT m.body FROM public.tenant_migrations m ORDER BY m.name COLLATE "C" LOOP
        PERFORM public.apply_tenant_migration(NEW.slug, v_body);
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.provision_tenant IS 'Makes the role and the schema of a new organisation, in its INSERT''s transaction.';
CREATE TRIGGER tenants_provision AFTER INSERT ON public.tenants
    FOR EACH ROW EXECUTE FUNCTION public.provision_tenant();

CREATE FUNCTION public.unprovision_tenant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE pg_catalog.format('DROP SCHEMA %I CASCADE', 'org_' || OLD.slug);
    EXECUTE pg_catalog.format('DROP ROLE %I', public.tenant_role(OLD.id));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.unprovision_tenant IS 'Drops what provision_tenant() made, in the DELETE''s transaction.';
-- A trigger of one's own, on a table of one's own, could call these for anybody.
REVOKE ALL ON FUNCTION public.provision_tenant, public.unprovision_tenant FROM PUBLIC;
CREATE TRIGGER tenants_unprovision AFTER DELETE ON public.tenants
    FOR EACH ROW EXECUTE FUNCTION public.unprovision_tenant();

CREATE FUNCTION public.keep_tenant_identity() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.slug <> OLD.slug OR NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'the slug and id of an organisation never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tenants_identity';
    END IF;
    NEW.updated_at := now();
    NEW.directory_version := OLD.directory_version + 1;
    NEW.suspended_at := CASE WHEN NEW.status = 'active' THEN NULL ELSE coalesce(NEW.suspended_at, now()) END;
    RETURN NEW;
END $$;
CREATE TRIGGER tenants_keep_identity BEFORE UPDATE ON public.tenants
    FOR EACH ROW EXECUTE FUNCTION public.keep_tenant_identity();

-- Rows that say when they last changed.
CREATE FUNCTION public.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;

-- Tells every node about a change. The server's own connections set
-- koltrix.quiet, since a NOTIFY serialises the commits of the whole database:
-- for the queue, where changes are many, they tell in their own way.
CREATE FUNCTION public.announce() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_ARGV[0] <> 'kx_queue' OR coalesce(current_setting('koltrix.quiet', true), '') <> 'on' THEN
        PERFORM pg_notify(TG_ARGV[0], '');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.announce IS 'NOTIFY on the channel given; the queue''s only where the change is not the server''s own.';

-- What recipients resolve to has changed, or the rules of a mailbox. Once in a
-- transaction is enough: every UPDATE of the row moves the version. For tables
-- of an org schema the argument is "schema", for those of public "tenant".
CREATE FUNCTION public.move_directory() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_ARGV[0] = 'schema' THEN
        UPDATE public.tenants t SET directory_version = t.directory_version + 1
            WHERE t.slug = substr(TG_TABLE_SCHEMA, 5) AND t.xmin <> pg_current_xact_id()::xid;
    ELSE
        UPDATE public.tenants t SET directory_version = t.directory_version + 1
            WHERE t.id IN (NEW.tenant_id, OLD.tenant_id) AND t.xmin <> pg_current_xact_id()::xid;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.move_directory IS 'Trigger: the organisation''s directory_version moves, and with it everybody is told.';
REVOKE ALL ON FUNCTION public.move_directory FROM PUBLIC;
