-- What leaves: the queue, its attempts, suppression, tracking and events.

CREATE TABLE public.suppression_list (
    id uuid CONSTRAINT suppression_list_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    address text NOT NULL,
    reason text NOT NULL DEFAULT 'manual',
    detail text,
    outbound_message_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT suppression_list_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT suppression_list_tenant_id_address_key UNIQUE (tenant_id, address),
    CONSTRAINT suppression_list_address_check CHECK (address = lower(address) AND length(address) BETWEEN 3 AND 254),
    CONSTRAINT suppression_list_reason_check CHECK (reason IN ('hard_bounce', 'complaint', 'unsubscribe', 'manual'))
);
COMMENT ON TABLE public.suppression_list IS 'Recipients that an organisation no longer sends to. Asked when a message is queued and again when it is leased.';
COMMENT ON COLUMN public.suppression_list.detail IS 'The remote''s words, or whoever wrote the row by hand.';

CREATE TABLE public.outbound_messages (
    id uuid CONSTRAINT outbound_messages_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    queue_id uuid NOT NULL DEFAULT gen_random_uuid(),
    email_id uuid,
    address_id uuid,
    source text NOT NULL DEFAULT 'api',
    class text NOT NULL DEFAULT 'transactional',
    reverse_path text NOT NULL DEFAULT '',
    recipient text NOT NULL,
    recipient_domain text NOT NULL GENERATED ALWAYS AS (split_part(recipient, '@', 2)) STORED,
    from_address text NOT NULL,
    from_name text,
    subject text NOT NULL DEFAULT '',
    text_body text,
    html_body text,
    message_id text,
    state text NOT NULL DEFAULT 'queued',
    held_reason text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    send_at timestamptz,
    expires_at timestamptz,
    leased_until timestamptz,
    leased_by uuid,
    queued_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    last_code integer,
    last_enhanced text,
    last_text text,
    last_host text,
    dsn_notify text[] NOT NULL DEFAULT '{failure,delay}',
    dsn_ret text NOT NULL DEFAULT 'hdrs',
    dsn_envid text,
    dsn_orcpt text,
    delay_notified_at timestamptz,
    require_tls boolean NOT NULL DEFAULT false,
    smtputf8 boolean NOT NULL DEFAULT false,
    track_opens boolean NOT NULL DEFAULT false,
    track_clicks boolean NOT NULL DEFAULT false,
    open_count integer NOT NULL DEFAULT 0,
    click_count integer NOT NULL DEFAULT 0,
    first_opened_at timestamptz,
    first_clicked_at timestamptz,
    first_replied_at timestamptz,
    campaign_id uuid,
    sequence_step_id uuid,
    idempotency_key text,
    tags text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT outbound_messages_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT outbound_messages_address_id_fkey FOREIGN KEY (address_id) REFERENCES public.email_addresses (id) ON DELETE SET NULL,
    CONSTRAINT outbound_messages_queue_id_recipient_key UNIQUE (queue_id, recipient),
    CONSTRAINT outbound_messages_content_check CHECK (email_id IS NOT NULL OR text_body IS NOT NULL OR html_body IS NOT NULL),
    CONSTRAINT outbound_messages_source_check CHECK (
        source IN ('submission', 'api', 'forward', 'auto_reply', 'campaign', 'sequence', 'bounce')
    ),
    CONSTRAINT outbound_messages_class_check CHECK (class IN ('personal', 'transactional', 'bulk')),
    CONSTRAINT outbound_messages_recipient_check CHECK (
        recipient = lower(recipient) AND length(recipient) <= 254 AND recipient ~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@]+$'
    ),
    CONSTRAINT outbound_messages_reverse_path_check CHECK (
        length(reverse_path) <= 254 AND reverse_path !~ '[[:space:][:cntrl:]<>]'
    ),
    CONSTRAINT outbound_messages_from_address_check CHECK (length(from_address) <= 254 AND from_address !~ '[[:space:][:cntrl:]<>]'),
    CONSTRAINT outbound_messages_from_name_check CHECK (from_name !~ '[[:cntrl:]]'),
    CONSTRAINT outbound_messages_subject_check CHECK (subject !~ '[[:cntrl:]]'),
    CONSTRAINT outbound_messages_state_check CHECK (
        state IN ('queued', 'held', 'sending', 'sent', 'delivered', 'bounced', 'suppressed', 'expired', 'cancelled', 'complained')
    ),
    CONSTRAINT outbound_messages_held_check CHECK ((state = 'held') = (held_reason IS NOT NULL)),
    CONSTRAINT outbound_messages_lease_check CHECK ((state = 'sending') = (leased_until IS NOT NULL)),
    CONSTRAINT outbound_messages_attempts_check CHECK (attempts >= 0),
    CONSTRAINT outbound_messages_dsn_notify_check CHECK (dsn_notify <@ '{success,failure,delay}'::text[]),
    CONSTRAINT outbound_messages_dsn_ret_check CHECK (dsn_ret IN ('full', 'hdrs')),
    CONSTRAINT outbound_messages_counts_check CHECK (open_count >= 0 AND click_count >= 0),
    CONSTRAINT outbound_messages_idempotency_key_check CHECK (length(idempotency_key) BETWEEN 1 AND 256)
);
CREATE INDEX outbound_messages_due_idx ON public.outbound_messages (next_attempt_at) WHERE state = 'queued';
CREATE INDEX outbound_messages_leased_idx ON public.outbound_messages (leased_until) WHERE state = 'sending';
CREATE INDEX outbound_messages_tenant_id_queued_at_idx ON public.outbound_messages (tenant_id, queued_at DESC);
CREATE INDEX outbound_messages_tenant_id_email_id_idx ON public.outbound_messages (tenant_id, email_id);
CREATE INDEX outbound_messages_address_id_idx ON public.outbound_messages (address_id);
CREATE UNIQUE INDEX outbound_messages_idempotency_key ON public.outbound_messages (tenant_id, idempotency_key, recipient)
    WHERE idempotency_key IS NOT NULL;
