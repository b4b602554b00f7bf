-- A report may name a message by nothing but the envelope identifier that its sender gave it (RFC 3461).
-- Few messages have one, so the others pay nothing for it.
CREATE INDEX outbound_messages_dsn_envid_idx ON public.outbound_messages (tenant_id, dsn_envid) WHERE dsn_envid IS NOT NULL;
