-- Run in every org schema: annotations (RFC 5464), and what EXPUNGE would free.
-- Names without a schema are this organisation's.

CREATE TABLE annotations (
    id uuid CONSTRAINT annotations_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    folder_id uuid,
    address_id uuid,
    private boolean NOT NULL,
    entry text NOT NULL,
    value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT annotations_folder_id_fkey FOREIGN KEY (folder_id) REFERENCES folders (id) ON DELETE CASCADE,
    CONSTRAINT annotations_entry_check CHECK (
        length(entry) BETWEEN 2 AND 250 AND entry ~ '^(/[^/*%[:cntrl:]]+)+$' AND entry = lower(entry)
    ),
    CONSTRAINT annotations_value_check CHECK (octet_length(value) <= 65536),
    CONSTRAINT annotations_owner_check CHECK (address_id IS NOT NULL OR (folder_id IS NULL AND NOT private))
);
CALL public.refers('annotations', 'address_id', 'email_addresses', 'cascade');
-- Of a folder's shared entries there is one each, whoever wrote it.
CREATE UNIQUE INDEX annotations_shared_key ON annotations
    (coalesce(folder_id, '00000000-0000-0000-0000-000000000000'), entry) WHERE NOT private;
CREATE UNIQUE INDEX annotations_private_key ON annotations
    (address_id, coalesce(folder_id, '00000000-0000-0000-0000-000000000000'), entry) WHERE private;
CREATE INDEX annotations_folder_id_idx ON annotations (folder_id);
CREATE INDEX annotations_address_id_idx ON annotations (address_id);
COMMENT ON TABLE annotations IS 'What clients note about folders and about the server: IMAP METADATA (RFC 5464).';
COMMENT ON COLUMN annotations.folder_id IS 'NULL: about the server.';
COMMENT ON COLUMN annotations.address_id IS 'Whose limits it counts against: the only reader of a private entry, else the folder''s mailbox; NULL is the organisation.';
COMMENT ON COLUMN annotations.private IS 'Whether it is /private/<entry>, for one reader, or /shared/<entry>.';
COMMENT ON COLUMN annotations.entry IS 'In lower case, without /private or /shared.';

-- STATUS DELETED and EXPUNGE look for these few among all.
CREATE INDEX folder_entries_deleted_idx ON folder_entries (folder_id) WHERE deleted;