COMMENT ON TABLE public.outbound_messages IS 'The queue and its history: one row per recipient and send, whatever the source. A row inserted by SQL is sent.';
COMMENT ON COLUMN public.outbound_messages.queue_id IS 'Groups the recipients of one send; shown in the 250 and in Received.';
COMMENT ON COLUMN public.outbound_messages.email_id IS 'The content: a row of the organisation''s emails. NULL until composed, where text_body or html_body is given instead.';
COMMENT ON COLUMN public.outbound_messages.reverse_path IS 'Envelope sender; empty for the null reverse-path. A row by SQL that leaves it empty gets from_address unless source is bounce or auto_reply.';
COMMENT ON COLUMN public.outbound_messages.held_reason IS 'Why it waits: an operator''s words, warm-up, a paused organisation.';
COMMENT ON COLUMN public.outbound_messages.next_attempt_at IS 'Not before then, nor before send_at.';
COMMENT ON COLUMN public.outbound_messages.send_at IS 'To be sent then (FUTURERELEASE, RFC 4865); NULL is at once.';
COMMENT ON COLUMN public.outbound_messages.expires_at IS 'Given up after this; NULL takes the configured time from queued_at or send_at.';
COMMENT ON COLUMN public.outbound_messages.leased_by IS 'The node that is sending it.';
COMMENT ON COLUMN public.outbound_messages.last_text IS 'The remote''s own words, last time.';
COMMENT ON COLUMN public.outbound_messages.dsn_notify IS 'RFC 3461 NOTIFY; empty is NEVER.';
COMMENT ON COLUMN public.outbound_messages.open_count IS 'Opens graded human; derived from analytics_events.';
COMMENT ON COLUMN public.outbound_messages.click_count IS 'Clicks graded human; derived from analytics_events.';

CREATE TABLE public.delivery_attempts (
    id uuid CONSTRAINT delivery_attempts_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    outbound_message_id uuid NOT NULL,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now(),
    outcome text NOT NULL,
    code integer NOT NULL,
    enhanced text,
    reply text NOT NULL,
    host text,
    ip inet,
    tls text,
    CONSTRAINT delivery_attempts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT delivery_attempts_outbound_message_id_fkey FOREIGN KEY (outbound_message_id)
        REFERENCES public.outbound_messages (id) ON DELETE CASCADE,
    CONSTRAINT delivery_attempts_attempt_check CHECK (attempt > 0),
    CONSTRAINT delivery_attempts_outcome_check CHECK (outcome IN ('delivered', 'deferred', 'failed')),
    CONSTRAINT delivery_attempts_code_check CHECK (code BETWEEN 200 AND 599)
);
CREATE INDEX delivery_attempts_outbound_message_id_idx ON public.delivery_attempts (outbound_message_id, attempt);
CREATE INDEX delivery_attempts_tenant_id_idx ON public.delivery_attempts (tenant_id);
COMMENT ON TABLE public.delivery_attempts IS 'Every attempt with the remote''s own words, its host and the TLS that was used.';

