-- Run in every org schema: what SEARCH reads instead of the messages.
--
-- A row says of every three octets that stand side by side in a text whether
-- they can be in it (a Bloom filter with one hash), so that most messages are
-- ruled out by a few bits. GIN over the same would be a thousand times the
-- writing per message, and SEARCH looks through one folder anyway. Rows come
-- a moment after the message does, in batches: storing mail pays nothing.
CREATE TABLE email_search (
    id uuid CONSTRAINT email_search_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    header_grams bytea NOT NULL,
    body_grams bytea NOT NULL,
    header text NOT NULL,
    body text NOT NULL,
    CONSTRAINT email_search_id_fkey FOREIGN KEY (id) REFERENCES emails (id) ON DELETE CASCADE
);
-- The filters are read for every message of a folder, the texts only where the filter says so:
-- texts lie apart, filters never do.
ALTER TABLE email_search ALTER COLUMN header_grams SET STORAGE PLAIN, ALTER COLUMN body_grams SET STORAGE PLAIN,
    SET (toast_tuple_target = 128);
COMMENT ON TABLE email_search IS 'What SEARCH reads of emails: texts with case folded, and filters over them. The id is the email''s; an email without a row is searched as it stands.';
COMMENT ON COLUMN email_search.header_grams IS 'Filter over header: a power of two of octets; the bit of each trigram''s hash is set.';
COMMENT ON COLUMN email_search.body_grams IS 'Filter over body.';
COMMENT ON COLUMN email_search.header IS 'The header fields, one a line, decoded, in upper case (RFC 5051).';
COMMENT ON COLUMN email_search.body IS 'All readable text, in upper case (RFC 5051).';
