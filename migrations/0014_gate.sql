-- What an organisation can turn on against unwanted mail, and what a filter is yet to learn.

CREATE TABLE public.tenant_mail_settings (
    id uuid CONSTRAINT tenant_mail_settings_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    greylisting boolean NOT NULL DEFAULT false,
    greylist_seconds integer NOT NULL DEFAULT 300,
    dns_blocklists text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_mail_settings_tenant_id_key UNIQUE (tenant_id),
    CONSTRAINT tenant_mail_settings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT tenant_mail_settings_greylist_seconds_check CHECK (greylist_seconds BETWEEN 1 AND 86400),
    CONSTRAINT tenant_mail_settings_dns_blocklists_check CHECK (
        cardinality(dns_blocklists) <= 5
        AND array_to_string(dns_blocklists, ' ', '?') ~ '^([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+( |$))*$')
);
COMMENT ON TABLE public.tenant_mail_settings IS 'How an organisation meets strangers at RCPT; without a row everything is off.';
COMMENT ON COLUMN public.tenant_mail_settings.greylisting IS 'Whether a stranger is asked to come again (RFC 6647).';
COMMENT ON COLUMN public.tenant_mail_settings.greylist_seconds IS 'How long a stranger has to wait before it is let in.';
COMMENT ON COLUMN public.tenant_mail_settings.dns_blocklists IS 'Zones of DNS blocklists (RFC 5782), such as {zen.spamhaus.org}; whoever is on one is refused.';
CALL public.wall('public.tenant_mail_settings', 'SELECT, INSERT, UPDATE, DELETE');
CREATE TRIGGER tenant_mail_settings_announce AFTER INSERT OR UPDATE OR DELETE ON public.tenant_mail_settings
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');

CREATE TABLE public.greylist_triplets (
    id uuid CONSTRAINT greylist_triplets_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    triplet bytea NOT NULL,
    passed boolean NOT NULL DEFAULT false,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT greylist_triplets_tenant_id_triplet_key UNIQUE (tenant_id, triplet),
    CONSTRAINT greylist_triplets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT greylist_triplets_triplet_check CHECK (octet_length(triplet) = 32)
);
CREATE INDEX greylist_triplets_last_seen_at_idx ON public.greylist_triplets (last_seen_at);
COMMENT ON TABLE public.greylist_triplets IS 'Strangers that were asked to come again, and those that did. Swept by age and number.';
COMMENT ON COLUMN public.greylist_triplets.triplet IS 'SHA-256 of client network, sender and recipient.';
CALL public.wall('public.greylist_triplets', 'SELECT, DELETE');

-- Lessons wait here until the filter has taken them: moving a message waits for nobody.
CREATE TABLE public.spam_lessons (
    id uuid CONSTRAINT spam_lessons_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    email_id uuid NOT NULL,
    spam boolean NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT spam_lessons_tenant_id_email_id_key UNIQUE (tenant_id, email_id),
    CONSTRAINT spam_lessons_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE
);
CREATE INDEX spam_lessons_next_attempt_at_idx ON public.spam_lessons (next_attempt_at);
COMMENT ON TABLE public.spam_lessons IS 'Messages that somebody moved to Junk or out of it, which rspamd is yet to learn from.';
CALL public.wall('public.spam_lessons', 'SELECT, INSERT, UPDATE, DELETE');
