-- What SCRAM-SHA-256 is checked against (RFC 5802, RFC 7677), beside the hashes of the passwords.

ALTER TABLE public.email_addresses
    ADD COLUMN scram_salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()),
    ADD COLUMN scram_keys bytea,
    ADD CONSTRAINT email_addresses_scram_salt_check CHECK (octet_length(scram_salt) = 16),
    ADD CONSTRAINT email_addresses_scram_keys_check CHECK (octet_length(scram_keys) = 64);
COMMENT ON COLUMN public.email_addresses.scram_salt IS 'The salt of this mailbox''s password and app passwords: it is told before it is known which one is meant.';
COMMENT ON COLUMN public.email_addresses.scram_keys IS 'StoredKey and ServerKey of the password with 100,000 iterations. NULL until the password was set or used here.';

ALTER TABLE public.app_passwords
    ADD COLUMN scram_keys bytea,
    ADD CONSTRAINT app_passwords_scram_keys_check CHECK (octet_length(scram_keys) = 64);
COMMENT ON COLUMN public.app_passwords.scram_keys IS 'As of email_addresses, for this app password.';

-- Whoever sets another password by SQL need not know of the keys: they go with the old one.
CREATE FUNCTION public.forget_scram_keys() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.scram_keys := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER email_addresses_scram_keys BEFORE UPDATE OF password_hash ON public.email_addresses
    FOR EACH ROW WHEN (OLD.password_hash IS DISTINCT FROM NEW.password_hash)
    EXECUTE FUNCTION public.forget_scram_keys();
