-- Run in every org schema: rules, helpdesk, contacts, newsletters, sequences,
-- calendar, drive and views. Names without a schema are this organisation's.

-- Rules of a mailbox.

CREATE TABLE email_forwards (
    id uuid CONSTRAINT email_forwards_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    forward_to text NOT NULL,
    keep_copy boolean NOT NULL DEFAULT true,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_forwards_address_id_forward_to_key UNIQUE (address_id, forward_to),
    CONSTRAINT email_forwards_forward_to_check CHECK (
        forward_to = lower(forward_to) AND length(forward_to) <= 254
        AND forward_to ~ '^[^[:space:][:cntrl:]@<>]+@[^[:space:][:cntrl:]@<>]+$'
    )
);
CALL public.refers('email_forwards', 'address_id', 'email_addresses', 'cascade');
COMMENT ON TABLE email_forwards IS 'Forwarding of all mail of a mailbox, one row per destination.';
COMMENT ON COLUMN email_forwards.keep_copy IS 'The mailbox keeps the message too, when any of its enabled rows says so.';

CREATE TABLE email_templates (
    id uuid CONSTRAINT email_templates_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '',
    html_body text,
    text_body text,
    defaults jsonb NOT NULL DEFAULT '{}',
    archived_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_templates_name_key UNIQUE (name),
    CONSTRAINT email_templates_name_check CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT email_templates_subject_check CHECK (length(subject) <= 998 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT email_templates_body_check CHECK (num_nonnulls(html_body, text_body) > 0),
    CONSTRAINT email_templates_size_check CHECK (octet_length(html_body) <= 1048576 AND octet_length(text_body) <= 1048576),
    CONSTRAINT email_templates_defaults_check CHECK (jsonb_typeof(defaults) = 'object')
);
COMMENT ON TABLE email_templates IS 'Reusable mail. Subject and bodies hold {{ variables }} and are rendered per person.';
COMMENT ON COLUMN email_templates.text_body IS 'NULL: made from the HTML.';
COMMENT ON COLUMN email_templates.defaults IS 'Values of variables that the sender does not give.';
COMMENT ON COLUMN email_templates.archived_at IS 'No longer offered; what uses it goes on.';

CREATE TABLE auto_replies (
    id uuid CONSTRAINT auto_replies_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    subject text,
    text_body text NOT NULL,
    html_body text,
    starts_at timestamptz,
    ends_at timestamptz,
    repeat_after interval NOT NULL DEFAULT interval '7 days',
    own_addresses text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT auto_replies_subject_check CHECK (length(subject) BETWEEN 1 AND 500 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT auto_replies_body_check CHECK (
        octet_length(text_body) BETWEEN 1 AND 65536 AND octet_length(html_body) <= 262144
    ),
    CONSTRAINT auto_replies_dates_check CHECK (ends_at > starts_at),
    CONSTRAINT auto_replies_repeat_after_check CHECK (repeat_after BETWEEN interval '1 hour' AND interval '1 year')
);
CALL public.refers('auto_replies', 'address_id', 'email_addresses', 'cascade');
CREATE INDEX auto_replies_address_id_idx ON auto_replies (address_id);
COMMENT ON TABLE auto_replies IS 'Vacation notices and the like (RFC 3834).';
COMMENT ON COLUMN auto_replies.subject IS 'NULL: "Auto: " and the subject that is answered.';
COMMENT ON COLUMN auto_replies.starts_at IS 'NULL: since always.';
COMMENT ON COLUMN auto_replies.ends_at IS 'NULL: until switched off.';
COMMENT ON COLUMN auto_replies.repeat_after IS 'How long one sender gets no second answer.';
COMMENT ON COLUMN auto_replies.own_addresses IS 'Besides the mailbox and its aliases: mail must be addressed to one of them to be answered.';

CREATE TABLE auto_reply_recipients (
    id uuid CONSTRAINT auto_reply_recipients_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    auto_reply_id uuid NOT NULL,
    recipient text NOT NULL,
    replied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT auto_reply_recipients_auto_reply_id_fkey FOREIGN KEY (auto_reply_id) REFERENCES auto_replies (id) ON DELETE CASCADE,
    CONSTRAINT auto_reply_recipients_auto_reply_id_recipient_key UNIQUE (auto_reply_id, recipient),
    CONSTRAINT auto_reply_recipients_recipient_check CHECK (recipient = lower(recipient) AND length(recipient) <= 254)
);
CREATE INDEX auto_reply_recipients_replied_at_idx ON auto_reply_recipients (replied_at);
COMMENT ON TABLE auto_reply_recipients IS 'Who was answered when, so that it happens once per sender and period.';

CREATE TABLE email_filters (
    id uuid CONSTRAINT email_filters_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    name text NOT NULL,
    position integer NOT NULL DEFAULT 0,
    enabled boolean NOT NULL DEFAULT true,
    conditions jsonb NOT NULL DEFAULT '{"all": []}',
    actions jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_filters_name_check CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT email_filters_conditions_check CHECK (public.condition_is_valid(conditions, ARRAY[
        'header', 'from', 'from_domain', 'to', 'to_domain', 'cc', 'cc_domain', 'subject', 'body', 'size',
        'attachment_name', 'attachment_type', 'list_id', 'authenticity', 'spam_score', 'sender_known'])),
    CONSTRAINT email_filters_actions_check CHECK (public.actions_are_valid(actions))
);
CALL public.refers('email_filters', 'address_id', 'email_addresses', 'cascade');
CREATE INDEX email_filters_address_id_position_idx ON email_filters (address_id, position, id);
COMMENT ON TABLE email_filters IS 'Inbox rules, applied in the order of position in the transaction that stores a message.';
COMMENT ON COLUMN email_filters.conditions IS 'See public.condition_is_valid; {"all": []} is every message.';
COMMENT ON COLUMN email_filters.actions IS '[{"do": "folder", "name"}, {"do": "label", "keyword"}, {"do": "flag"}, {"do": "read"}, {"do": "forward", "address"}, {"do": "reply", "template_id"}, {"do": "reject", "text"}, {"do": "webhook", "webhook_id"}, {"do": "discard"}, {"do": "stop"}]';

CREATE TABLE inbox_views (
    id uuid CONSTRAINT inbox_views_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    name text NOT NULL,
    conditions jsonb NOT NULL,
    position integer NOT NULL DEFAULT 0,
    subscribed boolean NOT NULL DEFAULT true,
    uidvalidity bigint NOT NULL DEFAULT floor(extract(epoch FROM clock_timestamp()))::bigint,
    uidnext bigint NOT NULL DEFAULT 1,
    highestmodseq bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inbox_views_address_id_name_key UNIQUE (address_id, name),
    CONSTRAINT inbox_views_name_check CHECK (
        octet_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]/]' AND name NOT IN ('.', '..') AND upper(name) <> 'INBOX'
    ),
    CONSTRAINT inbox_views_conditions_check CHECK (public.condition_is_valid(conditions, ARRAY[
        'header', 'from', 'from_domain', 'to', 'to_domain', 'cc', 'cc_domain', 'subject', 'body', 'size',
        'attachment_name', 'attachment_type', 'list_id', 'authenticity', 'spam_score', 'sender_known',
        'folder', 'keyword', 'seen', 'answered', 'flagged', 'has_attachments', 'received_at'])),
    CONSTRAINT inbox_views_uidvalidity_check CHECK (uidvalidity BETWEEN 1 AND 4294967295),
    CONSTRAINT inbox_views_uidnext_check CHECK (uidnext BETWEEN 1 AND 4294967295)
);
CALL public.refers('inbox_views', 'address_id', 'email_addresses', 'cascade');
COMMENT ON TABLE inbox_views IS 'Saved filters of a mailbox; each appears as a virtual IMAP mailbox.';
COMMENT ON COLUMN inbox_views.conditions IS 'See public.condition_is_valid; also over flags, keywords and folders.';
COMMENT ON COLUMN inbox_views.uidvalidity IS 'Counters as those of folders, taken under the row''s lock.';

