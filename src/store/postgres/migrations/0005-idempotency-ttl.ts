import type { Migration } from '../../migrations.ts'

export const idempotencyTtlMigration: Migration = {
  version: 5,
  name: 'idempotency_ttl',
  oldestCompatible: 1,
  sql: `
-- The function's owner and rights stay as they are.
do $$ begin
  execute replace(pg_get_functiondef('publish(text, bytea, text, jsonb, text, text)'::regprocedure), '86400000',
    $ttl$coalesce((select value::bigint from meta where name = 'idempotency_ttl_ms'), 86400000)$ttl$);
end $$;
`,
}
