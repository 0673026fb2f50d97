import type { Migration } from '../../migrations.ts'

/** Browsers that are signed in. An older process knows nothing of them, and lets none in. */
export const signInsMigration: Migration = {
  version: 37,
  name: 'sign-ins',
  oldestCompatible: 36,
  sql: `
create table sign_ins (
  -- SHA-256 of what the browser has
  hash bytea primary key,
  token_hash bytea not null,
  expires_at bigint not null
);
create index sign_ins_end on sign_ins (expires_at);
`,
}