CREATE TABLE inbox_view_entries (
    id uuid CONSTRAINT inbox_view_entries_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    view_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    uid bigint NOT NULL,
    CONSTRAINT inbox_view_entries_view_id_fkey FOREIGN KEY (view_id) REFERENCES inbox_views (id) ON DELETE CASCADE,
    CONSTRAINT inbox_view_entries_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES folder_entries (id) ON DELETE CASCADE,
    CONSTRAINT inbox_view_entries_view_id_uid_key UNIQUE (view_id, uid),
    CONSTRAINT inbox_view_entries_view_id_entry_id_key UNIQUE (view_id, entry_id),
    CONSTRAINT inbox_view_entries_uid_check CHECK (uid BETWEEN 1 AND 4294967295)
);
CREATE INDEX inbox_view_entries_entry_id_idx ON inbox_view_entries (entry_id);
COMMENT ON TABLE inbox_view_entries IS 'Which UID an email has in a view: a UID once given stays (RFC 9051 section 2.3.1.1).';

CREATE TABLE ai_suggestions (
    id uuid CONSTRAINT ai_suggestions_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    email_id uuid NOT NULL,
    address_id uuid NOT NULL,
    body text NOT NULL,
    tone text NOT NULL DEFAULT 'neutral',
    model text NOT NULL,
    status text NOT NULL DEFAULT 'proposed',
    draft_email_id uuid,
    prompt_tokens integer,
    completion_tokens integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    CONSTRAINT ai_suggestions_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE CASCADE,
    CONSTRAINT ai_suggestions_draft_email_id_fkey FOREIGN KEY (draft_email_id) REFERENCES emails (id) ON DELETE SET NULL,
    CONSTRAINT ai_suggestions_body_check CHECK (octet_length(body) BETWEEN 1 AND 65536),
    CONSTRAINT ai_suggestions_status_check CHECK (status IN ('proposed', 'drafted', 'used', 'dismissed')),
    CONSTRAINT ai_suggestions_decided_check CHECK ((status IN ('used', 'dismissed')) = (decided_at IS NOT NULL)),
    CONSTRAINT ai_suggestions_tokens_check CHECK (prompt_tokens >= 0 AND completion_tokens >= 0)
);
CALL public.refers('ai_suggestions', 'address_id', 'email_addresses', 'cascade');
CREATE INDEX ai_suggestions_email_id_idx ON ai_suggestions (email_id);
CREATE INDEX ai_suggestions_address_id_idx ON ai_suggestions (address_id);
CREATE INDEX ai_suggestions_draft_email_id_idx ON ai_suggestions (draft_email_id) WHERE draft_email_id IS NOT NULL;
COMMENT ON TABLE ai_suggestions IS 'Reply candidates written by a language model, offered as drafts. A person decides; nothing is sent by itself.';
COMMENT ON COLUMN ai_suggestions.email_id IS 'The email that is answered.';
COMMENT ON COLUMN ai_suggestions.address_id IS 'The mailbox that would answer.';
COMMENT ON COLUMN ai_suggestions.draft_email_id IS 'The draft in the mailbox''s Drafts, once made.';
COMMENT ON COLUMN ai_suggestions.prompt_tokens IS 'What it cost, where the endpoint tells.';

