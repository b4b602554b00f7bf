-- By when a message is to be delivered (RFC 2852). No CHECK: this is the queue's hottest table, and
-- what is neither is read as no time at all.
ALTER TABLE public.outbound_messages
    ADD COLUMN deliver_by timestamptz,
    ADD COLUMN deliver_by_mode text;
COMMENT ON COLUMN public.outbound_messages.deliver_by IS 'The time that the sender set (SMTP DELIVERBY); NULL: none.';
COMMENT ON COLUMN public.outbound_messages.deliver_by_mode IS 'What happens then: R, it goes back; N, the sender is told and it is still tried; RT and NT, relays are reported too.';
