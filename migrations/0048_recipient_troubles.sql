-- Recipients whose messages were given up, until one gets there: the queue stops writing to them in the end.

CREATE TABLE public.recipient_troubles (
    id uuid CONSTRAINT recipient_troubles_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    address text NOT NULL,
    failures integer NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT recipient_troubles_tenant_id_address_key UNIQUE (tenant_id, address),
    CONSTRAINT recipient_troubles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE,
    CONSTRAINT recipient_troubles_failures_check CHECK (failures >= 0)
);
COMMENT ON TABLE public.recipient_troubles IS 'Recipients of messages that expired, with none delivered since; a delivery removes the row.';
COMMENT ON COLUMN public.recipient_troubles.failures IS 'Attempts that ended transiently, of all those messages.';
COMMENT ON COLUMN public.recipient_troubles.since IS 'When the first of those messages was queued.';
CALL public.wall('public.recipient_troubles', 'SELECT, INSERT, UPDATE, DELETE');

ALTER TABLE public.suppression_list DROP CONSTRAINT suppression_list_reason_check,
    ADD CONSTRAINT suppression_list_reason_check
        CHECK (reason IN ('hard_bounce', 'soft_bounce', 'complaint', 'unsubscribe', 'manual'));
COMMENT ON COLUMN public.suppression_list.reason IS 'soft_bounce: five transient failures over three days and no success.';

-- The row of the queue has expired: counts its failed attempts, and suppresses the recipient when there
-- were five over three days. Says whether it did.
CREATE FUNCTION public.note_expired(p_row uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row record;
BEGIN
    INSERT INTO public.recipient_troubles AS t (tenant_id, address, failures, since)
        SELECT o.tenant_id, o.recipient,
            (SELECT count(*) FROM public.delivery_attempts a WHERE a.outbound_message_id = o.id AND a.outcome = 'deferred'),
            greatest(o.queued_at, o.send_at)
        FROM public.outbound_messages o WHERE o.id = p_row AND o.state = 'expired'
        ON CONFLICT ON CONSTRAINT recipient_troubles_tenant_id_address_key DO UPDATE
            SET failures = least(t.failures::bigint + excluded.failures, 1000000), since = least(t.since, excluded.since)
        RETURNING t.tenant_id, t.address, t.failures, t.since INTO v_row;
    IF NOT FOUND OR v_row.failures < 5 OR v_row.since > now() - interval '3 days' THEN
        RETURN false;
    END IF;
    INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        VALUES (v_row.tenant_id, v_row.address, 'soft_bounce',
            format('%s transient failures since %s', v_row.failures, to_char(v_row.since AT TIME ZONE 'UTC', 'YYYY-MM-DD')), p_row)
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.note_expired IS 'Counts the failed attempts of an expired message against its recipient.';
REVOKE ALL ON FUNCTION public.note_expired FROM PUBLIC;
