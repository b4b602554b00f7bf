-- Run in every org schema: labels are keywords, also where another program edits the one or the
-- other. The server's own connections set koltrix.quiet and see to it themselves.

-- The keyword p_old of messages becomes p_new, or goes where that is NULL: in the folders of p_address, or, where that
-- is NULL, of everybody who has no label of their own by that keyword.
CREATE FUNCTION relabel_entries(p_address uuid, p_old text, p_new text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_found record;
    v_modseq bigint;
BEGIN
    FOR v_found IN
        SELECT e.folder_id, array_agg(e.id) AS ids
        FROM folder_entries e JOIN folders f ON f.id = e.folder_id
        WHERE e.keywords <> '{}'
            AND EXISTS (SELECT 1 FROM unnest(e.keywords) k WHERE lower(k) = lower(p_old))
            AND CASE WHEN p_address IS NOT NULL THEN f.address_id = p_address
                ELSE NOT EXISTS (SELECT 1 FROM labels l
                    WHERE l.address_id = f.address_id AND lower(l.keyword) = lower(p_old)) END
        GROUP BY e.folder_id ORDER BY e.folder_id
    LOOP
        UPDATE folders f SET highestmodseq = f.highestmodseq + 1
            WHERE f.id = v_found.folder_id RETURNING f.highestmodseq INTO v_modseq;
        UPDATE folder_entries e SET modseq = v_modseq, keywords = public.merge_keywords(
                public.merge_keywords(e.keywords, 'remove', ARRAY[p_old]), 'add', array_remove(ARRAY[p_new], NULL))
            WHERE e.id = ANY (v_found.ids);
        PERFORM pg_notify('kx_folder', 'sql ' || v_found.folder_id);
    END LOOP;
END $$;
COMMENT ON FUNCTION relabel_entries IS 'What becomes of messages when the keyword of their label changes.';

CREATE FUNCTION note_edited_label() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM relabel_entries(OLD.address_id, OLD.keyword, NULL);
    ELSIF OLD.keyword <> NEW.keyword THEN
        PERFORM relabel_entries(OLD.address_id, OLD.keyword, NEW.keyword);
    END IF;
    RETURN NULL;
END $$;
-- Not where the mailbox itself goes, which takes its labels along.
CREATE TRIGGER labels_edited AFTER DELETE OR UPDATE OF keyword ON labels FOR EACH ROW
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_edited_label();

-- A keyword that another program puts on a message is a label from then on.
CREATE FUNCTION note_new_keywords() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO labels (address_id, keyword, name)
        SELECT DISTINCT ON (f.address_id, lower(k)) f.address_id, k, k
        FROM before_edit o JOIN after_edit n ON n.id = o.id AND n.keywords <> o.keywords
        JOIN folders f ON f.id = n.folder_id, unnest(n.keywords) k
        WHERE k NOT LIKE '$%' AND NOT EXISTS (SELECT 1 FROM labels l
            WHERE (l.address_id = f.address_id OR l.address_id IS NULL) AND lower(l.keyword) = lower(k))
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER folder_entries_labelled AFTER UPDATE ON folder_entries
    REFERENCING OLD TABLE AS before_edit NEW TABLE AS after_edit FOR EACH STATEMENT
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_new_keywords();

-- Whoever has a folder open hears when another program drops it.
CREATE FUNCTION note_dropped_folder() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify('kx_folder', 'sql ' || OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER folders_dropped AFTER DELETE ON folders FOR EACH ROW
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on')
    EXECUTE FUNCTION note_dropped_folder();
