"""Every statement that adds consents is sealed: one hash over all of its rows, whoever wrote them.

Of a row the id, list, kind, time and the hash of its words are hashed, in the database's own binary form, which no setting of a
session changes. The person is not: they may be erased, or two records of theirs merged. Words that name somebody may be
erased too; then their hash is kept in their place.
"""

from django.db import migrations

#: The hash of a row's words; `redacted` is what it was where they are erased.
_ROW = """int8send(c.id) || int8send(c.list_id) || timestamptz_send(c.at) || convert_to(c.kind, 'UTF8') || '\\x00'::bytea
        || COALESCE(c.redacted, subscribers_consent_words(c.source, c.wording))"""
#: In groups of a thousand and their hashes: one text of a million rows would not fit into memory.
_CONTENT = f"""
    SELECT sha256(string_agg(p.part, ''::bytea ORDER BY p.bucket)) FROM (
        SELECT c.id / 1024 AS bucket, sha256(string_agg({_ROW}, ''::bytea ORDER BY c.id)) AS part FROM {{rows}} GROUP BY 1
    ) p"""
_SEAL = f"""
    INSERT INTO subscribers_consentseal (firsts, lasts, rows, content)
    SELECT array_agg(r.first ORDER BY r.first), array_agg(r.last ORDER BY r.first), sum(r.rows), ({_CONTENT})
    FROM (
        SELECT min(n.id) AS first, max(n.id) AS last, count(*) AS rows
        FROM (SELECT c.id, c.id - row_number() OVER (ORDER BY c.id) AS island FROM {{rows}}) n GROUP BY n.island
    ) r HAVING count(*) > 0"""

FORWARD = f"""
CREATE FUNCTION subscribers_consent_words(source text, wording text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(source, 'UTF8') || '\\x00'::bytea || convert_to(wording, 'UTF8'))
$$;
CREATE FUNCTION subscribers_consent_content(firsts bigint[], lasts bigint[]) RETURNS bytea LANGUAGE sql STABLE AS $$
    {_CONTENT.format(rows="unnest(firsts, lasts) AS r (first, last) JOIN subscribers_consent c ON c.id BETWEEN r.first AND r.last")}
$$;
CREATE FUNCTION subscribers_consent_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_SEAL.format(rows="added c")};
    RETURN NULL;
END $$;
{_SEAL.format(rows="subscribers_consent c")};
CREATE TRIGGER subscribers_consent_sealed AFTER INSERT ON subscribers_consent
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION subscribers_consent_seal();

CREATE OR REPLACE FUNCTION subscribers_consent_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.list_id, NEW.kind, NEW.at) IS NOT DISTINCT FROM (OLD.id, OLD.list_id, OLD.kind, OLD.at)
        AND NEW.redacted IS NOT DISTINCT FROM (CASE
            WHEN (NEW.source, NEW.wording) IS NOT DISTINCT FROM (OLD.source, OLD.wording) THEN OLD.redacted
            ELSE COALESCE(OLD.redacted, subscribers_consent_words(OLD.source, OLD.wording)) END) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_consent only grows: add a row instead'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION subscribers_consentseal_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.link IS NOT NULL
        AND (NEW.id, NEW.firsts, NEW.lasts, NEW.rows, NEW.content, NEW.at)
            IS NOT DISTINCT FROM (OLD.id, OLD.firsts, OLD.lasts, OLD.rows, OLD.content, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_consentseal only grows'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER subscribers_consentseal_append_only BEFORE UPDATE OR DELETE ON subscribers_consentseal
    FOR EACH ROW EXECUTE FUNCTION subscribers_consentseal_only_grows();
"""
BACKWARD = """
DROP TRIGGER subscribers_consentseal_append_only ON subscribers_consentseal;
DROP FUNCTION subscribers_consentseal_only_grows();
DROP TRIGGER subscribers_consent_sealed ON subscribers_consent;
DROP FUNCTION subscribers_consent_seal();
DROP FUNCTION subscribers_consent_content(bigint[], bigint[]);
CREATE OR REPLACE FUNCTION subscribers_consent_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.subscriber_id IS NULL
        AND (NEW.id, NEW.list_id, NEW.kind, NEW.source, NEW.wording, NEW.at)
            IS NOT DISTINCT FROM (OLD.id, OLD.list_id, OLD.kind, OLD.source, OLD.wording, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'subscribers_consent only grows: add a row instead'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP FUNCTION subscribers_consent_words(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0007_consent_seals")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
