-- The keys of a domain follow each other: a new one is published before it signs, an old one stays
-- published after it has signed for the last time.

ALTER TABLE public.domain_keys
    ALTER COLUMN active_from DROP NOT NULL,
    ADD COLUMN keep_until timestamptz,
    ADD COLUMN state text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN retired_at IS NOT NULL THEN 'retired'
        WHEN keep_until IS NOT NULL THEN 'retiring'
        WHEN active_from IS NULL THEN 'pending'
        ELSE 'active' END) STORED;
DROP INDEX public.domain_keys_current_key;
CREATE UNIQUE INDEX domain_keys_active_key ON public.domain_keys (domain_id, algorithm) WHERE state = 'active';
CREATE UNIQUE INDEX domain_keys_pending_key ON public.domain_keys (domain_id, algorithm) WHERE state = 'pending';
COMMENT ON TABLE public.domain_keys IS 'DKIM keys (RFC 6376, RFC 8463). One of each algorithm is active; one may be pending to follow it.';
COMMENT ON COLUMN public.domain_keys.active_from IS 'Signing begins then; NULL: once its DNS record is seen.';
COMMENT ON COLUMN public.domain_keys.keep_until IS 'It signs no more; its DNS record has to stay until then, for mail that is under way.';
COMMENT ON COLUMN public.domain_keys.state IS 'pending, active, retiring, retired; follows from the other columns.';

ALTER TABLE public.tenant_domains ADD COLUMN rotate_keys boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN public.tenant_domains.rotate_keys IS 'New keys are to be made; a running server makes them and clears this.';
