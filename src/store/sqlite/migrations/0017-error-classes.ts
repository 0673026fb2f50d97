import type { Migration } from '../../migrations.ts'

/** Listings by error class. Of what failed for good alone: a delivery that succeeded writes nothing of it. */
export const errorClassesMigration: Migration = {
  version: 17,
  name: 'error-classes',
  oldestCompatible: 15,
  sql: `
create index deliveries_error on deliveries (tenant, error_class) where error_class is not null and state in (4, 5, 6);
`,
}
