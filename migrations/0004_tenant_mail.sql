-- Run in every org schema: threads, emails, where their bytes are, and the
-- folders of IMAP. Names without a schema are this organisation's.

CREATE TABLE threads (
    id uuid CONSTRAINT threads_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    base_subject text NOT NULL,
    message_count integer NOT NULL DEFAULT 1,
    first_message_at timestamptz NOT NULL DEFAULT now(),
    last_message_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT threads_message_count_check CHECK (message_count >= 0)
);
CREATE INDEX threads_base_subject_idx ON threads (base_subject, last_message_at DESC);
CREATE INDEX threads_last_message_at_idx ON threads (last_message_at DESC);
COMMENT ON TABLE threads IS 'Conversations. Every stored message is in one.';
COMMENT ON COLUMN threads.base_subject IS 'Without Re:, Fwd: and the like, lower case (RFC 5256 section 2.1).';

CREATE TABLE emails (
    id uuid CONSTRAINT emails_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    thread_id uuid NOT NULL,
    source text NOT NULL,
    queue_id uuid,
    dedup_key bytea,
    reverse_path text,
    message_id text,
    in_reply_to text[] NOT NULL DEFAULT '{}',
    reference_ids text[] NOT NULL DEFAULT '{}',
    subject text NOT NULL DEFAULT '',
    from_address text NOT NULL DEFAULT '',
    from_name text,
    recipients jsonb NOT NULL DEFAULT '{}',
    sent_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    internal_date timestamptz NOT NULL DEFAULT now(),
    size_bytes bigint NOT NULL,
    header_bytes integer NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    body_structure bytea NOT NULL,
    parts jsonb NOT NULL,
    text_body text NOT NULL DEFAULT '',
    snippet text NOT NULL DEFAULT '',
    has_attachments boolean NOT NULL DEFAULT false,
    verdict jsonb NOT NULL DEFAULT '{}',
    spam_score real,
    orphaned_at timestamptz,
    CONSTRAINT emails_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE RESTRICT,
    -- One, since each is read again for every message.
    CONSTRAINT emails_values_check CHECK (
        source IN ('smtp', 'submission', 'append', 'api', 'import', 'system')
        AND (dedup_key IS NULL OR octet_length(dedup_key) = 32)
        AND size_bytes >= 0 AND header_bytes BETWEEN 0 AND size_bytes
    )
);
CREATE UNIQUE INDEX emails_dedup_key ON emails (dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX emails_thread_id_idx ON emails (thread_id);
CREATE INDEX emails_message_id_idx ON emails (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX emails_reference_ids_idx ON emails USING gin (reference_ids) WHERE reference_ids <> '{}';
CREATE INDEX emails_received_at_idx ON emails (received_at);
CREATE INDEX emails_orphaned_at_idx ON emails (orphaned_at) WHERE orphaned_at IS NOT NULL;
COMMENT ON TABLE emails IS 'One row per message and organisation, however many mailboxes hold it. Listing, searching and reading text need nothing else.';
COMMENT ON COLUMN emails.source IS 'How it came in.';
COMMENT ON COLUMN emails.queue_id IS 'The id in our 250 and in Received.';
COMMENT ON COLUMN emails.dedup_key IS 'SHA-256 of content, sender and recipients; a retry of the same within 72 h is the same message.';
COMMENT ON COLUMN emails.recipients IS '{"from": [{"name", "address"}], "to": [...], "cc": [...], "bcc": [...], "reply_to": [...]}';
COMMENT ON COLUMN emails.sent_at IS 'The Date field; NULL when missing or unreadable.';
COMMENT ON COLUMN emails.internal_date IS 'IMAP INTERNALDATE.';
COMMENT ON COLUMN emails.size_bytes IS 'Octets of the message with our trace fields: IMAP RFC822.SIZE.';
COMMENT ON COLUMN emails.header_bytes IS 'Octets up to and with the empty line after the header.';
COMMENT ON COLUMN emails.envelope IS 'IMAP ENVELOPE, ready to send.';
COMMENT ON COLUMN emails.body IS 'IMAP BODY (the structure without extension data), ready to send.';
COMMENT ON COLUMN emails.body_structure IS 'IMAP BODYSTRUCTURE, ready to send.';
COMMENT ON COLUMN emails.parts IS 'Where each MIME part lies in the original, so that any section is a range of it.';
COMMENT ON COLUMN emails.text_body IS 'Readable text, at most 64 KiB.';
COMMENT ON COLUMN emails.verdict IS 'SPF, DKIM, DMARC, ARC and reverse DNS as found on arrival.';
COMMENT ON COLUMN emails.orphaned_at IS 'Since when no folder holds it; swept later, once nothing in the queue needs it.';

CREATE TABLE email_sources (
    id uuid CONSTRAINT email_sources_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    header bytea NOT NULL,
    skeleton bytea NOT NULL,
    cuts jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT email_sources_id_fkey FOREIGN KEY (id) REFERENCES emails (id) ON DELETE CASCADE
);
-- zstd has compressed the skeleton already, and headers are read a slice at a time.
ALTER TABLE email_sources ALTER COLUMN skeleton SET STORAGE EXTERNAL;
COMMENT ON TABLE email_sources IS 'What rebuilds a message byte for byte. The id is the email''s.';
COMMENT ON COLUMN email_sources.header IS 'The header block as it stands.';
COMMENT ON COLUMN email_sources.skeleton IS 'The rest without what was cut out, compressed with zstd.';
COMMENT ON COLUMN email_sources.cuts IS 'What was cut out: where, which object, and how to encode it again.';

CREATE TABLE attachments (
    id uuid CONSTRAINT attachments_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    email_id uuid NOT NULL,
    section text NOT NULL,
    filename text,
    content_type text NOT NULL,
    disposition text NOT NULL,
    content_id text,
    size_bytes bigint NOT NULL,
    sha256 bytea,
    bucket text,
    object_key text,
    encoded boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attachments_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE CASCADE,
    CONSTRAINT attachments_email_id_section_key UNIQUE (email_id, section),
    CONSTRAINT attachments_disposition_check CHECK (disposition IN ('attachment', 'inline')),
    CONSTRAINT attachments_size_bytes_check CHECK (size_bytes >= 0),
    CONSTRAINT attachments_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT attachments_object_check CHECK (num_nulls(sha256, bucket, object_key) IN (0, 3))
);
CREATE INDEX attachments_object_key_idx ON attachments (object_key) WHERE object_key IS NOT NULL;
COMMENT ON TABLE attachments IS 'Attachments of emails: pointers to decoded objects, shared within the organisation.';
COMMENT ON COLUMN attachments.section IS 'The MIME part, as IMAP counts.';
COMMENT ON COLUMN attachments.object_key IS '<tenant id>/<SHA-256 in hex>; NULL when it is small and lies in the message itself.';
COMMENT ON COLUMN attachments.encoded IS 'The object is still in its transfer encoding, because no re-encoding gives back the same octets.';

CREATE TABLE folders (
    id uuid CONSTRAINT folders_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid NOT NULL,
    name text NOT NULL,
    special_use text,
    subscribed boolean NOT NULL DEFAULT true,
    uidvalidity bigint NOT NULL,
    uidnext bigint NOT NULL DEFAULT 1,
    highestmodseq bigint NOT NULL DEFAULT 1,
    recent_from bigint NOT NULL DEFAULT 1,
    message_count bigint NOT NULL DEFAULT 0,
    unseen_count bigint NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT folders_address_id_name_key UNIQUE (address_id, name),
    CONSTRAINT folders_counters_check CHECK (
        uidvalidity BETWEEN 1 AND 4294967295 AND uidnext BETWEEN 1 AND 4294967295
        AND message_count >= 0 AND size_bytes >= 0 AND unseen_count BETWEEN 0 AND message_count
    )
);
CALL public.refers('folders', 'address_id', 'email_addresses', 'cascade');
CREATE UNIQUE INDEX folders_special_use_key ON folders (address_id, special_use) WHERE special_use IS NOT NULL;
COMMENT ON TABLE folders IS 'The IMAP mailboxes of an address. Their counters are taken under the row''s lock, so UIDs ascend in commit order.';
COMMENT ON COLUMN folders.name IS 'Full name in UTF-8, levels separated by "/".';
COMMENT ON COLUMN folders.special_use IS 'RFC 6154, and inbox.';
COMMENT ON COLUMN folders.recent_from IS 'UIDs from here on have been shown to no session: IMAP \Recent.';

-- What a folder may be called, asked when that is written: as CHECK constraints
-- these would be read and evaluated again for every message that moves the
-- counters, at four times the cost of the update itself.
CREATE FUNCTION check_folder() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_broken text := CASE
        WHEN octet_length(NEW.name) NOT BETWEEN 1 AND 1000 OR NEW.name ~ '[[:cntrl:]]'
            OR NEW.name ~ '(^|/)(\.\.|\.)?(/|$)' OR (upper(NEW.name) = 'INBOX' AND NEW.name <> 'INBOX')
            THEN 'folders_name_check'
        WHEN NEW.special_use NOT IN ('inbox', 'drafts', 'sent', 'junk', 'trash', 'archive')
            THEN 'folders_special_use_check'
        WHEN (NEW.name = 'INBOX') <> (NEW.special_use IS NOT DISTINCT FROM 'inbox')
            THEN 'folders_inbox_check'
    END;
BEGIN
    IF v_broken IS NOT NULL THEN
        RAISE EXCEPTION 'new row for relation "folders" violates check constraint "%"', v_broken
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken, SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER folders_check BEFORE INSERT OR UPDATE OF name, special_use ON folders
    FOR EACH ROW EXECUTE FUNCTION check_folder();

-- A folder's UIDVALIDITY is higher than that of any folder its mailbox ever
-- had, so that one made anew under an old name is not taken for the old one
-- (RFC 3501 section 2.3.1.1).
CREATE FUNCTION number_folder() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE public.email_addresses a
        SET last_uidvalidity = greatest(a.last_uidvalidity + 1, extract(epoch FROM clock_timestamp())::bigint)
        WHERE a.id = NEW.address_id RETURNING a.last_uidvalidity INTO NEW.uidvalidity;
    RETURN NEW;
END $$;
CREATE TRIGGER folders_number BEFORE INSERT ON folders
    FOR EACH ROW EXECUTE FUNCTION number_folder();

CREATE TABLE folder_entries (
    id uuid CONSTRAINT folder_entries_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    folder_id uuid NOT NULL,
    email_id uuid NOT NULL,
    uid bigint NOT NULL,
    modseq bigint NOT NULL,
    seen boolean NOT NULL DEFAULT false,
    answered boolean NOT NULL DEFAULT false,
    flagged boolean NOT NULL DEFAULT false,
    deleted boolean NOT NULL DEFAULT false,
    draft boolean NOT NULL DEFAULT false,
    keywords text[] NOT NULL DEFAULT '{}',
    saved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT folder_entries_folder_id_fkey FOREIGN KEY (folder_id) REFERENCES folders (id) ON DELETE CASCADE,
    CONSTRAINT folder_entries_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE RESTRICT,
    CONSTRAINT folder_entries_folder_id_uid_key UNIQUE (folder_id, uid),
    CONSTRAINT folder_entries_uid_check CHECK (uid BETWEEN 1 AND 4294967295)
);
CREATE INDEX folder_entries_folder_id_modseq_idx ON folder_entries (folder_id, modseq);
CREATE INDEX folder_entries_email_id_idx ON folder_entries (email_id);
COMMENT ON TABLE folder_entries IS 'Which folder holds which email, as which UID, with which flags.';
COMMENT ON COLUMN folder_entries.keywords IS 'IMAP keywords; see labels.';
COMMENT ON COLUMN folder_entries.saved_at IS 'IMAP SAVEDATE (RFC 8514).';

CREATE TABLE expunged_entries (
    id uuid CONSTRAINT expunged_entries_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    folder_id uuid NOT NULL,
    uid bigint NOT NULL,
    modseq bigint NOT NULL,
    expunged_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT expunged_entries_folder_id_fkey FOREIGN KEY (folder_id) REFERENCES folders (id) ON DELETE CASCADE
);
CREATE INDEX expunged_entries_folder_id_modseq_idx ON expunged_entries (folder_id, modseq);
COMMENT ON TABLE expunged_entries IS 'UIDs that are gone and since which MODSEQ, for clients that were away (RFC 7162 VANISHED).';

-- An email that loses its last folder is an orphan; one that gains a folder
-- again is not. The sweep looks for orphans only.
CREATE FUNCTION note_orphans() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE emails e SET orphaned_at = now()
    FROM (SELECT DISTINCT email_id FROM gone) g
    WHERE e.id = g.email_id AND e.orphaned_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM folder_entries f WHERE f.email_id = e.id);
    RETURN NULL;
END $$;
CREATE TRIGGER folder_entries_orphans AFTER DELETE ON folder_entries
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_orphans();

CREATE TABLE labels (
    id uuid CONSTRAINT labels_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    address_id uuid,
    keyword text NOT NULL,
    name text NOT NULL,
    color text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT labels_keyword_check CHECK (length(keyword) BETWEEN 1 AND 100 AND keyword ~ '^[!#-''+-\[^-z|}~$&]+$'),
    CONSTRAINT labels_color_check CHECK (color ~ '^#[0-9a-f]{6}$')
);
CALL public.refers('labels', 'address_id', 'email_addresses', 'cascade');
CREATE UNIQUE INDEX labels_keyword_key ON labels (coalesce(address_id, '00000000-0000-0000-0000-000000000000'), lower(keyword));
CREATE INDEX labels_address_id_idx ON labels (address_id);
COMMENT ON TABLE labels IS 'Names and colours of keywords. A label without an address belongs to the whole organisation.';
COMMENT ON COLUMN labels.keyword IS 'The IMAP keyword that marks an email with this label.';

CREATE TABLE email_reads (
    id uuid CONSTRAINT email_reads_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    email_id uuid NOT NULL,
    address_id uuid,
    reader text NOT NULL,
    source text NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_reads_email_id_fkey FOREIGN KEY (email_id) REFERENCES emails (id) ON DELETE CASCADE,
    CONSTRAINT email_reads_email_id_reader_source_key UNIQUE (email_id, reader, source),
    CONSTRAINT email_reads_source_check CHECK (source IN ('imap', 'mdn', 'api'))
);
CALL public.refers('email_reads', 'address_id', 'email_addresses', 'set_null');
CREATE INDEX email_reads_address_id_idx ON email_reads (address_id);
COMMENT ON TABLE email_reads IS 'Who read which email and when: first \Seen in IMAP, a read receipt, or the API.';
COMMENT ON COLUMN email_reads.reader IS 'Address of whoever read it.';

CREATE TABLE aliases (
    id uuid CONSTRAINT aliases_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    alias_address text NOT NULL,
    address_id uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT aliases_alias_address_address_id_key UNIQUE (alias_address, address_id),
    CONSTRAINT aliases_alias_address_check CHECK (
        alias_address = lower(alias_address) AND length(alias_address) <= 254
        AND alias_address ~ '^[^[:space:][:cntrl:]@%!"\\]{0,64}@[^[:space:][:cntrl:]@/\\]+$'
    )
);
CALL public.refers('aliases', 'address_id', 'email_addresses', 'cascade');
CREATE INDEX aliases_address_id_idx ON aliases (address_id);
COMMENT ON TABLE aliases IS 'One row per alias and mailbox; several rows make an alias to many.';
COMMENT ON COLUMN aliases.alias_address IS 'The alias; "@domain" catches all of a domain that is otherwise unknown.';
CREATE INDEX expunged_entries_expunged_at_idx ON expunged_entries (expunged_at);