-- People and companies.

CREATE TABLE companies (
    id uuid CONSTRAINT companies_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    domain text,
    website text,
    phone text,
    notes text NOT NULL DEFAULT '',
    owner_id uuid,
    custom_fields jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT companies_domain_key UNIQUE (domain),
    CONSTRAINT companies_name_check CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT companies_domain_check CHECK (domain = lower(domain) AND length(domain) BETWEEN 1 AND 253 AND domain !~ '[[:space:]@/]'),
    CONSTRAINT companies_custom_fields_check CHECK (jsonb_typeof(custom_fields) = 'object')
);
CALL public.refers('companies', 'owner_id', 'tenant_users', 'set_null');
CREATE INDEX companies_owner_id_idx ON companies (owner_id);
COMMENT ON TABLE companies IS 'Companies, found by the domain of their people''s addresses.';
COMMENT ON COLUMN companies.domain IS 'NULL: none known. Domains of public mail providers make no company.';

CREATE TABLE contacts (
    id uuid CONSTRAINT contacts_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address text NOT NULL,
    display_name text,
    given_name text,
    family_name text,
    job_title text,
    phone text,
    notes text NOT NULL DEFAULT '',
    company_id uuid,
    owner_id uuid,
    source text NOT NULL DEFAULT 'manual',
    do_not_track boolean NOT NULL DEFAULT false,
    custom_fields jsonb NOT NULL DEFAULT '{}',
    received_count integer NOT NULL DEFAULT 0,
    sent_count integer NOT NULL DEFAULT 0,
    last_received_at timestamptz,
    last_sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE SET NULL,
    CONSTRAINT contacts_address_key UNIQUE (address),
    CONSTRAINT contacts_address_check CHECK (
        address = lower(address) AND length(address) <= 254 AND address ~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@]+$'
    ),
    CONSTRAINT contacts_source_check CHECK (source IN ('mail', 'manual', 'import', 'api', 'newsletter')),
    CONSTRAINT contacts_custom_fields_check CHECK (jsonb_typeof(custom_fields) = 'object'),
    CONSTRAINT contacts_counts_check CHECK (received_count >= 0 AND sent_count >= 0)
);
CALL public.refers('contacts', 'owner_id', 'tenant_users', 'set_null');
CREATE INDEX contacts_company_id_idx ON contacts (company_id);
CREATE INDEX contacts_owner_id_idx ON contacts (owner_id);
COMMENT ON TABLE contacts IS 'People that the organisation writes with. Mail makes them by itself.';
COMMENT ON COLUMN contacts.do_not_track IS 'No pixel and no rewritten link in mail to this person, whatever else says so.';
COMMENT ON COLUMN contacts.received_count IS 'Mail from this person; derived from contact_emails.';
COMMENT ON COLUMN contacts.sent_count IS 'Mail to this person; derived from contact_emails.';

CREATE TABLE contact_emails (
    id uuid CONSTRAINT contact_emails_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    contact_id uuid NOT NULL,
    email_id uuid NOT NULL,
    role text NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_emails_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE CASCADE,
    CONSTRAINT contact_emails_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE CASCADE,
    CONSTRAINT contact_emails_email_id_contact_id_role_key UNIQUE (email_id, contact_id, role),
    CONSTRAINT contact_emails_role_check CHECK (role IN ('from', 'to', 'cc', 'bcc'))
);
CREATE INDEX contact_emails_contact_id_occurred_at_idx ON contact_emails (contact_id, occurred_at DESC);
COMMENT ON TABLE contact_emails IS 'The mail history of contacts: who stands where in which email.';

