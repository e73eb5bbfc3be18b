"""What a database looks like, read from PostgreSQL's own catalogues: more than `flask db check` can see."""

from sqlalchemy import Connection

# Migrations make these and the models do not know them: the trigram index exists only where the extension does, the
# audit trail is guarded by a trigger, what search knows of a course follows it by two, Alembic keeps its place.
ONLY_MIGRATED = {
    "index ix_title_words_trgm",
    "function course_search_follows_author",
    "function course_search_follows_course",
    "trigger course_search_follows_author",
    "trigger course_search_follows_course",
    "function audit_log_is_append_only",
    "trigger audit_log_append_only",
    "table alembic_version",
}

# Each query gives a kind, the name of one thing, and every fact about it in one text.
_QUERIES = (
    """
    SELECT 'table', c.relname, c.relkind::text || ' ' || coalesce(pg_get_partkeydef(c.oid), '')
           || coalesce(pg_get_expr(c.relpartbound, c.oid), '')
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    """,
    """
    SELECT 'column', c.relname || '.' || a.attname,
           concat_ws(' | ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''),
                     CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    """,
    # PostgreSQL 18 lists NOT NULL here too; the columns above have it already.
    """
    SELECT 'constraint', r.conrelid::regclass || '.' || r.conname, pg_get_constraintdef(r.oid)
    FROM pg_constraint r WHERE r.connamespace = 'public'::regnamespace AND r.contype <> 'n' AND r.conrelid <> 0
    """,
    """
    SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
    """,
    """
    SELECT 'sequence', s.sequencename, concat_ws(' ', s.data_type::text, s.start_value, s.increment_by, s.cycle::text)
    FROM pg_sequences s WHERE s.schemaname = 'public'
    """,
    """
    SELECT 'function', p.proname, pg_get_functiondef(p.oid)
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e')
    """,
    """
    SELECT 'trigger', g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE NOT g.tgisinternal
    """,
    """
    SELECT 'type', t.typname, t.typtype::text FROM pg_type t
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r')
    AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = t.oid AND x.deptype = 'e')
    """,
)


def catalogue(connection: Connection) -> set[str]:
    """One line for each thing in the database, but for those that only migrations make."""
    lines: set[str] = set()
    for query in _QUERIES:
        for kind, name, facts in connection.exec_driver_sql(query):
            thing = f"{kind} {name}"
            if thing not in ONLY_MIGRATED and not name.startswith("alembic_version"):
                lines.add(f"{thing}: {facts}")
    return lines
