-- The directory: domains, people, mailboxes and their credentials.

CREATE TABLE public.tenant_domains (
    id uuid CONSTRAINT tenant_domains_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    domain text NOT NULL,
    verification_token text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
    verified_at timestamptz,
    checked_at timestamptz,
    check_report jsonb,
    tracking_host text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_domains_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT tenant_domains_tenant_id_domain_key UNIQUE (tenant_id, domain),
    CONSTRAINT tenant_domains_domain_check CHECK (
        domain = lower(domain) AND length(domain) BETWEEN 1 AND 253 AND domain !~ '[[:space:][:cntrl:]@/\\]'
    ),
    CONSTRAINT tenant_domains_verification_token_check CHECK (verification_token ~ '^[0-9a-f]{32}$'),
    CONSTRAINT tenant_domains_tracking_host_check CHECK (tracking_host = lower(tracking_host))
);
CREATE UNIQUE INDEX tenant_domains_verified_key ON public.tenant_domains (domain) WHERE verified_at IS NOT NULL;
CREATE INDEX tenant_domains_domain_idx ON public.tenant_domains (domain);
COMMENT ON TABLE public.tenant_domains IS 'Domains of an organisation. Several may claim one; only one can prove it, and only the proven one sends.';
COMMENT ON COLUMN public.tenant_domains.verification_token IS 'To be published as TXT _koltrix.<domain> "koltrix-verify=<token>".';
COMMENT ON COLUMN public.tenant_domains.verified_at IS 'When the DNS records proved that the domain is this organisation''s; NULL: it may not send.';
COMMENT ON COLUMN public.tenant_domains.check_report IS 'The last DNS check: record by record what was wanted and found.';
COMMENT ON COLUMN public.tenant_domains.tracking_host IS 'Host of tracking links for mail from this domain; NULL is the server''s own.';

