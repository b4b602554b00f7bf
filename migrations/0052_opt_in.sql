-- Whoever is to confirm is asked by mail, once.
ALTER TABLE public.newsletter_confirm_tokens ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN public.newsletter_confirm_tokens.asked_at IS 'When the mail with the token was queued; NULL: it will be. A program that sends its own sets it.';
CREATE INDEX newsletter_confirm_tokens_unasked_idx ON public.newsletter_confirm_tokens (created_at)
    WHERE asked_at IS NULL AND confirmed_at IS NULL;
