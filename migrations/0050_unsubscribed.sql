-- Who unsubscribed gets no more bulk mail; what people or their software write
-- to them alone still comes. Every other reason holds for all mail.
CREATE OR REPLACE FUNCTION public.complete_outbound_message() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.recipient := lower(NEW.recipient);
    NEW.next_attempt_at := greatest(NEW.next_attempt_at, NEW.send_at);
    IF NEW.reverse_path = '' AND NEW.source NOT IN ('submission', 'forward', 'bounce', 'auto_reply') THEN
        NEW.reverse_path := NEW.from_address;
    END IF;
    IF NEW.state = 'queued' AND NEW.source <> 'submission' AND EXISTS (
        SELECT 1 FROM public.suppression_list s WHERE s.tenant_id = NEW.tenant_id AND s.address = NEW.recipient
            AND (s.reason <> 'unsubscribe' OR NEW.class = 'bulk')) THEN
        NEW.state := 'suppressed';
        NEW.finished_at := now();
    END IF;
    RETURN NEW;
END $$;
COMMENT ON TABLE public.suppression_list IS 'Recipients that an organisation no longer sends to; reason unsubscribe: no bulk mail. Asked when a message is queued and again when it is leased.';
