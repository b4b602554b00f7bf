-- Run in every org schema: what clients that were away are told, also of what
-- other programs changed. Names without a schema are this organisation's.

-- Expunged UIDs are forgotten some day. Who was away for longer is told of
-- every UID that is not there (RFC 7162 section 3.2.5.1). Of the folders that
-- are there already nobody knows what was forgotten.
ALTER TABLE folders ADD COLUMN forgotten_modseq bigint NOT NULL DEFAULT 0;
UPDATE folders SET forgotten_modseq = highestmodseq;
COMMENT ON COLUMN folders.forgotten_modseq IS 'Of what was expunged at MODSEQs up to this one, expunged_entries may know less than all.';

-- Flags that another program changes: a new MODSEQ, the counters, and word to
-- every session. The server's own connections set koltrix.quiet and do all this
-- themselves.
CREATE FUNCTION note_edited_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_edited record;
    v_modseq bigint;
BEGIN
    FOR v_edited IN
        SELECT n.folder_id, array_agg(n.id) AS ids,
            count(*) FILTER (WHERE o.seen AND NOT n.seen) - count(*) FILTER (WHERE n.seen AND NOT o.seen) AS unseen
        FROM before_edit o JOIN after_edit n ON n.id = o.id AND n.folder_id = o.folder_id
        WHERE (o.seen, o.answered, o.flagged, o.deleted, o.draft, o.keywords)
            IS DISTINCT FROM (n.seen, n.answered, n.flagged, n.deleted, n.draft, n.keywords)
        GROUP BY n.folder_id ORDER BY n.folder_id
    LOOP
        UPDATE folders f SET highestmodseq = f.highestmodseq + 1, unseen_count = f.unseen_count + v_edited.unseen
            WHERE f.id = v_edited.folder_id RETURNING f.highestmodseq INTO v_modseq;
        UPDATE folder_entries e SET modseq = v_modseq WHERE e.id = ANY (v_edited.ids);
        PERFORM pg_notify('kx_folder', 'sql ' || v_edited.folder_id);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER folder_entries_edited AFTER UPDATE ON folder_entries
    REFERENCING OLD TABLE AS before_edit NEW TABLE AS after_edit FOR EACH STATEMENT
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_edited_entries();

-- Messages that another program takes out of a folder. Where the folder itself
-- goes there is nothing to note.
CREATE FUNCTION note_removed_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_removed record;
    v_modseq bigint;
BEGIN
    FOR v_removed IN
        SELECT r.folder_id, array_agg(r.uid) AS uids, count(*) FILTER (WHERE NOT r.seen) AS unseen,
            sum(m.size_bytes) AS octets
        FROM removed r JOIN emails m ON m.id = r.email_id
        GROUP BY r.folder_id ORDER BY r.folder_id
    LOOP
        UPDATE folders f SET highestmodseq = f.highestmodseq + 1, unseen_count = f.unseen_count - v_removed.unseen,
            message_count = f.message_count - cardinality(v_removed.uids), size_bytes = f.size_bytes - v_removed.octets
            WHERE f.id = v_removed.folder_id RETURNING f.highestmodseq INTO v_modseq;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO expunged_entries (folder_id, uid, modseq)
            SELECT v_removed.folder_id, u, v_modseq FROM unnest(v_removed.uids) u;
        PERFORM pg_notify('kx_folder', 'sql ' || v_removed.folder_id);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER folder_entries_removed AFTER DELETE ON folder_entries
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_removed_entries();