CREATE TABLE deals (
    id uuid CONSTRAINT deals_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    title text NOT NULL,
    company_id uuid,
    contact_id uuid,
    owner_id uuid,
    stage text NOT NULL DEFAULT 'lead',
    amount numeric(14, 2),
    currency text,
    probability integer,
    expected_close_on date,
    notes text NOT NULL DEFAULT '',
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deals_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE SET NULL,
    CONSTRAINT deals_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT deals_title_check CHECK (length(title) BETWEEN 1 AND 200),
    CONSTRAINT deals_stage_check CHECK (stage IN ('lead', 'qualified', 'proposal', 'negotiation', 'won', 'lost')),
    CONSTRAINT deals_closed_check CHECK ((stage IN ('won', 'lost')) = (closed_at IS NOT NULL)),
    CONSTRAINT deals_amount_check CHECK (amount >= 0 AND (amount IS NULL) = (currency IS NULL)),
    CONSTRAINT deals_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT deals_probability_check CHECK (probability BETWEEN 0 AND 100)
);
CALL public.refers('deals', 'owner_id', 'tenant_users', 'set_null');
CREATE INDEX deals_company_id_idx ON deals (company_id);
CREATE INDEX deals_contact_id_idx ON deals (contact_id);
CREATE INDEX deals_owner_id_idx ON deals (owner_id);
COMMENT ON TABLE deals IS 'Business in the making, with the mail of its contact.';
COMMENT ON COLUMN deals.currency IS 'ISO 4217.';
COMMENT ON COLUMN deals.probability IS 'In percent.';

CREATE TABLE tickets (
    id uuid CONSTRAINT tickets_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    reference text NOT NULL DEFAULT upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 10)),
    address_id uuid,
    thread_id uuid,
    contact_id uuid,
    requester text NOT NULL,
    subject text NOT NULL,
    status text NOT NULL DEFAULT 'open',
    priority text NOT NULL DEFAULT 'normal',
    assignee_id uuid,
    tags text[] NOT NULL DEFAULT '{}',
    first_response_at timestamptz,
    last_message_at timestamptz NOT NULL DEFAULT now(),
    solved_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tickets_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE SET NULL,
    CONSTRAINT tickets_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT tickets_reference_key UNIQUE (reference),
    CONSTRAINT tickets_thread_id_key UNIQUE (thread_id),
    CONSTRAINT tickets_reference_check CHECK (reference ~ '^[0-9A-Z]{4,20}$'),
    CONSTRAINT tickets_requester_check CHECK (requester = lower(requester) AND length(requester) BETWEEN 3 AND 254),
    CONSTRAINT tickets_status_check CHECK (status IN ('open', 'pending', 'solved', 'closed')),
    CONSTRAINT tickets_priority_check CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT tickets_solved_check CHECK (status NOT IN ('solved', 'closed') OR solved_at IS NOT NULL)
);
CALL public.refers('tickets', 'address_id', 'email_addresses', 'set_null');
CALL public.refers('tickets', 'assignee_id', 'tenant_users', 'set_null');
CREATE INDEX tickets_address_id_idx ON tickets (address_id);
CREATE INDEX tickets_contact_id_idx ON tickets (contact_id);
CREATE INDEX tickets_assignee_id_idx ON tickets (assignee_id);
CREATE INDEX tickets_status_last_message_at_idx ON tickets (status, last_message_at DESC);
COMMENT ON TABLE tickets IS 'Helpdesk cases. One thread is one ticket; a reply from any mail client answers it.';
COMMENT ON COLUMN tickets.reference IS 'What people say to each other, and what the subject carries in [#...].';
COMMENT ON COLUMN tickets.address_id IS 'The support address it came to.';
COMMENT ON COLUMN tickets.thread_id IS 'Its mail; NULL while it has none.';
COMMENT ON COLUMN tickets.requester IS 'Address of whoever asked.';
COMMENT ON COLUMN tickets.status IS 'pending waits for the requester; closed is solved and no longer reopened by a reply.';

-- Newsletters and sequences.

CREATE TABLE newsletter_lists (
    id uuid CONSTRAINT newsletter_lists_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    from_address_id uuid,
    from_name text,
    reply_to text,
    double_opt_in boolean NOT NULL DEFAULT true,
    confirm_template_id uuid,
    archived_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT newsletter_lists_confirm_template_id_fkey FOREIGN KEY (confirm_template_id)
        REFERENCES email_templates (id) ON DELETE SET NULL,
    CONSTRAINT newsletter_lists_name_key UNIQUE (name),
    CONSTRAINT newsletter_lists_name_check CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT newsletter_lists_from_name_check CHECK (from_name !~ '[[:cntrl:]]'),
    CONSTRAINT newsletter_lists_reply_to_check CHECK (reply_to !~ '[[:space:][:cntrl:]<>]' AND length(reply_to) <= 254)
);
CALL public.refers('newsletter_lists', 'from_address_id', 'email_addresses', 'set_null');
CREATE INDEX newsletter_lists_from_address_id_idx ON newsletter_lists (from_address_id);
CREATE INDEX newsletter_lists_confirm_template_id_idx ON newsletter_lists (confirm_template_id);
COMMENT ON TABLE newsletter_lists IS 'Audiences.';
COMMENT ON COLUMN newsletter_lists.from_address_id IS 'Default sender of campaigns to this list.';
COMMENT ON COLUMN newsletter_lists.double_opt_in IS 'Nobody becomes active here without having confirmed.';
COMMENT ON COLUMN newsletter_lists.confirm_template_id IS 'The mail that asks to confirm; NULL: a plain one of the server''s.';

