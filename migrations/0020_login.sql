-- What logins by token and by SCRAM ask.

ALTER TABLE public.tenants
    ADD COLUMN clerk_org_id text,
    ADD CONSTRAINT tenants_clerk_org_id_key UNIQUE (clerk_org_id),
    ADD CONSTRAINT tenants_clerk_org_id_check CHECK (length(clerk_org_id) BETWEEN 1 AND 200);
COMMENT ON COLUMN public.tenants.clerk_org_id IS 'Clerk''s organisation: a token opens mailboxes here only while it is the active one. NULL: tokens are not asked for theirs.';

-- Clients with Cyrus SASL (mbsync, msmtp, mutt) compute no more than 65,536 iterations. Keys with more
-- open nothing any longer; they are made anew when the password is used.
UPDATE public.email_addresses SET scram_keys = NULL WHERE scram_keys IS NOT NULL;
UPDATE public.app_passwords SET scram_keys = NULL WHERE scram_keys IS NOT NULL;
COMMENT ON COLUMN public.email_addresses.scram_keys IS 'StoredKey and ServerKey of the password with 65,536 iterations. NULL until the password was set or used here.';
