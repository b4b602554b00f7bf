-- Around the mail: keys, webhooks, newsletter tokens, warm-up, and the logs
-- of what happened and who did it.

-- Mail to a support address opens a ticket.
ALTER TABLE public.email_addresses ADD COLUMN opens_tickets boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN public.email_addresses.opens_tickets IS 'A support address: mail to it opens a ticket, an answer to one continues it.';

-- What a campaign or a step has sent is counted from its rows.
CREATE INDEX outbound_messages_tenant_id_campaign_id_idx ON public.outbound_messages (tenant_id, campaign_id)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX outbound_messages_tenant_id_sequence_step_id_idx ON public.outbound_messages (tenant_id, sequence_step_id)
    WHERE sequence_step_id IS NOT NULL;

CREATE TABLE public.api_keys (
    id uuid CONSTRAINT api_keys_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    display_prefix text NOT NULL,
    secret_sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.tenant_users (id) ON DELETE SET NULL,
    CONSTRAINT api_keys_secret_sha256_key UNIQUE (secret_sha256),
    CONSTRAINT api_keys_name_check CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT api_keys_display_prefix_check CHECK (display_prefix ~ '^kx_[A-Za-z0-9]{4,12}$'),
    CONSTRAINT api_keys_secret_sha256_check CHECK (octet_length(secret_sha256) = 32),
    CONSTRAINT api_keys_scopes_check CHECK (
        array_to_string(scopes, ' ', '?') ~ '^[a-z_]+:([a-z_]+|\*)( [a-z_]+:([a-z_]+|\*))*$'
    ),
    CONSTRAINT api_keys_expires_at_check CHECK (expires_at > created_at)
);
CREATE INDEX api_keys_tenant_id_idx ON public.api_keys (tenant_id);
CREATE INDEX api_keys_created_by_idx ON public.api_keys (created_by);
COMMENT ON TABLE public.api_keys IS 'Keys of the HTTP API, "kx_" and random characters. A key is shown once and kept as a digest.';
COMMENT ON COLUMN public.api_keys.display_prefix IS 'The first characters, so that people can tell their keys apart.';
COMMENT ON COLUMN public.api_keys.secret_sha256 IS 'SHA-256 of the whole key; a plain digest is enough for what cannot be guessed.';
COMMENT ON COLUMN public.api_keys.scopes IS 'What it may do: "messages:send", "mailboxes:*".';
COMMENT ON COLUMN public.api_keys.last_used_at IS 'To the minute; NULL: never.';
COMMENT ON COLUMN public.api_keys.expires_at IS 'NULL: does not expire.';

CREATE TABLE public.webhooks (
    id uuid CONSTRAINT webhooks_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    event_types text[] NOT NULL DEFAULT '{}',
    signature text NOT NULL DEFAULT 'v1',
    secret_sealed bytea,
    previous_secret_sealed bytea,
    previous_secret_until timestamptz,
    status text NOT NULL DEFAULT 'active',
    disabled_reason text,
    failing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT webhooks_url_check CHECK (url ~ '^https?://[^[:cntrl:][:space:]]+$' AND length(url) <= 2048),
    CONSTRAINT webhooks_event_types_check CHECK (
        array_to_string(event_types, ' ', '?') ~ '^([a-z_]+\.[a-z_]+( [a-z_]+\.[a-z_]+)*)?$'
    ),
    CONSTRAINT webhooks_signature_check CHECK (signature IN ('v1', 'v1a')),
    CONSTRAINT webhooks_previous_secret_check CHECK ((previous_secret_sealed IS NULL) = (previous_secret_until IS NULL)),
    CONSTRAINT webhooks_status_check CHECK (status IN ('active', 'disabled')),
    CONSTRAINT webhooks_disabled_check CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
);
CREATE INDEX webhooks_tenant_id_idx ON public.webhooks (tenant_id);
COMMENT ON TABLE public.webhooks IS 'Where events are posted to, signed as Standard Webhooks say.';
COMMENT ON COLUMN public.webhooks.event_types IS 'Which events; empty is all.';
COMMENT ON COLUMN public.webhooks.signature IS 'v1: HMAC-SHA256 with a shared secret; v1a: Ed25519.';
COMMENT ON COLUMN public.webhooks.secret_sealed IS 'Sealed under the server''s master key; the server makes one for a row without. Nothing is posted before.';
COMMENT ON COLUMN public.webhooks.previous_secret_sealed IS 'During a rotation both sign.';
COMMENT ON COLUMN public.webhooks.disabled_reason IS 'An operator''s words, "410 Gone", or that it failed for five days.';
COMMENT ON COLUMN public.webhooks.failing_since IS 'First failure since the last success; NULL: the last one succeeded.';