CREATE TABLE newsletter_subscribers (
    id uuid CONSTRAINT newsletter_subscribers_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    list_id uuid NOT NULL,
    contact_id uuid,
    address text NOT NULL,
    display_name text,
    status text NOT NULL DEFAULT 'pending',
    attributes jsonb NOT NULL DEFAULT '{}',
    source text NOT NULL DEFAULT 'api',
    consent_note text,
    confirmed_at timestamptz,
    unsubscribed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT newsletter_subscribers_list_id_fkey FOREIGN KEY (list_id) REFERENCES newsletter_lists (id) ON DELETE CASCADE,
    CONSTRAINT newsletter_subscribers_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT newsletter_subscribers_list_id_address_key UNIQUE (list_id, address),
    CONSTRAINT newsletter_subscribers_address_check CHECK (
        address = lower(address) AND length(address) <= 254 AND address ~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@]+$'
    ),
    CONSTRAINT newsletter_subscribers_status_check CHECK (
        status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')
    ),
    CONSTRAINT newsletter_subscribers_unsubscribed_check CHECK (status <> 'unsubscribed' OR unsubscribed_at IS NOT NULL),
    CONSTRAINT newsletter_subscribers_source_check CHECK (source IN ('form', 'api', 'import', 'manual')),
    CONSTRAINT newsletter_subscribers_attributes_check CHECK (jsonb_typeof(attributes) = 'object')
);
CREATE INDEX newsletter_subscribers_contact_id_idx ON newsletter_subscribers (contact_id);
CREATE INDEX newsletter_subscribers_address_idx ON newsletter_subscribers (address);
CREATE INDEX newsletter_subscribers_active_idx ON newsletter_subscribers (list_id, id) WHERE status = 'active';
COMMENT ON TABLE newsletter_subscribers IS 'People on lists. Only active ones are written to.';
COMMENT ON COLUMN newsletter_subscribers.attributes IS 'What segments ask and templates show.';
COMMENT ON COLUMN newsletter_subscribers.consent_note IS 'For an import: where and when the consent was given.';
COMMENT ON COLUMN newsletter_subscribers.confirmed_at IS 'When the token of the double opt-in was used, or an import says it was given.';

-- Another program may not switch somebody on in a list that asks for consent.
CREATE FUNCTION check_opt_in() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status = 'active' AND NEW.confirmed_at IS NULL
       AND (SELECT l.double_opt_in FROM newsletter_lists l WHERE l.id = NEW.list_id) THEN
        RAISE EXCEPTION 'subscriber % has not confirmed', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'newsletter_subscribers_double_opt_in';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER newsletter_subscribers_opt_in BEFORE INSERT OR UPDATE OF status, confirmed_at, list_id ON newsletter_subscribers
    FOR EACH ROW EXECUTE FUNCTION check_opt_in();

CREATE TABLE subscriber_segments (
    id uuid CONSTRAINT subscriber_segments_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    list_id uuid NOT NULL,
    name text NOT NULL,
    conditions jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subscriber_segments_list_id_fkey FOREIGN KEY (list_id) REFERENCES newsletter_lists (id) ON DELETE CASCADE,
    CONSTRAINT subscriber_segments_list_id_name_key UNIQUE (list_id, name),
    CONSTRAINT subscriber_segments_name_check CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT subscriber_segments_conditions_check CHECK (public.condition_is_valid(conditions, ARRAY[
        'attribute', 'address', 'domain', 'display_name', 'source', 'subscribed_at', 'confirmed_at',
        'opened_at', 'clicked_at', 'replied_at']))
);
COMMENT ON TABLE subscriber_segments IS 'Smart filters: a part of a list, asked anew each time it is used.';
COMMENT ON COLUMN subscriber_segments.conditions IS 'See public.condition_is_valid; times are compared with over and under a timestamp or a number of days.';

