-- One row in every table of public, for the organisation :tenant.
INSERT INTO email_addresses (tenant_id, address) VALUES (:tenant, 'somebody@:domain');
INSERT INTO domain_keys (tenant_id, domain_id, selector, algorithm, private_key_sealed, public_key)
    SELECT tenant_id, id, 's1', 'ed25519-sha256', '', '' FROM tenant_domains WHERE tenant_id = :tenant;
INSERT INTO tenant_users (tenant_id, clerk_user_id) VALUES (:tenant, 'user_1');
INSERT INTO app_passwords (tenant_id, address_id, name, secret_sha256)
    SELECT tenant_id, id, 'phone', sha256('x') FROM email_addresses WHERE tenant_id = :tenant;
INSERT INTO suppression_list (tenant_id, address) VALUES (:tenant, 'gone@elsewhere.test');
INSERT INTO recipient_troubles (tenant_id, address, failures, since) VALUES (:tenant, 'full@elsewhere.test', 3, now());
INSERT INTO outbound_messages (tenant_id, recipient, from_address, text_body, state, held_reason)
    VALUES (:tenant, 'a@elsewhere.test', 'somebody@:domain', 'x', 'held', 'not to be sent');
INSERT INTO delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, reply)
    SELECT tenant_id, id, 1, now(), 'deferred', 451, 'later' FROM outbound_messages WHERE tenant_id = :tenant;
INSERT INTO tracking_tokens (tenant_id, outbound_message_id, token, kind)
    SELECT tenant_id, id, replace(gen_random_uuid()::text, '-', ''), 'open' FROM outbound_messages WHERE tenant_id = :tenant;
INSERT INTO email_tracking_events (tenant_id, outbound_message_id, event_type)
    SELECT tenant_id, id, 'open' FROM outbound_messages WHERE tenant_id = :tenant;
INSERT INTO analytics_events (tenant_id, event) VALUES (:tenant, 'email.opened');
INSERT INTO api_keys (tenant_id, name, display_prefix, secret_sha256, scopes)
    VALUES (:tenant, 'key', 'kx_abcd', sha256(gen_random_uuid()::text::bytea), '{messages:send}');
INSERT INTO webhooks (tenant_id, url) VALUES (:tenant, 'https://:domain/hook');
INSERT INTO webhook_deliveries (tenant_id, webhook_id, event_id, event_type, payload)
    SELECT tenant_id, id, gen_random_uuid(), 'email.sent', '{}' FROM webhooks WHERE tenant_id = :tenant;
INSERT INTO newsletter_unsubscribes (tenant_id, token, address)
    VALUES (:tenant, replace(gen_random_uuid()::text, '-', ''), 'a@elsewhere.test');
INSERT INTO newsletter_confirm_tokens (tenant_id, token, list_id, subscriber_id)
    VALUES (:tenant, replace(gen_random_uuid()::text, '-', ''), gen_random_uuid(), gen_random_uuid());
INSERT INTO domain_warmup (tenant_id, domain_id) SELECT tenant_id, id FROM tenant_domains WHERE tenant_id = :tenant;
INSERT INTO delivery_routes (tenant_id, source_address) VALUES (:tenant, '127.0.0.1');
INSERT INTO activity_log (tenant_id, action, summary) VALUES (:tenant, 'domain.added', 'A domain was added');
INSERT INTO tenant_mail_settings (tenant_id) VALUES (:tenant) ON CONFLICT DO NOTHING;
INSERT INTO greylist_triplets (tenant_id, triplet) VALUES (:tenant, sha256('x'));
INSERT INTO spam_lessons (tenant_id, email_id, spam) VALUES (:tenant, gen_random_uuid(), true);
INSERT INTO arrived_reports (tenant_id, email_id, next_attempt_at) VALUES (:tenant, gen_random_uuid(), now() + interval '1 year');
