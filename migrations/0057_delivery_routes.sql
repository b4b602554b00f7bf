-- How an organisation's mail leaves, where it does not go straight to its recipients' servers.

CREATE TABLE public.delivery_routes (
    id uuid CONSTRAINT delivery_routes_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    domain_id uuid,
    host text,
    port integer NOT NULL DEFAULT 587,
    tls text NOT NULL DEFAULT 'starttls',
    username text,
    password_sealed bytea,
    auth_in_clear boolean NOT NULL DEFAULT false,
    source_address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT delivery_routes_tenant_id_domain_id_key UNIQUE NULLS NOT DISTINCT (tenant_id, domain_id),
    CONSTRAINT delivery_routes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT delivery_routes_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.tenant_domains (id) ON DELETE CASCADE,
    CONSTRAINT delivery_routes_host_check CHECK (host ~ '^[A-Za-z0-9.:-]{1,253}$'),
    CONSTRAINT delivery_routes_port_check CHECK (port BETWEEN 1 AND 65535),
    CONSTRAINT delivery_routes_tls_check CHECK (tls IN ('opportunistic', 'starttls', 'implicit')),
    CONSTRAINT delivery_routes_login_check CHECK (
        (username IS NULL) = (password_sealed IS NULL) AND (username IS NULL OR host IS NOT NULL)
        AND length(username) BETWEEN 1 AND 255),
    CONSTRAINT delivery_routes_source_address_check CHECK (
        masklen(source_address) = CASE family(source_address) WHEN 4 THEN 32 ELSE 128 END),
    CONSTRAINT delivery_routes_way_check CHECK (host IS NOT NULL OR source_address IS NOT NULL)
);
CREATE INDEX delivery_routes_domain_id_idx ON public.delivery_routes (domain_id);
COMMENT ON TABLE public.delivery_routes IS 'Smarthosts and source addresses for mail that leaves. A route of the domain in From comes before that of the organisation.';
COMMENT ON COLUMN public.delivery_routes.domain_id IS 'Mail from this domain only; NULL: all of the organisation''s.';
COMMENT ON COLUMN public.delivery_routes.host IS 'The smarthost, a name or an address; NULL: straight to the recipients'' servers.';
COMMENT ON COLUMN public.delivery_routes.tls IS 'opportunistic: whoever answers, in the clear if need be. starttls and implicit: only under TLS with a host that proves its name.';
COMMENT ON COLUMN public.delivery_routes.password_sealed IS 'Sealed with AES-256-GCM under the server''s master key; the row''s id is the associated data.';
COMMENT ON COLUMN public.delivery_routes.auth_in_clear IS 'The password may be sent without TLS.';
COMMENT ON COLUMN public.delivery_routes.source_address IS 'The address of this server that connections are made from.';
CALL public.wall('public.delivery_routes', 'SELECT, INSERT, UPDATE, DELETE');
CREATE TRIGGER delivery_routes_announce AFTER INSERT OR UPDATE OR DELETE ON public.delivery_routes
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');

ALTER TABLE public.delivery_attempts ADD COLUMN route text;
COMMENT ON COLUMN public.delivery_attempts.route IS 'The smarthost or source address that it was made by, for people; NULL: straight to the recipient''s server.';