CREATE TABLE public.domain_keys (
    id uuid CONSTRAINT domain_keys_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    domain_id uuid NOT NULL,
    selector text NOT NULL,
    algorithm text NOT NULL,
    private_key_sealed bytea NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    active_from timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT domain_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT domain_keys_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.tenant_domains (id) ON DELETE CASCADE,
    CONSTRAINT domain_keys_domain_id_selector_key UNIQUE (domain_id, selector),
    CONSTRAINT domain_keys_selector_check CHECK (selector ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    CONSTRAINT domain_keys_algorithm_check CHECK (algorithm IN ('rsa-sha256', 'ed25519-sha256'))
);
CREATE INDEX domain_keys_tenant_id_idx ON public.domain_keys (tenant_id);
CREATE UNIQUE INDEX domain_keys_current_key ON public.domain_keys (domain_id, algorithm) WHERE retired_at IS NULL;
COMMENT ON TABLE public.domain_keys IS 'DKIM keys (RFC 6376, RFC 8463). One of each algorithm is current; a retired one stays published until removed.';
COMMENT ON COLUMN public.domain_keys.private_key_sealed IS 'PKCS#8, sealed with AES-256-GCM under the server''s master key; the row''s id is the associated data.';
COMMENT ON COLUMN public.domain_keys.public_key IS 'What the p= tag of the DNS record carries, decoded.';
COMMENT ON COLUMN public.domain_keys.active_from IS 'Signing begins then; before it the record is published only.';

CREATE TABLE public.tenant_users (
    id uuid CONSTRAINT tenant_users_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    clerk_user_id text NOT NULL,
    email text,
    display_name text,
    role text NOT NULL DEFAULT 'member',
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT tenant_users_tenant_id_clerk_user_id_key UNIQUE (tenant_id, clerk_user_id),
    CONSTRAINT tenant_users_clerk_user_id_check CHECK (length(clerk_user_id) BETWEEN 1 AND 200),
    CONSTRAINT tenant_users_role_check CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    CONSTRAINT tenant_users_status_check CHECK (status IN ('active', 'disabled'))
);
CREATE INDEX tenant_users_clerk_user_id_idx ON public.tenant_users (clerk_user_id);
COMMENT ON TABLE public.tenant_users IS 'Which Clerk user belongs to which organisation, and as what.';

CREATE TABLE public.email_addresses (
    id uuid CONSTRAINT email_addresses_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    domain_id uuid NOT NULL,
    user_id uuid,
    address text NOT NULL,
    display_name text,
    password_hash text,
    status text NOT NULL DEFAULT 'active',
    quota_bytes bigint,
    quota_messages bigint,
    track_opens boolean,
    track_clicks boolean,
    save_sent boolean NOT NULL DEFAULT false,
    last_uidvalidity bigint NOT NULL DEFAULT 0,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_addresses_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT email_addresses_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.tenant_domains (id) ON DELETE CASCADE,
    CONSTRAINT email_addresses_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.tenant_users (id) ON DELETE SET NULL,
    CONSTRAINT email_addresses_address_key UNIQUE (address),
    CONSTRAINT email_addresses_address_check CHECK (
        address = lower(address) AND length(address) <= 254
        AND address ~ '^[^[:space:][:cntrl:]@%!"\\]{1,64}@[^[:space:][:cntrl:]@/\\]+$'
    ),
    CONSTRAINT email_addresses_password_hash_check CHECK (password_hash LIKE '$argon2id$%'),
    CONSTRAINT email_addresses_status_check CHECK (status IN ('active', 'suspended')),
    CONSTRAINT email_addresses_quota_bytes_check CHECK (quota_bytes > 0),
    CONSTRAINT email_addresses_quota_messages_check CHECK (quota_messages > 0)
);
CREATE INDEX email_addresses_tenant_id_idx ON public.email_addresses (tenant_id);
CREATE INDEX email_addresses_domain_id_idx ON public.email_addresses (domain_id);
CREATE INDEX email_addresses_user_id_idx ON public.email_addresses (user_id);
COMMENT ON TABLE public.email_addresses IS 'The mailboxes. A row is a working one: it receives, and logs in once it has a password.';
COMMENT ON COLUMN public.email_addresses.domain_id IS 'Filled from the address when not given; an unknown domain is added, unverified.';
COMMENT ON COLUMN public.email_addresses.password_hash IS 'Argon2id in PHC form; NULL: only app passwords open this mailbox.';
COMMENT ON COLUMN public.email_addresses.quota_bytes IS 'NULL takes the organisation''s default.';
COMMENT ON COLUMN public.email_addresses.track_opens IS 'NULL takes the organisation''s setting.';
COMMENT ON COLUMN public.email_addresses.last_uidvalidity IS 'The highest UIDVALIDITY any folder of this mailbox ever had.';
COMMENT ON COLUMN public.email_addresses.save_sent IS 'Keep a copy of submitted mail in Sent, for clients that do not do it themselves.';

CREATE TABLE public.app_passwords (
    id uuid CONSTRAINT app_passwords_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    address_id uuid NOT NULL,
    name text NOT NULL,
    secret_sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT app_passwords_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT app_passwords_address_id_fkey FOREIGN KEY (address_id) REFERENCES public.email_addresses (id) ON DELETE CASCADE,
    CONSTRAINT app_passwords_address_id_secret_sha256_key UNIQUE (address_id, secret_sha256),
    CONSTRAINT app_passwords_name_check CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT app_passwords_secret_sha256_check CHECK (octet_length(secret_sha256) = 32)
);
CREATE INDEX app_passwords_tenant_id_idx ON public.app_passwords (tenant_id);
COMMENT ON TABLE public.app_passwords IS 'Passwords for one client each, made by the server from 120 random bits.';
COMMENT ON COLUMN public.app_passwords.secret_sha256 IS 'A plain digest is enough for a secret that cannot be guessed.';

CALL public.wall('public.tenant_domains', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.domain_keys', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.tenant_users', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.email_addresses', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.app_passwords', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TRIGGER tenant_users_touch BEFORE UPDATE ON public.tenant_users
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();

CREATE FUNCTION public.normalise_domain() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.domain := lower(rtrim(NEW.domain, '.'));
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_domains_normalise BEFORE INSERT OR UPDATE ON public.tenant_domains
    FOR EACH ROW EXECUTE FUNCTION public.normalise_domain();

-- Lower case, and the domain's row found or made, so that one INSERT by any
-- program is a whole mailbox. A domain that another organisation has proven
-- cannot be used.
CREATE FUNCTION public.complete_email_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_domain text;
BEGIN
    NEW.address := lower(NEW.address);
    v_domain := substr(NEW.address, strpos(NEW.address, '@') + 1);
    IF EXISTS (SELECT 1 FROM public.tenant_domains d
               WHERE d.domain = v_domain AND d.verified_at IS NOT NULL AND d.tenant_id <> NEW.tenant_id) THEN
        RAISE EXCEPTION 'the domain % belongs to another organisation', v_domain
            USING ERRCODE = 'check_violation', CONSTRAINT = 'email_addresses_domain_owner';
    END IF;
    SELECT d.id INTO NEW.domain_id FROM public.tenant_domains d
        WHERE d.tenant_id = NEW.tenant_id AND d.domain = v_domain;
    IF NOT FOUND THEN
        INSERT INTO public.tenant_domains (tenant_id, domain) VALUES (NEW.tenant_id, v_domain)
            ON CONFLICT ON CONSTRAINT tenant_domains_tenant_id_domain_key DO UPDATE SET domain = excluded.domain
            RETURNING id INTO NEW.domain_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER email_addresses_complete BEFORE INSERT OR UPDATE OF address, tenant_id, domain_id ON public.email_addresses
    FOR EACH ROW EXECUTE FUNCTION public.complete_email_address();
CREATE TRIGGER email_addresses_touch BEFORE UPDATE ON public.email_addresses
    FOR EACH ROW WHEN (OLD.last_uidvalidity = NEW.last_uidvalidity) EXECUTE FUNCTION public.touch_updated_at();

-- Every mailbox has the folders that clients expect (RFC 6154).
CREATE FUNCTION public.provision_folders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_slug text;
BEGIN
    SELECT t.slug INTO STRICT v_slug FROM public.tenants t WHERE t.id = NEW.tenant_id;
    EXECUTE format(
        'INSERT INTO %I.folders (address_id, name, special_use)
         SELECT $1, f.name, f.use FROM (VALUES (''INBOX'', ''inbox''), (''Drafts'', ''drafts''), (''Sent'', ''sent''),
             (''Junk'', ''junk''), (''Trash'', ''trash''), (''Archive'', ''archive'')) AS f (name, use)',
        'org_' || v_slug) USING NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER email_addresses_folders AFTER INSERT ON public.email_addresses
    FOR EACH ROW EXECUTE FUNCTION public.provision_folders();

-- The furthest step that is reached with none left out before it.
CREATE FUNCTION public.advance_onboarding(p_tenant uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.tenants t SET onboarding_state = s.state
    FROM (SELECT CASE
            WHEN NOT EXISTS (SELECT 1 FROM public.tenant_domains d WHERE d.tenant_id = p_tenant) THEN 'created'
            WHEN NOT EXISTS (SELECT 1 FROM public.tenant_domains d
                             WHERE d.tenant_id = p_tenant AND d.verified_at IS NOT NULL) THEN 'domain_added'
            WHEN NOT EXISTS (SELECT 1 FROM public.email_addresses a WHERE a.tenant_id = p_tenant) THEN 'dns_verified'
            WHEN o.first_mail_at IS NULL THEN 'mailbox_created'
            WHEN o.first_sent_at IS NULL THEN 'first_mail'
            ELSE 'live' END AS state
          FROM public.tenants o WHERE o.id = p_tenant) s
    WHERE t.id = p_tenant AND t.onboarding_state <> s.state;
$$;
REVOKE ALL ON FUNCTION public.advance_onboarding FROM PUBLIC;

CREATE FUNCTION public.onboarding_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.advance_onboarding((to_jsonb(NEW) ->> TG_ARGV[0])::uuid);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.complete_email_address, public.provision_folders, public.onboarding_moved FROM PUBLIC;
CREATE TRIGGER tenants_onboarding AFTER UPDATE OF first_mail_at, first_sent_at ON public.tenants
    FOR EACH ROW EXECUTE FUNCTION public.onboarding_moved('id');
CREATE TRIGGER tenant_domains_onboarding AFTER INSERT OR UPDATE OF verified_at ON public.tenant_domains
    FOR EACH ROW EXECUTE FUNCTION public.onboarding_moved('tenant_id');
CREATE TRIGGER email_addresses_onboarding AFTER INSERT ON public.email_addresses
    FOR EACH ROW EXECUTE FUNCTION public.onboarding_moved('tenant_id');

-- Other programs write these tables; whoever caches them is told. A new
-- domain gets its DKIM keys from the node that hears of it first.
CREATE TRIGGER tenants_announce AFTER UPDATE ON public.tenants
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER email_addresses_announce
    AFTER INSERT OR DELETE OR UPDATE OF address, status, password_hash, tenant_id ON public.email_addresses
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER app_passwords_announce AFTER INSERT OR UPDATE OR DELETE ON public.app_passwords
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER tenant_domains_announce AFTER INSERT OR UPDATE OR DELETE ON public.tenant_domains
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER email_addresses_move_directory
    AFTER INSERT OR DELETE OR UPDATE OF address, status, display_name, quota_bytes, quota_messages, tenant_id
    ON public.email_addresses FOR EACH ROW EXECUTE FUNCTION public.move_directory('tenant');
CREATE TRIGGER tenant_domains_move_directory
    AFTER INSERT OR DELETE OR UPDATE OF domain, verified_at, tenant_id
    ON public.tenant_domains FOR EACH ROW EXECUTE FUNCTION public.move_directory('tenant');

-- What the organisations' own tables say about these rows goes with them.
CREATE TRIGGER email_addresses_references AFTER DELETE ON public.email_addresses
    FOR EACH ROW EXECUTE FUNCTION public.drop_references();
CREATE TRIGGER tenant_users_references AFTER DELETE ON public.tenant_users
    FOR EACH ROW EXECUTE FUNCTION public.drop_references();