CREATE TABLE public.webhook_deliveries (
    id uuid CONSTRAINT webhook_deliveries_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    payload jsonb NOT NULL,
    replay_of uuid,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    leased_by uuid,
    attempt_log jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT webhook_deliveries_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhooks (id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_replay_of_fkey FOREIGN KEY (replay_of)
        REFERENCES public.webhook_deliveries (id) ON DELETE SET NULL,
    CONSTRAINT webhook_deliveries_event_type_check CHECK (event_type ~ '^[a-z_]+\.[a-z_]+$'),
    CONSTRAINT webhook_deliveries_payload_check CHECK (jsonb_typeof(payload) = 'object' AND octet_length(payload::text) < 20000),
    CONSTRAINT webhook_deliveries_state_check CHECK (state IN ('pending', 'sending', 'delivered', 'failed', 'cancelled')),
    CONSTRAINT webhook_deliveries_attempts_check CHECK (attempts >= 0),
    CONSTRAINT webhook_deliveries_lease_check CHECK ((state = 'sending') = (leased_until IS NOT NULL)),
    CONSTRAINT webhook_deliveries_attempt_log_check CHECK (jsonb_typeof(attempt_log) = 'array'),
    CONSTRAINT webhook_deliveries_finished_check CHECK (
        (state IN ('delivered', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    )
);
CREATE INDEX webhook_deliveries_due_idx ON public.webhook_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_leased_idx ON public.webhook_deliveries (leased_until) WHERE state = 'sending';
CREATE INDEX webhook_deliveries_tenant_id_created_at_idx ON public.webhook_deliveries (tenant_id, created_at DESC);
CREATE INDEX webhook_deliveries_replay_of_idx ON public.webhook_deliveries (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX webhook_deliveries_webhook_id_idx ON public.webhook_deliveries (webhook_id, created_at DESC);
CREATE UNIQUE INDEX webhook_deliveries_event_key ON public.webhook_deliveries (webhook_id, event_id) WHERE replay_of IS NULL;
COMMENT ON TABLE public.webhook_deliveries IS 'One row per event and endpoint, written with the event, and one more per replay.';
COMMENT ON COLUMN public.webhook_deliveries.event_id IS 'The webhook-id header: the same in every attempt and replay, so that the receiver can tell.';
COMMENT ON COLUMN public.webhook_deliveries.attempt_log IS 'Every attempt: [{"at", "status", "ms", "error"}], oldest first.';

CREATE TABLE public.newsletter_unsubscribes (
    id uuid CONSTRAINT newsletter_unsubscribes_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    token text NOT NULL,
    address text NOT NULL,
    list_id uuid,
    subscriber_id uuid,
    outbound_message_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    unsubscribed_at timestamptz,
    method text,
    CONSTRAINT newsletter_unsubscribes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT newsletter_unsubscribes_outbound_message_id_fkey FOREIGN KEY (outbound_message_id)
        REFERENCES public.outbound_messages (id) ON DELETE SET NULL,
    CONSTRAINT newsletter_unsubscribes_token_key UNIQUE (token),
    CONSTRAINT newsletter_unsubscribes_outbound_message_id_key UNIQUE (outbound_message_id),
    CONSTRAINT newsletter_unsubscribes_token_check CHECK (token ~ '^[0-9a-f]{32}$'),
    CONSTRAINT newsletter_unsubscribes_address_check CHECK (address = lower(address) AND length(address) BETWEEN 3 AND 254),
    CONSTRAINT newsletter_unsubscribes_subscriber_check CHECK (subscriber_id IS NULL OR list_id IS NOT NULL),
    CONSTRAINT newsletter_unsubscribes_method_check CHECK (method IN ('one_click', 'page', 'mail', 'api')),
    CONSTRAINT newsletter_unsubscribes_done_check CHECK ((unsubscribed_at IS NULL) = (method IS NULL))
);
CREATE INDEX newsletter_unsubscribes_tenant_id_idx ON public.newsletter_unsubscribes (tenant_id, list_id, subscriber_id);
COMMENT ON TABLE public.newsletter_unsubscribes IS 'What an unsubscribe URL stands for (RFC 8058). The row outlives the message: people unsubscribe from old mail.';
COMMENT ON COLUMN public.newsletter_unsubscribes.list_id IS 'A row of the organisation''s newsletter_lists; NULL: all its bulk mail, by the suppression list.';
COMMENT ON COLUMN public.newsletter_unsubscribes.subscriber_id IS 'A row of the organisation''s newsletter_subscribers.';
COMMENT ON COLUMN public.newsletter_unsubscribes.outbound_message_id IS 'The message that carries the token; one each, so that a retry sends the same bytes.';
COMMENT ON COLUMN public.newsletter_unsubscribes.unsubscribed_at IS 'NULL: not used yet.';

CREATE TABLE public.newsletter_confirm_tokens (
    id uuid CONSTRAINT newsletter_confirm_tokens_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    token text NOT NULL,
    list_id uuid NOT NULL,
    subscriber_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '7 days',
    confirmed_at timestamptz,
    confirmed_ip inet,
    confirmed_user_agent text,
    CONSTRAINT newsletter_confirm_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT newsletter_confirm_tokens_token_key UNIQUE (token),
    CONSTRAINT newsletter_confirm_tokens_token_check CHECK (token ~ '^[0-9a-f]{32}$'),
    CONSTRAINT newsletter_confirm_tokens_expires_at_check CHECK (
        expires_at > created_at AND expires_at <= created_at + interval '7 days'
    ),
    CONSTRAINT newsletter_confirm_tokens_confirmed_at_check CHECK (confirmed_at BETWEEN created_at AND expires_at)
);
CREATE INDEX newsletter_confirm_tokens_tenant_id_idx ON public.newsletter_confirm_tokens (tenant_id, list_id, subscriber_id);
COMMENT ON TABLE public.newsletter_confirm_tokens IS 'Double opt-in: the token that makes a subscriber active, once, within seven days.';
COMMENT ON COLUMN public.newsletter_confirm_tokens.list_id IS 'A row of the organisation''s newsletter_lists.';
COMMENT ON COLUMN public.newsletter_confirm_tokens.subscriber_id IS 'A row of the organisation''s newsletter_subscribers.';
COMMENT ON COLUMN public.newsletter_confirm_tokens.confirmed_at IS 'NULL: not used yet. With address and agent it is the proof of consent.';

CREATE TABLE public.domain_warmup (
    id uuid CONSTRAINT domain_warmup_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    domain_id uuid NOT NULL,
    provider text NOT NULL DEFAULT '*',
    schedule integer[] NOT NULL DEFAULT '{50,100,200,400,800,1600,3200,6400,12800,25600}',
    step integer NOT NULL DEFAULT 1,
    daily_budget integer NOT NULL DEFAULT 50,
    budget_day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    sent_count integer NOT NULL DEFAULT 0,
    deferred_count integer NOT NULL DEFAULT 0,
    complained_count integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'warming',
    reason text NOT NULL DEFAULT 'first day of the schedule',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT domain_warmup_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT domain_warmup_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.tenant_domains (id) ON DELETE CASCADE,
    CONSTRAINT domain_warmup_domain_id_provider_key UNIQUE (domain_id, provider),
    CONSTRAINT domain_warmup_provider_check CHECK (provider ~ '^(\*|[a-z0-9_.-]{1,100})$'),
    CONSTRAINT domain_warmup_schedule_check CHECK (cardinality(schedule) BETWEEN 1 AND 100 AND 0 < ALL (schedule)),
    CONSTRAINT domain_warmup_step_check CHECK (step BETWEEN 1 AND cardinality(schedule)),
    CONSTRAINT domain_warmup_counts_check CHECK (
        daily_budget >= 0 AND sent_count >= 0 AND deferred_count >= 0 AND complained_count >= 0
    ),
    CONSTRAINT domain_warmup_status_check CHECK (status IN ('warming', 'paused', 'done'))
);
CREATE INDEX domain_warmup_tenant_id_idx ON public.domain_warmup (tenant_id);
COMMENT ON TABLE public.domain_warmup IS 'How much may leave today for a domain. All mail counts; bulk waits first, people''s own mail never. No row: no limit.';
COMMENT ON COLUMN public.domain_warmup.provider IS 'A group of receivers by their MX; "*" is all of them together.';
COMMENT ON COLUMN public.domain_warmup.schedule IS 'Messages a day, one number for each good day.';
COMMENT ON COLUMN public.domain_warmup.step IS 'Which number of the schedule is reached.';
COMMENT ON COLUMN public.domain_warmup.daily_budget IS 'What holds today: the schedule''s number, or less after complaints or deferrals.';
COMMENT ON COLUMN public.domain_warmup.budget_day IS 'The day that the counts are of, in UTC.';
COMMENT ON COLUMN public.domain_warmup.reason IS 'Why the budget is what it is, in words.';

CREATE TABLE public.activity_log (
    id uuid CONSTRAINT activity_log_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    actor_kind text NOT NULL DEFAULT 'system',
    actor_id uuid,
    action text NOT NULL,
    object_kind text,
    object_id uuid,
    summary text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activity_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT activity_log_actor_kind_check CHECK (actor_kind IN ('user', 'mailbox', 'api_key', 'operator', 'system')),
    CONSTRAINT activity_log_action_check CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    CONSTRAINT activity_log_object_check CHECK (object_id IS NULL OR object_kind IS NOT NULL),
    CONSTRAINT activity_log_summary_check CHECK (length(summary) BETWEEN 1 AND 500 AND summary !~ '[[:cntrl:]]'),
    CONSTRAINT activity_log_details_check CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX activity_log_tenant_id_occurred_at_idx ON public.activity_log (tenant_id, occurred_at DESC);
COMMENT ON TABLE public.activity_log IS 'What happened in an organisation, in words its people understand.';
COMMENT ON COLUMN public.activity_log.actor_id IS 'A row of tenant_users, email_addresses or api_keys, as actor_kind says; it may be gone since.';
COMMENT ON COLUMN public.activity_log.object_kind IS 'The table that object_id is a row of.';
COMMENT ON COLUMN public.activity_log.summary IS 'One sentence, ready to be shown.';

CREATE TABLE public.audit_logs (
    id uuid CONSTRAINT audit_logs_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id uuid,
    before jsonb,
    after jsonb,
    ip_address inet,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The log of an organisation ends with the organisation: whoever deletes
    -- one means all of it. One that must stay on record is closed instead.
    CONSTRAINT audit_logs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT audit_logs_actor_check CHECK (length(actor) BETWEEN 1 AND 200),
    CONSTRAINT audit_logs_action_check CHECK (action ~ '^[a-z_]+\.[a-z_]+$')
);
CREATE INDEX audit_logs_tenant_id_occurred_at_idx ON public.audit_logs (tenant_id, occurred_at DESC);
CREATE INDEX audit_logs_occurred_at_idx ON public.audit_logs (occurred_at DESC);
COMMENT ON TABLE public.audit_logs IS 'Who did what, across organisations. Append-only: a trigger refuses everything but INSERT.';
COMMENT ON COLUMN public.audit_logs.actor IS 'koltrix.actor where the session set it ("user:<id>", "api_key:<id>", "smtp"), else "sql:" and the login role.';
COMMENT ON COLUMN public.audit_logs.object_kind IS 'The table that object_id is a row of.';
COMMENT ON COLUMN public.audit_logs.before IS 'The row before a change or removal.';
COMMENT ON COLUMN public.audit_logs.after IS 'The row after a change or addition.';

CALL public.wall('public.api_keys', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.webhooks', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.webhook_deliveries', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.newsletter_unsubscribes', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.newsletter_confirm_tokens', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.domain_warmup', 'SELECT, INSERT, UPDATE, DELETE');
CALL public.wall('public.activity_log', 'SELECT, INSERT, DELETE');
CALL public.wall('public.audit_logs', 'SELECT, INSERT');

CREATE TRIGGER webhooks_touch BEFORE UPDATE ON public.webhooks
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER domain_warmup_touch BEFORE UPDATE ON public.domain_warmup
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER api_keys_announce AFTER UPDATE OR DELETE ON public.api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER webhooks_announce AFTER INSERT OR UPDATE OR DELETE ON public.webhooks
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');

-- The one DELETE let through is the cascade of an organisation that is gone.
CREATE FUNCTION public.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM public.tenants t WHERE t.id = OLD.tenant_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_logs is append-only: % refused', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_logs_append_only';
END $$;
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON public.audit_logs
    FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();
CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON public.audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_change();

-- Writes a change of any table with a tenant_id into audit_logs. The rows that
-- leave with their organisation are not written: there is nobody left to read.
CREATE FUNCTION public.audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    v_after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    v_row jsonb := coalesce(v_after, v_before);
BEGIN
    INSERT INTO public.audit_logs (tenant_id, actor, action, object_kind, object_id, before, after)
        SELECT t.id, coalesce(nullif(current_setting('koltrix.actor', true), ''), 'sql:' || session_user),
            TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.added' WHEN 'UPDATE' THEN '.changed' ELSE '.removed' END,
            TG_TABLE_NAME, (v_row ->> 'id')::uuid, v_before, v_after
        FROM public.tenants t WHERE t.id = (v_row ->> 'tenant_id')::uuid;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.audit_change IS 'Trigger: one row in audit_logs for each changed row; its argument begins the action''s name.';
REVOKE ALL ON FUNCTION public.refuse_audit_change, public.audit_change FROM PUBLIC;
CREATE TRIGGER suppression_list_audit AFTER INSERT OR UPDATE OR DELETE ON public.suppression_list
    FOR EACH ROW EXECUTE FUNCTION public.audit_change('suppression');

-- Rules are data that other programs write too, so their shape is checked
-- where they are stored. A condition is one of
--     {"all": [...]}  {"any": [...]}  {"not": {...}}
--     {"field", "op", "value"}, with "name" where the field is a header or an attribute.
-- Ten levels and a hundred conditions are enough for people.
CREATE FUNCTION public.condition_is_valid(p_condition jsonb, p_fields text[], p_depth integer DEFAULT 10) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_keys text[];
    v_part jsonb;
BEGIN
    IF p_depth = 0 OR jsonb_typeof(p_condition) IS DISTINCT FROM 'object' OR octet_length(p_condition::text) > 65536 THEN
        RETURN false;
    END IF;
    v_keys := ARRAY(SELECT jsonb_object_keys(p_condition) ORDER BY 1);
    IF v_keys IN (ARRAY['all'], ARRAY['any']) THEN
        v_part := p_condition -> v_keys[1];
        IF jsonb_typeof(v_part) <> 'array' OR jsonb_array_length(v_part) > 100 THEN
            RETURN false;
        END IF;
        FOR v_part IN SELECT jsonb_array_elements(v_part) LOOP
            IF NOT public.condition_is_valid(v_part, p_fields, p_depth - 1) THEN
                RETURN false;
            END IF;
        END LOOP;
        RETURN true;
    ELSIF v_keys = ARRAY['not'] THEN
        RETURN public.condition_is_valid(p_condition -> 'not', p_fields, p_depth - 1);
    END IF;
    RETURN v_keys <@ ARRAY['field', 'name', 'op', 'value'] AND v_keys @> ARRAY['field', 'op', 'value']
        AND coalesce(p_condition ->> 'field' = ANY (p_fields), false)
        AND (p_condition ->> 'field' IN ('header', 'attribute')) = ('name' = ANY (v_keys))
        AND coalesce(jsonb_typeof(p_condition -> 'name') = 'string' AND length(p_condition ->> 'name') BETWEEN 1 AND 100, true)
        AND CASE p_condition ->> 'op'
            WHEN 'is' THEN jsonb_typeof(p_condition -> 'value') = 'boolean'
            WHEN 'over' THEN jsonb_typeof(p_condition -> 'value') IN ('number', 'string')
            WHEN 'under' THEN jsonb_typeof(p_condition -> 'value') IN ('number', 'string')
            ELSE coalesce(p_condition ->> 'op' IN ('contains', 'equals', 'begins', 'ends', 'glob', 'regex'), false)
                AND jsonb_typeof(p_condition -> 'value') = 'string' AND length(p_condition ->> 'value') <= 1000
        END;
END $$;
COMMENT ON FUNCTION public.condition_is_valid IS 'Whether a rule''s condition has the shape that the server reads, over the fields given.';

-- Actions: [{"do": ...}], each with what it needs and nothing else.
CREATE FUNCTION public.actions_are_valid(p_actions jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_action jsonb;
    v_needs text;
BEGIN
    IF jsonb_typeof(p_actions) IS DISTINCT FROM 'array' OR jsonb_array_length(p_actions) NOT BETWEEN 1 AND 20 THEN
        RETURN false;
    END IF;
    FOR v_action IN SELECT jsonb_array_elements(p_actions) LOOP
        IF jsonb_typeof(v_action) <> 'object' THEN
            RETURN false;
        END IF;
        CASE v_action ->> 'do'
            WHEN 'folder' THEN v_needs := 'name';
            WHEN 'label' THEN v_needs := 'keyword';
            WHEN 'forward' THEN v_needs := 'address';
            WHEN 'reply' THEN v_needs := 'template_id';
            WHEN 'reject' THEN v_needs := 'text';
            WHEN 'webhook' THEN v_needs := 'webhook_id';
            WHEN 'flag', 'read', 'discard', 'stop' THEN v_needs := NULL;
            ELSE RETURN false;
        END CASE;
        IF (SELECT count(*) FROM jsonb_object_keys(v_action)) <> 1 + (v_needs IS NOT NULL)::int THEN
            RETURN false;
        ELSIF v_needs IS NOT NULL AND NOT coalesce(
            jsonb_typeof(v_action -> v_needs) = 'string' AND length(v_action ->> v_needs) BETWEEN 1 AND 1000, false) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;
COMMENT ON FUNCTION public.actions_are_valid IS 'Whether a filter''s actions have the shape that the server reads.';
