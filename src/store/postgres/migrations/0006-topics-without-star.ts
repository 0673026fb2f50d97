import type { Migration } from '../../migrations.ts'

export const topicsWithoutStarMigration: Migration = {
  version: 6,
  name: 'topics_without_star',
  oldestCompatible: 1,
  sql: `
-- A topic with a "*" looks like a pattern, and no pattern could mean it alone. The rest of the function stays.
do $$ begin
  execute replace(pg_get_functiondef('check_event(text, bytea, jsonb, text, text)'::regprocedure),
    $then$then 'topic must not hold spaces or control characters'$then$,
    $then$then 'topic must not hold spaces or control characters'
    when strpos(topic, '*') > 0 then 'topic must not hold "*", which only patterns have'$then$);
end $$;
`,
}
