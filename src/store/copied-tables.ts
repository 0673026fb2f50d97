/**
 * What a copy of a store takes along: every table of the migrations stands either in `copiedTables` or in
 * `skippedTables` (checked by a test on both schemas). Columns are found in the databases themselves.
 */
export interface CopiedTable {
  readonly name: string
  /** The primary key; rows are read in its order, or in that of the keys that a store has in its place. */
  readonly key: readonly string[]
  /** What the comparison at the end counts: rows, rows by `state`, or the sum of `delta` by `state`. */
  readonly counts: 'rows' | 'states' | 'deltas'
}

export const copiedTables: readonly CopiedTable[] = [
  { name: 'tenants', key: ['id'], counts: 'rows' },
  { name: 'credentials', key: ['id'], counts: 'rows' },
  { name: 'event_types', key: ['tenant_id', 'name'], counts: 'rows' },
  { name: 'endpoints', key: ['id'], counts: 'rows' },
  { name: 'endpoint_secrets', key: ['id'], counts: 'rows' },
  { name: 'subscriptions', key: ['id'], counts: 'rows' },
  { name: 'api_keys', key: ['id'], counts: 'rows' },
  { name: 'api_key_hashes', key: ['hash'], counts: 'rows' },
  { name: 'portal_links', key: ['id'], counts: 'rows' },
  { name: 'endpoint_state', key: ['target_id'], counts: 'rows' },
  { name: 'events', key: ['id'], counts: 'states' },
  { name: 'fan_out_slices', key: ['event_id', 'slice'], counts: 'rows' },
  { name: 'live_deliveries', key: ['id'], counts: 'states' },
  { name: 'ordered_keys', key: ['line'], counts: 'rows' },
  { name: 'deliveries', key: ['id'], counts: 'states' },
  { name: 'skipped_heads', key: ['delivery_id'], counts: 'rows' },
  { name: 'attempts', key: ['delivery_id', 'claim_version'], counts: 'rows' },
  { name: 'delivery_notices', key: ['delivery_id', 'claim_version'], counts: 'rows' },
  { name: 'idempotency_keys', key: ['tenant_id', 'scope', 'key'], counts: 'rows' },
  { name: 'jobs', key: ['id'], counts: 'rows' },
  { name: 'audit_log', key: ['id'], counts: 'rows' },
  { name: 'kept_requests', key: ['id'], counts: 'rows' },
  { name: 'delivery_counts', key: ['tenant_id', 'endpoint_id', 'state', 'minute'], counts: 'deltas' },
  { name: 'stats', key: ['tenant_id', 'endpoint_id', 'span', 'start'], counts: 'rows' },
]

/** Why each stays behind. */
export const skippedTables: Readonly<Record<string, string>> = {
  schema_migrations: 'each database has migrations of its own',
  meta: 'copied at the beginning, together with the mark that the copy is unfinished',
  ready_endpoints: 'made anew from live_deliveries at the end',
  endpoint_shares:
    'who may send how much until when: tokens come back by themselves, and the nodes are others',
  credential_tokens: 'tokens are fetched anew, and whose turn that is changes by the second',
  sign_ins: 'browsers sign in anew at the server that runs on the copy',
  names: 'integers that stand for ids on SQLite alone',
  topics: 'integers that stand for topics on SQLite alone',
  fan_outs: 'events that are half fanned out: the copy makes the rest of their deliveries first',
  fan_out_receivers: 'to whom, and so of no use any more',
  fan_out_ranges: 'keys of SQLite alone, read as fan_out_slices',
  stats_deltas: 'what is not folded into stats: the copy folds it first',
  sqlite_sequence: 'the number of the last line, which a copy works out from those that it brings',
  handoffs: 'leases of a process that is gone: the copy ends them, as any start does',
  nodes: 'the processes that run on the store',
  node_reports: 'what those say of themselves',
  key_rates: 'of PostgreSQL alone: tokens come back by themselves',
  outbox: 'of PostgreSQL alone, and empty in a new store',
}

/** The same text for both databases. `state` null: of the whole table. */
export function countSql({ name, counts }: CopiedTable): string {
  switch (counts) {
    case 'rows':
      return `select null as state, count(*) as rows from ${name}`
    case 'states':
      return `select state, count(*) as rows from ${name} group by state order by state`
    case 'deltas':
      return `select state, cast(sum(delta) as bigint) as rows from ${name} group by state order by state`
  }
}
