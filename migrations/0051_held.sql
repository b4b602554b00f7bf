-- What is held is looked for by organisation every few minutes: a warm-up lets
-- it go when there is room. Rows that are not held are not in it.
CREATE INDEX outbound_messages_held_idx ON public.outbound_messages (tenant_id, queued_at) WHERE state = 'held';
