-- Run in every org schema: what readers said about senders.

CREATE TABLE sender_reputation (
    id uuid CONSTRAINT sender_reputation_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    sender text NOT NULL,
    junk_count bigint NOT NULL DEFAULT 0,
    ham_count bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sender_reputation_sender_key UNIQUE (sender),
    CONSTRAINT sender_reputation_sender_check CHECK (sender = lower(sender) AND length(sender) BETWEEN 1 AND 254),
    CONSTRAINT sender_reputation_counts_check CHECK (junk_count >= 0 AND ham_count >= 0)
);
COMMENT ON TABLE sender_reputation IS 'How often mail of an address was moved to Junk and out of it, by anybody of the organisation.';
COMMENT ON COLUMN sender_reputation.sender IS 'The address in From, lower case.';

-- COPY and MOVE over the border of Junk. Call it before the entries go.
CREATE FUNCTION note_junk(p_tenant uuid, p_from uuid, p_uids bigint[], p_to uuid, p_teach boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_from text;
    v_to text;
    v_spam boolean;
    v_count bigint;
BEGIN
    SELECT f.special_use INTO v_from FROM folders f WHERE f.id = p_from;
    SELECT f.special_use INTO v_to FROM folders f WHERE f.id = p_to;
    v_spam := v_to IS NOT DISTINCT FROM 'junk';
    -- Out of Junk into Trash says that it is junk indeed.
    IF v_spam = (v_from IS NOT DISTINCT FROM 'junk') OR (NOT v_spam AND v_to = 'trash') THEN
        RETURN 0;
    END IF;
    WITH moved AS (
        SELECT m.id, lower(m.from_address) AS sender
        FROM folder_entries e JOIN emails m ON m.id = e.email_id
        WHERE e.folder_id = p_from AND e.uid = ANY (p_uids)
    ), counted AS (
        INSERT INTO sender_reputation AS r (sender, junk_count, ham_count)
            SELECT m.sender, CASE WHEN v_spam THEN count(*) ELSE 0 END, CASE WHEN v_spam THEN 0 ELSE count(*) END
            FROM moved m WHERE length(m.sender) BETWEEN 1 AND 254 GROUP BY m.sender ORDER BY m.sender
        ON CONFLICT ON CONSTRAINT sender_reputation_sender_key DO UPDATE
            SET junk_count = r.junk_count + excluded.junk_count, ham_count = r.ham_count + excluded.ham_count,
                updated_at = now()
    ), taught AS (
        INSERT INTO public.spam_lessons AS l (tenant_id, email_id, spam)
            SELECT p_tenant, m.id, v_spam FROM moved m WHERE p_teach
        ON CONFLICT ON CONSTRAINT spam_lessons_tenant_id_email_id_key DO UPDATE
            SET spam = excluded.spam, attempts = 0, next_attempt_at = now()
    )
    SELECT count(*) INTO v_count FROM moved;
    RETURN v_count;
END $$;
COMMENT ON FUNCTION note_junk IS 'Counts senders whose mail is moved to Junk or out of it, and writes down what a filter can learn from it.';
