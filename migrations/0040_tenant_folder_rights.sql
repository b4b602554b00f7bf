-- Run in every org schema: folders that mailboxes share (RFC 4314). Names
-- without a schema are this organisation's.

CREATE TABLE folder_rights (
    id uuid CONSTRAINT folder_rights_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    folder_id uuid NOT NULL,
    address_id uuid,
    rights text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT folder_rights_folder_id_fkey FOREIGN KEY (folder_id) REFERENCES folders (id) ON DELETE CASCADE,
    CONSTRAINT folder_rights_rights_check CHECK (rights ~ '^[lrswipkxtea]+$')
);
CALL public.refers('folder_rights', 'address_id', 'email_addresses', 'cascade');
CREATE UNIQUE INDEX folder_rights_key ON folder_rights
    (folder_id, coalesce(address_id, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX folder_rights_address_id_idx ON folder_rights (address_id);
COMMENT ON TABLE folder_rights IS 'Who besides its owner may do what with a folder (RFC 4314). Never anybody of another organisation.';
COMMENT ON COLUMN folder_rights.address_id IS 'Whose rights; NULL is every mailbox of the organisation.';
COMMENT ON COLUMN folder_rights.rights IS 'Letters of lrswipkxtea.';
