-- Run in every org schema: whoever subscribes to a list that asks for consent gets a token to
-- confirm with, unless the program that subscribes makes one in the same transaction.
CREATE FUNCTION make_confirm_token() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO public.newsletter_confirm_tokens (tenant_id, token, list_id, subscriber_id)
    SELECT t.id, left(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'), 32), s.list_id, s.id
    FROM newsletter_subscribers s
    JOIN newsletter_lists l ON l.id = s.list_id AND l.double_opt_in
    JOIN public.tenants t ON 'org_' || t.slug = TG_TABLE_SCHEMA
    WHERE s.id = NEW.id AND s.status = 'pending' AND NOT EXISTS (
        SELECT 1 FROM public.newsletter_confirm_tokens c
        WHERE c.tenant_id = t.id AND c.list_id = s.list_id AND c.subscriber_id = s.id AND c.expires_at > now());
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER newsletter_subscribers_confirm_token AFTER INSERT OR UPDATE OF status ON newsletter_subscribers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION make_confirm_token();
