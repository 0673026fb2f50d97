import type { Migration } from '../../migrations.ts'

/** Browsers that are signed in. An older process knows nothing of them, and lets none in. */
export const signInsMigration: Migration = {
  version: 31,
  name: 'sign-ins',
  oldestCompatible: 30,
  sql: `
create table sign_ins (
  -- SHA-256 of what the browser has
  hash blob primary key,
  token_hash blob not null,
  expires_at integer not null
) strict, without rowid;
create index sign_ins_end on sign_ins (expires_at);
`,
}
