-- What the queue asks many times a second.

-- Due rows of one organisation, people's mail apart from bulk.
CREATE INDEX outbound_messages_tenant_due_idx ON public.outbound_messages (tenant_id, (class = 'bulk'), next_attempt_at)
    WHERE state = 'queued';

-- As before, with two differences for what a client submits. It keeps the null reverse-path it was
-- given: a read receipt must not bounce (RFC 8098 section 3). So does what is forwarded. And whoever wrote to a suppressed
-- address is told so: the worker, which asks the list too, ends the row with a report.
CREATE OR REPLACE FUNCTION public.complete_outbound_message() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.recipient := lower(NEW.recipient);
    NEW.next_attempt_at := greatest(NEW.next_attempt_at, NEW.send_at);
    IF NEW.reverse_path = '' AND NEW.source NOT IN ('submission', 'forward', 'bounce', 'auto_reply') THEN
        NEW.reverse_path := NEW.from_address;
    END IF;
    IF NEW.state = 'queued' AND NEW.source <> 'submission' AND EXISTS (
        SELECT 1 FROM public.suppression_list s WHERE s.tenant_id = NEW.tenant_id AND s.address = NEW.recipient) THEN
        NEW.state := 'suppressed';
        NEW.finished_at := now();
    END IF;
    RETURN NEW;
END $$;
COMMENT ON COLUMN public.outbound_messages.reverse_path IS 'Envelope sender; empty for the null reverse-path. A row by SQL that leaves it empty gets from_address unless source is submission, forward, bounce or auto_reply.';

-- The tenant's role may not write public.tenants; this one step it may take.
CREATE FUNCTION public.note_first_sent(p_tenant uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(substring(current_setting('role') FROM '^kx_[0-9a-f]{32}$'), public.tenant_role(p_tenant))
            = public.tenant_role(p_tenant)
       AND EXISTS (SELECT 1 FROM public.tenants t WHERE t.id = p_tenant AND t.first_sent_at IS NULL) THEN
        UPDATE public.tenants t SET first_sent_at = now() WHERE t.id = p_tenant AND t.first_sent_at IS NULL;
    END IF;
END $$;
COMMENT ON FUNCTION public.note_first_sent IS 'Onboarding: the first message was delivered.';
REVOKE ALL ON FUNCTION public.note_first_sent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.note_first_sent TO koltrix_tenant;
