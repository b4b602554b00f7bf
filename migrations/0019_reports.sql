-- Reports to domains about their mail (DMARC aggregate reports, SMTP TLS reports), and theirs to us.

-- These two are the server's own, as what they count is: a domain's mail, whoever it came to.
CREATE TABLE public.report_counts (
    id uuid CONSTRAINT report_counts_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    day date NOT NULL,
    domain text NOT NULL,
    tuple_sha256 bytea NOT NULL,
    tuple jsonb NOT NULL,
    total bigint NOT NULL,
    CONSTRAINT report_counts_kind_day_domain_tuple_key UNIQUE (kind, day, domain, tuple_sha256),
    CONSTRAINT report_counts_kind_check CHECK (kind IN ('dmarc', 'tls'))
);
COMMENT ON TABLE public.report_counts IS 'What a domain will be told of one day (UTC): alike messages or sessions are one row. They go when it was told.';
COMMENT ON COLUMN public.report_counts.tuple IS 'dmarc: policy and record as in the report, its count 0. tls: result, host, address.';

CREATE TABLE public.due_reports (
    id uuid CONSTRAINT due_reports_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    day date NOT NULL,
    domain text NOT NULL,
    -- Half an hour after the day's end, so that every node has written its counts, and not all
    -- domains' at once.
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    CONSTRAINT due_reports_kind_day_domain_key UNIQUE (kind, day, domain),
    CONSTRAINT due_reports_kind_check CHECK (kind IN ('dmarc', 'tls'))
);
CREATE INDEX due_reports_due_at_idx ON public.due_reports (due_at);
COMMENT ON TABLE public.due_reports IS 'Domains that are to be told of a day. The id is the report''s, and its queue id, so that none goes twice.';

CREATE FUNCTION public.count_for_reports(p_kinds text[], p_days date[], p_domains text[], p_tuples text[], p_totals bigint[])
RETURNS void LANGUAGE sql AS $$
    WITH counted AS (
        INSERT INTO public.report_counts AS c (kind, day, domain, tuple_sha256, tuple, total)
            SELECT u.kind, u.day, u.domain, sha256(convert_to(u.tuple, 'UTF8')), u.tuple::jsonb, u.total
            FROM unnest(p_kinds, p_days, p_domains, p_tuples, p_totals) AS u (kind, day, domain, tuple, total)
            ORDER BY 1, 2, 3, 4
        ON CONFLICT ON CONSTRAINT report_counts_kind_day_domain_tuple_key DO UPDATE SET total = c.total + excluded.total)
    INSERT INTO public.due_reports (kind, day, domain, due_at)
        SELECT d.kind, d.day, d.domain,
            (d.day + 1)::timestamp AT TIME ZONE 'UTC' + interval '30 minutes' + random() * interval '4 hours'
        FROM (SELECT DISTINCT u.kind, u.day, u.domain FROM unnest(p_kinds, p_days, p_domains) AS u (kind, day, domain)
              ORDER BY 1, 2, 3) d
        ON CONFLICT ON CONSTRAINT due_reports_kind_day_domain_key DO NOTHING;
$$;
COMMENT ON FUNCTION public.count_for_reports IS 'Adds counts, and sees to it that their domains are told.';
REVOKE ALL ON FUNCTION public.count_for_reports FROM PUBLIC;

-- Written before the message is stored: a report that was taken is read, whatever happens between.
CREATE TABLE public.arrived_reports (
    id uuid CONSTRAINT arrived_reports_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    email_id uuid NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT arrived_reports_tenant_id_email_id_key UNIQUE (tenant_id, email_id),
    CONSTRAINT arrived_reports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (id) ON DELETE CASCADE
);
CREATE INDEX arrived_reports_next_attempt_at_idx ON public.arrived_reports (next_attempt_at);
COMMENT ON TABLE public.arrived_reports IS 'Messages that look as if they brought a report, until they are read into analytics_events.';
CALL public.wall('public.arrived_reports', 'SELECT, DELETE');

-- The server's own reports are a source of outgoing mail.
ALTER TABLE public.outbound_messages
    DROP CONSTRAINT outbound_messages_source_check,
    ADD CONSTRAINT outbound_messages_source_check CHECK (
        source IN ('submission', 'api', 'forward', 'auto_reply', 'campaign', 'sequence', 'bounce', 'report'));
