-- Run in every org schema: sessions that watch the folders of an address hear
-- when another program makes, renames, subscribes to or drops one (RFC 5465).
-- The server's own connections set koltrix.quiet and say so themselves.
CREATE FUNCTION note_folder_names() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify('kx_folder', 'sql ' || coalesce(NEW.address_id, OLD.address_id));
    RETURN NULL;
END $$;
CREATE TRIGGER folders_named AFTER INSERT OR DELETE OR UPDATE OF name, subscribed ON folders FOR EACH ROW
    WHEN (coalesce(current_setting('koltrix.quiet', true), '') <> 'on')
    EXECUTE FUNCTION note_folder_names();