CREATE TABLE public.tracking_tokens (
    id uuid CONSTRAINT tracking_tokens_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    outbound_message_id uuid NOT NULL,
    token text NOT NULL,
    kind text NOT NULL,
    link_index integer NOT NULL DEFAULT 0,
    target_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tracking_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT tracking_tokens_outbound_message_id_fkey FOREIGN KEY (outbound_message_id)
        REFERENCES public.outbound_messages (id) ON DELETE CASCADE,
    CONSTRAINT tracking_tokens_token_key UNIQUE (token),
    CONSTRAINT tracking_tokens_message_kind_link_key UNIQUE (outbound_message_id, kind, link_index),
    CONSTRAINT tracking_tokens_token_check CHECK (token ~ '^[0-9a-f]{32}$'),
    CONSTRAINT tracking_tokens_kind_check CHECK (kind IN ('open', 'click')),
    CONSTRAINT tracking_tokens_target_check CHECK ((kind = 'click') = (target_url IS NOT NULL)),
    CONSTRAINT tracking_tokens_target_url_check CHECK (
        target_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://[^[:cntrl:][:space:]]+$' AND length(target_url) <= 8192
    ),
    CONSTRAINT tracking_tokens_link_index_check CHECK (link_index >= 0)
);
CREATE INDEX tracking_tokens_tenant_id_idx ON public.tracking_tokens (tenant_id);
COMMENT ON TABLE public.tracking_tokens IS 'What a tracking URL stands for. A click goes to the stored target and nowhere else.';

CREATE TABLE public.email_tracking_events (
    id uuid CONSTRAINT email_tracking_events_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    outbound_message_id uuid NOT NULL,
    token_id uuid,
    event_type text NOT NULL,
    url text,
    ip_address inet,
    user_agent text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_tracking_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT email_tracking_events_outbound_message_id_fkey FOREIGN KEY (outbound_message_id)
        REFERENCES public.outbound_messages (id) ON DELETE CASCADE,
    CONSTRAINT email_tracking_events_token_id_fkey FOREIGN KEY (token_id)
        REFERENCES public.tracking_tokens (id) ON DELETE SET NULL,
    CONSTRAINT email_tracking_events_event_type_check CHECK (event_type IN ('open', 'click'))
);
CREATE INDEX email_tracking_events_tenant_id_occurred_at_idx ON public.email_tracking_events (tenant_id, occurred_at);
CREATE INDEX email_tracking_events_outbound_message_id_idx ON public.email_tracking_events (outbound_message_id);
CREATE INDEX email_tracking_events_token_id_idx ON public.email_tracking_events (token_id);
COMMENT ON TABLE public.email_tracking_events IS 'The legacy per-event log, kept filling for its old readers; analytics_events says more.';

CREATE TABLE public.analytics_events (
    id uuid CONSTRAINT analytics_events_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    event text NOT NULL,
    class text,
    outbound_message_id uuid,
    email_id uuid,
    address_id uuid,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    properties jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT analytics_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    -- One, since it is read again for every event.
    CONSTRAINT analytics_events_values_check CHECK (
        event ~ '^[a-z_.]+$' AND length(event) <= 64
        AND (class IS NULL
            OR class IN ('human', 'image_proxy', 'privacy_prefetch', 'security_scanner', 'own_view', 'unknown'))
    )
);
CREATE INDEX analytics_events_tenant_id_occurred_at_idx ON public.analytics_events (tenant_id, occurred_at);
CREATE INDEX analytics_events_outbound_message_id_idx ON public.analytics_events (outbound_message_id)
    WHERE outbound_message_id IS NOT NULL;
COMMENT ON TABLE public.analytics_events IS 'Every delivery and engagement event. It outlives the messages it speaks of.';
COMMENT ON COLUMN public.analytics_events.class IS 'Who caused a hit, as graded; the evidence is in properties, so that it can be graded again.';

CALL public.wall('public.suppression_list', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.outbound_messages', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.delivery_attempts', 'SELECT, INSERT');
CALL public.wall('public.tracking_tokens', 'SELECT, INSERT, DELETE');
CALL public.wall('public.email_tracking_events', 'SELECT, INSERT, DELETE');
CALL public.wall('public.analytics_events', 'SELECT, INSERT, UPDATE, DELETE');

-- Also for rows that other programs insert: lower case, a reverse-path, and
-- the suppression list asked. What runs here runs as the organisation.
CREATE FUNCTION public.complete_outbound_message() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.recipient := lower(NEW.recipient);
    IF NEW.reverse_path = '' AND NEW.source NOT IN ('bounce', 'auto_reply') THEN
        NEW.reverse_path := NEW.from_address;
    END IF;
    IF NEW.state = 'queued' AND EXISTS (
        SELECT 1 FROM public.suppression_list s WHERE s.tenant_id = NEW.tenant_id AND s.address = NEW.recipient) THEN
        NEW.state := 'suppressed';
        NEW.finished_at := now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER outbound_messages_complete BEFORE INSERT ON public.outbound_messages
    FOR EACH ROW EXECUTE FUNCTION public.complete_outbound_message();
CREATE TRIGGER outbound_messages_announce AFTER INSERT OR UPDATE OF state, next_attempt_at ON public.outbound_messages
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_queue');

CREATE FUNCTION public.normalise_suppression() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.address := lower(NEW.address);
    RETURN NEW;
END $$;
CREATE TRIGGER suppression_list_normalise BEFORE INSERT OR UPDATE ON public.suppression_list
    FOR EACH ROW EXECUTE FUNCTION public.normalise_suppression();