CREATE TABLE campaigns (
    id uuid CONSTRAINT campaigns_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    list_id uuid,
    segment_id uuid,
    template_id uuid,
    from_address_id uuid,
    from_name text,
    reply_to text,
    subject text NOT NULL DEFAULT '',
    html_body text,
    text_body text,
    track_opens boolean NOT NULL DEFAULT true,
    track_clicks boolean NOT NULL DEFAULT true,
    status text NOT NULL DEFAULT 'draft',
    scheduled_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    queued_up_to uuid,
    queued_count integer NOT NULL DEFAULT 0,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT campaigns_list_id_fkey FOREIGN KEY (list_id) REFERENCES newsletter_lists (id) ON DELETE SET NULL,
    CONSTRAINT campaigns_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES subscriber_segments (id) ON DELETE RESTRICT,
    CONSTRAINT campaigns_template_id_fkey FOREIGN KEY (template_id) REFERENCES email_templates (id) ON DELETE SET NULL,
    CONSTRAINT campaigns_name_check CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT campaigns_subject_check CHECK (length(subject) <= 998 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT campaigns_from_name_check CHECK (from_name !~ '[[:cntrl:]]'),
    CONSTRAINT campaigns_reply_to_check CHECK (reply_to !~ '[[:space:][:cntrl:]<>]' AND length(reply_to) <= 254),
    CONSTRAINT campaigns_status_check CHECK (status IN ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
    CONSTRAINT campaigns_ready_check CHECK (
        status IN ('draft', 'cancelled', 'sent') OR (
            scheduled_at IS NOT NULL AND list_id IS NOT NULL AND subject <> ''
            AND num_nonnulls(html_body, text_body) > 0)
    ),
    CONSTRAINT campaigns_queued_count_check CHECK (queued_count >= 0)
);
CALL public.refers('campaigns', 'from_address_id', 'email_addresses', 'set_null');
CALL public.refers('campaigns', 'created_by', 'tenant_users', 'set_null');
CREATE INDEX campaigns_list_id_idx ON campaigns (list_id);
CREATE INDEX campaigns_segment_id_idx ON campaigns (segment_id);
CREATE INDEX campaigns_template_id_idx ON campaigns (template_id);
CREATE INDEX campaigns_from_address_id_idx ON campaigns (from_address_id);
CREATE INDEX campaigns_created_by_idx ON campaigns (created_by);
CREATE INDEX campaigns_due_idx ON campaigns (scheduled_at) WHERE status IN ('scheduled', 'sending');
COMMENT ON TABLE campaigns IS 'Broadcasts to a list or a segment of it. Counts are asked of outbound_messages by campaign_id.';
COMMENT ON COLUMN campaigns.segment_id IS 'NULL: the whole list. A segment that a campaign names stays, lest the mail go to everybody.';
COMMENT ON COLUMN campaigns.template_id IS 'Where subject and bodies were copied from.';
COMMENT ON COLUMN campaigns.from_address_id IS 'NULL: the mailbox is gone, and nothing more leaves until another is chosen.';
COMMENT ON COLUMN campaigns.queued_up_to IS 'Subscribers up to this id, in the order of id, are in the queue: where to go on after an interruption.';

CREATE TABLE sequences (
    id uuid CONSTRAINT sequences_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'draft',
    list_id uuid,
    from_address_id uuid,
    from_name text,
    track_opens boolean NOT NULL DEFAULT true,
    track_clicks boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequences_list_id_fkey FOREIGN KEY (list_id) REFERENCES newsletter_lists (id) ON DELETE SET NULL,
    CONSTRAINT sequences_name_key UNIQUE (name),
    CONSTRAINT sequences_name_check CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT sequences_from_name_check CHECK (from_name !~ '[[:cntrl:]]'),
    CONSTRAINT sequences_status_check CHECK (status IN ('draft', 'active', 'paused', 'archived'))
);
CALL public.refers('sequences', 'from_address_id', 'email_addresses', 'set_null');
CREATE INDEX sequences_list_id_idx ON sequences (list_id);
CREATE INDEX sequences_from_address_id_idx ON sequences (from_address_id);
COMMENT ON TABLE sequences IS 'Drip automations. They stop for a person the moment that person replies.';
COMMENT ON COLUMN sequences.from_address_id IS 'NULL: nothing leaves until a mailbox is chosen.';
COMMENT ON COLUMN sequences.list_id IS 'Whoever becomes active there is enrolled; NULL: people are enrolled one by one.';

CREATE TABLE sequence_steps (
    id uuid CONSTRAINT sequence_steps_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    sequence_id uuid NOT NULL,
    position integer NOT NULL,
    wait interval NOT NULL DEFAULT interval '0',
    template_id uuid,
    subject text NOT NULL DEFAULT '',
    html_body text,
    text_body text,
    same_thread boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequence_steps_sequence_id_fkey FOREIGN KEY (sequence_id) REFERENCES sequences (id) ON DELETE CASCADE,
    CONSTRAINT sequence_steps_template_id_fkey FOREIGN KEY (template_id) REFERENCES email_templates (id) ON DELETE RESTRICT,
    CONSTRAINT sequence_steps_sequence_id_position_key UNIQUE (sequence_id, position) DEFERRABLE,
    CONSTRAINT sequence_steps_position_check CHECK (position > 0),
    CONSTRAINT sequence_steps_wait_check CHECK (wait BETWEEN interval '0' AND interval '1 year'),
    CONSTRAINT sequence_steps_subject_check CHECK (length(subject) <= 998 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT sequence_steps_content_check CHECK (num_nonnulls(template_id, html_body, text_body) > 0)
);
CREATE INDEX sequence_steps_template_id_idx ON sequence_steps (template_id);
COMMENT ON TABLE sequence_steps IS 'The mails of a sequence, in order.';
COMMENT ON COLUMN sequence_steps.wait IS 'After the step before, or after enrolment.';
COMMENT ON COLUMN sequence_steps.same_thread IS 'Goes out as a reply to the step before.';

CREATE TABLE sequence_enrollments (
    id uuid CONSTRAINT sequence_enrollments_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    sequence_id uuid NOT NULL,
    contact_id uuid,
    subscriber_id uuid,
    address text NOT NULL,
    variables jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active',
    position integer NOT NULL DEFAULT 1,
    next_step_at timestamptz NOT NULL DEFAULT now(),
    enrolled_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT sequence_enrollments_sequence_id_fkey FOREIGN KEY (sequence_id) REFERENCES sequences (id) ON DELETE CASCADE,
    CONSTRAINT sequence_enrollments_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT sequence_enrollments_subscriber_id_fkey FOREIGN KEY (subscriber_id)
        REFERENCES newsletter_subscribers (id) ON DELETE SET NULL,
    CONSTRAINT sequence_enrollments_sequence_id_address_key UNIQUE (sequence_id, address),
    CONSTRAINT sequence_enrollments_address_check CHECK (address = lower(address) AND length(address) BETWEEN 3 AND 254),
    CONSTRAINT sequence_enrollments_variables_check CHECK (jsonb_typeof(variables) = 'object'),
    CONSTRAINT sequence_enrollments_status_check CHECK (
        status IN ('active', 'completed', 'replied', 'unsubscribed', 'bounced', 'stopped')
    ),
    CONSTRAINT sequence_enrollments_position_check CHECK (position > 0),
    CONSTRAINT sequence_enrollments_finished_check CHECK ((status = 'active') = (finished_at IS NULL))
);
CREATE INDEX sequence_enrollments_due_idx ON sequence_enrollments (next_step_at) WHERE status = 'active';
CREATE INDEX sequence_enrollments_address_idx ON sequence_enrollments (address) WHERE status = 'active';
CREATE INDEX sequence_enrollments_contact_id_idx ON sequence_enrollments (contact_id);
CREATE INDEX sequence_enrollments_subscriber_id_idx ON sequence_enrollments (subscriber_id);
COMMENT ON TABLE sequence_enrollments IS 'Who is where in which sequence. A reply ends it in the transaction that stores the reply.';
COMMENT ON COLUMN sequence_enrollments.position IS 'The step that goes out next.';

-- Calendar and drive.

CREATE TABLE calendar_events (
    id uuid CONSTRAINT calendar_events_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    uid text NOT NULL,
    recurrence_id text NOT NULL DEFAULT '',
    sequence integer NOT NULL DEFAULT 0,
    dtstamp timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'confirmed',
    participation text NOT NULL DEFAULT 'needs_action',
    summary text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    location text NOT NULL DEFAULT '',
    organizer text,
    attendees jsonb NOT NULL DEFAULT '[]',
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    all_day boolean NOT NULL DEFAULT false,
    timezone text,
    recurrence_rule text,
    ical text,
    email_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT calendar_events_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE SET NULL,
    CONSTRAINT calendar_events_address_id_uid_recurrence_id_key UNIQUE (address_id, uid, recurrence_id),
    CONSTRAINT calendar_events_uid_check CHECK (length(uid) BETWEEN 1 AND 1000),
    CONSTRAINT calendar_events_sequence_check CHECK (sequence >= 0),
    CONSTRAINT calendar_events_status_check CHECK (status IN ('tentative', 'confirmed', 'cancelled')),
    CONSTRAINT calendar_events_participation_check CHECK (
        participation IN ('needs_action', 'accepted', 'declined', 'tentative', 'delegated', 'organizer')
    ),
    CONSTRAINT calendar_events_attendees_check CHECK (jsonb_typeof(attendees) = 'array'),
    CONSTRAINT calendar_events_times_check CHECK (ends_at >= starts_at),
    CONSTRAINT calendar_events_ical_check CHECK (octet_length(ical) <= 1048576)
);
CALL public.refers('calendar_events', 'address_id', 'email_addresses', 'cascade');
CREATE INDEX calendar_events_address_id_starts_at_idx ON calendar_events (address_id, starts_at);
CREATE INDEX calendar_events_email_id_idx ON calendar_events (email_id);
COMMENT ON TABLE calendar_events IS 'Events of a mailbox''s calendar; invitations in mail become rows, updates and cancellations follow (RFC 5546, RFC 6047).';
COMMENT ON COLUMN calendar_events.uid IS 'iCalendar UID.';
COMMENT ON COLUMN calendar_events.recurrence_id IS 'RECURRENCE-ID as written, of an instance that differs from its series; empty: the event or series itself.';
COMMENT ON COLUMN calendar_events.sequence IS 'With dtstamp it tells a newer revision from an older one that came late (RFC 5546 section 2.1.5).';
COMMENT ON COLUMN calendar_events.participation IS 'What this mailbox answered.';
COMMENT ON COLUMN calendar_events.attendees IS '[{"address", "name", "role", "participation"}]';
COMMENT ON COLUMN calendar_events.starts_at IS 'Of a series: its first instance. An all-day event starts at midnight in timezone.';
COMMENT ON COLUMN calendar_events.recurrence_rule IS 'RRULE; NULL: happens once.';
COMMENT ON COLUMN calendar_events.ical IS 'The iCalendar object that it was made from.';
COMMENT ON COLUMN calendar_events.email_id IS 'The mail that brought the revision in force.';

CREATE TABLE files (
    id uuid CONSTRAINT files_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    folder text NOT NULL DEFAULT '',
    filename text NOT NULL,
    content_type text NOT NULL DEFAULT 'application/octet-stream',
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    bucket text NOT NULL,
    object_key text NOT NULL,
    owner_id uuid,
    address_id uuid,
    attachment_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT files_attachment_id_fkey FOREIGN KEY (attachment_id) REFERENCES attachments (id) ON DELETE SET NULL,
    CONSTRAINT files_folder_check CHECK (
        octet_length(folder) <= 1000 AND folder !~ '[[:cntrl:]]' AND (folder = '' OR folder !~ '(^|/)(\.\.|\.)?(/|$)')
    ),
    CONSTRAINT files_filename_check CHECK (
        octet_length(filename) BETWEEN 1 AND 255 AND filename !~ '[[:cntrl:]/\\]' AND filename NOT IN ('.', '..')
    ),
    CONSTRAINT files_content_type_check CHECK (content_type ~ '^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$'),
    CONSTRAINT files_size_bytes_check CHECK (size_bytes >= 0),
    CONSTRAINT files_sha256_check CHECK (octet_length(sha256) = 32)
);
CALL public.refers('files', 'owner_id', 'tenant_users', 'set_null');
CALL public.refers('files', 'address_id', 'email_addresses', 'set_null');
CREATE UNIQUE INDEX files_folder_filename_key ON files (folder, filename) WHERE deleted_at IS NULL;
CREATE INDEX files_object_key_idx ON files (object_key);
CREATE INDEX files_owner_id_idx ON files (owner_id);
CREATE INDEX files_address_id_idx ON files (address_id);
CREATE INDEX files_attachment_id_idx ON files (attachment_id);
COMMENT ON TABLE files IS 'The drive. A row points at an object, which attachments may point at too; the sweep of objects asks both.';
COMMENT ON COLUMN files.folder IS 'Levels separated by "/"; empty is the top.';
COMMENT ON COLUMN files.object_key IS '<tenant id>/<SHA-256 in hex>, as in attachments.';
COMMENT ON COLUMN files.attachment_id IS 'The attachment it was kept from.';
COMMENT ON COLUMN files.deleted_at IS 'In the bin since; NULL: in the drive.';

-- Rows that say when they last changed, and rules that other programs write:
-- whoever caches them is told.
CREATE TRIGGER email_forwards_touch BEFORE UPDATE ON email_forwards FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER email_templates_touch BEFORE UPDATE ON email_templates FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER auto_replies_touch BEFORE UPDATE ON auto_replies FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER email_filters_touch BEFORE UPDATE ON email_filters FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER inbox_views_touch BEFORE UPDATE ON inbox_views FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER companies_touch BEFORE UPDATE ON companies FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER contacts_touch BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER deals_touch BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER tickets_touch BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER newsletter_lists_touch BEFORE UPDATE ON newsletter_lists FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER newsletter_subscribers_touch BEFORE UPDATE ON newsletter_subscribers
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER subscriber_segments_touch BEFORE UPDATE ON subscriber_segments
    FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER campaigns_touch BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER sequences_touch BEFORE UPDATE ON sequences FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER sequence_steps_touch BEFORE UPDATE ON sequence_steps FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER calendar_events_touch BEFORE UPDATE ON calendar_events FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER files_touch BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at();
CREATE TRIGGER aliases_announce AFTER INSERT OR UPDATE OR DELETE ON aliases
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER email_forwards_announce AFTER INSERT OR UPDATE OR DELETE ON email_forwards
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER email_filters_announce AFTER INSERT OR UPDATE OR DELETE ON email_filters
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
CREATE TRIGGER auto_replies_announce AFTER INSERT OR UPDATE OR DELETE ON auto_replies
    FOR EACH STATEMENT EXECUTE FUNCTION public.announce('kx_directory');
