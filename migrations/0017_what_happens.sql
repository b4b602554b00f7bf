-- No message is lost by being forwarded: where nobody is told that it failed,
-- the mailbox that forwards gets it. However the row of the queue comes to its
-- end, and whoever ends it.
CREATE FUNCTION public.keep_unforwarded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_slug text;
BEGIN
    SELECT t.slug INTO STRICT v_slug FROM public.tenants t WHERE t.id = NEW.tenant_id;
    EXECUTE format('SELECT %I.keep_in_inbox($1, $2, $3, $4)', 'org_' || v_slug)
        USING NEW.tenant_id, NEW.email_id, NEW.address_id, NEW.recipient;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.keep_unforwarded IS 'Trigger: what could not be forwarded, and nobody is told of, goes to the INBOX of the mailbox that forwards.';
REVOKE ALL ON FUNCTION public.keep_unforwarded FROM PUBLIC;
CREATE TRIGGER outbound_messages_keep_unforwarded AFTER UPDATE OF state ON public.outbound_messages
    FOR EACH ROW WHEN (NEW.source = 'forward' AND NEW.state <> OLD.state
        AND NEW.address_id IS NOT NULL AND NEW.email_id IS NOT NULL
        AND (NEW.state IN ('suppressed', 'cancelled')
            OR NEW.state IN ('bounced', 'expired')
                AND (NEW.reverse_path = '' OR NEW.dsn_notify <@ '{success,delay}'::text[])))
    EXECUTE FUNCTION public.keep_unforwarded();

-- activity_log fills at the steps of an organisation, never with each message.
-- Arguments: the action, its sentence, and the column that %s in it stands for.
CREATE FUNCTION public.note_activity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO public.activity_log (tenant_id, action, object_kind, object_id, summary)
        VALUES (coalesce(v_row ->> 'tenant_id', v_row ->> 'id')::uuid, TG_ARGV[0], TG_TABLE_NAME, NEW.id,
            left(regexp_replace(format(TG_ARGV[1], v_row ->> TG_ARGV[2]), '[[:cntrl:]]', ' ', 'g'), 500));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.note_activity IS 'Trigger: a sentence in activity_log about the row that changed.';
REVOKE ALL ON FUNCTION public.note_activity FROM PUBLIC;

CREATE TRIGGER tenant_domains_added AFTER INSERT ON public.tenant_domains
    FOR EACH ROW EXECUTE FUNCTION public.note_activity('domain.added', 'The domain %s was added', 'domain');
CREATE TRIGGER tenant_domains_verified AFTER UPDATE OF verified_at ON public.tenant_domains
    FOR EACH ROW WHEN (OLD.verified_at IS NULL AND NEW.verified_at IS NOT NULL)
    EXECUTE FUNCTION public.note_activity('domain.verified', 'The DNS records of %s are there: it can send', 'domain');
CREATE TRIGGER tenant_domains_unverified AFTER UPDATE OF verified_at ON public.tenant_domains
    FOR EACH ROW WHEN (OLD.verified_at IS NOT NULL AND NEW.verified_at IS NULL)
    EXECUTE FUNCTION public.note_activity('domain.unverified', 'The domain %s is no longer proven and cannot send', 'domain');
CREATE TRIGGER email_addresses_added AFTER INSERT ON public.email_addresses
    FOR EACH ROW EXECUTE FUNCTION public.note_activity('mailbox.added', 'The mailbox %s was added', 'address');
CREATE TRIGGER email_addresses_first_login AFTER UPDATE OF last_login_at ON public.email_addresses
    FOR EACH ROW WHEN (OLD.last_login_at IS NULL AND NEW.last_login_at IS NOT NULL)
    EXECUTE FUNCTION public.note_activity('mailbox.first_login', 'A mail client has logged in to %s for the first time', 'address');
CREATE TRIGGER email_addresses_status AFTER UPDATE OF status ON public.email_addresses
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION public.note_activity('mailbox.status', 'A mailbox is %s now', 'status');
CREATE TRIGGER tenants_first_mail AFTER UPDATE OF first_mail_at ON public.tenants
    FOR EACH ROW WHEN (OLD.first_mail_at IS NULL AND NEW.first_mail_at IS NOT NULL)
    EXECUTE FUNCTION public.note_activity('mail.first_received', 'The first message has arrived');
CREATE TRIGGER tenants_first_sent AFTER UPDATE OF first_sent_at ON public.tenants
    FOR EACH ROW WHEN (OLD.first_sent_at IS NULL AND NEW.first_sent_at IS NOT NULL)
    EXECUTE FUNCTION public.note_activity('mail.first_sent', 'The first message was delivered');
CREATE TRIGGER tenants_status AFTER UPDATE OF status ON public.tenants
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION public.note_activity('tenant.status', 'The organisation is %s now', 'status');
CREATE TRIGGER tenants_onboarded AFTER UPDATE OF onboarding_state ON public.tenants
    FOR EACH ROW WHEN (OLD.onboarding_state IN ('mailbox_created', 'first_mail') AND NEW.onboarding_state = 'live')
    EXECUTE FUNCTION public.note_activity('tenant.live', 'Everything is set up: mail comes and goes');

-- The first open or click of all: the row's id says so, and so it is there once.
CREATE FUNCTION public.note_first_hit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.activity_log (id, tenant_id, action, object_kind, object_id, summary)
        VALUES (md5('mail.first_hit ' || NEW.tenant_id)::uuid, NEW.tenant_id, 'mail.first_hit', TG_TABLE_NAME, NEW.id,
            'A tracked message was opened for the first time')
        ON CONFLICT ON CONSTRAINT activity_log_pkey DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.note_first_hit IS 'Trigger: the first time that a person opened a tracked message of an organisation.';
REVOKE ALL ON FUNCTION public.note_first_hit FROM PUBLIC;
CREATE TRIGGER outbound_messages_first_hit AFTER UPDATE OF first_opened_at, first_clicked_at ON public.outbound_messages
    FOR EACH ROW WHEN (coalesce(OLD.first_opened_at, OLD.first_clicked_at) IS NULL
        AND coalesce(NEW.first_opened_at, NEW.first_clicked_at) IS NOT NULL)
    EXECUTE FUNCTION public.note_first_hit();
