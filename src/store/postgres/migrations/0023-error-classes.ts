import type { Migration } from '../../migrations.ts'

/** Listings by error class. Of what failed for good alone: a delivery that succeeded writes nothing of it. */
export const errorClassesMigration: Migration = {
  version: 23,
  name: 'error-classes',
  oldestCompatible: 21,
  sql: `
create index deliveries_error on deliveries (tenant_id, error_class, id)
  where error_class is not null and state in ('dead_lettered', 'cancelled', 'skipped');
`,
}
