/** Lines that deliveries of one transaction join, and where in them they come to stand. */
import { type Context, query, run } from '../connection/statement.ts'
import type { Place } from './lines.ts'

export interface LockedLine {
  readonly line: number
  /** Hexadecimal. */
  readonly head: string | null
  readonly isBlocked: boolean
  length: number
  lastPlace: number
}

/** Hexadecimal ids. */
export interface LineKey {
  readonly tenant: string
  readonly subscription: string
  readonly orderingKey: string
}

/** Before all others: everybody's place in a line is above this. */
export const firstPlace = 0

function nameOf({ tenant, subscription, orderingKey }: LineKey): string {
  return `${tenant} ${subscription} ${orderingKey}`
}

/** The lines that deliveries of one transaction join, locked. */
export class JoinedLines {
  readonly #lines: ReadonlyMap<string, LockedLine>

  private constructor(lines: ReadonlyMap<string, LockedLine>) {
    this.#lines = lines
  }

  /** Those that do not exist yet are made; `settleLines` removes what stays empty. */
  static async lock(context: Context, keys: readonly LineKey[]): Promise<JoinedLines> {
    const named = new Map(keys.map((key) => [nameOf(key), key]))
    if (named.size === 0) return new JoinedLines(new Map())
    const wanted = Array.from(named.values())
    const rows = await run(context, joinStatement, {
      tenants: wanted.map(({ tenant }) => tenant),
      subscriptions: wanted.map(({ subscription }) => subscription),
      keys: wanted.map(({ orderingKey }) => orderingKey),
    })
    return new JoinedLines(
      new Map(
        rows.map((row) => [
          nameOf({ tenant: row.tenant, subscription: row.subscription, orderingKey: row.ordering_key }),
          {
            line: row.line,
            head: row.head,
            isBlocked: row.is_blocked,
            length: row.length,
            lastPlace: row.last_place,
          },
        ]),
      ),
    )
  }

  get(key: LineKey): LockedLine {
    return this.#lines.get(nameOf(key)) as LockedLine
  }

  isFull(key: LineKey, max: number): boolean {
    return this.get(key).length >= max
  }

  /** At the end of its line. */
  take(key: LineKey): Place {
    const line = this.get(key)
    const isBehind = line.length > 0
    line.length += 1
    line.lastPlace += 1
    return { line: line.line, place: line.lastPlace, isBehind }
  }

  all(): readonly number[] {
    return Array.from(this.#lines.values(), ({ line }) => line)
  }
}

interface JoinRow {
  readonly line: number
  readonly tenant: string
  readonly subscription: string
  readonly ordering_key: string
  readonly head: string | null
  readonly is_blocked: boolean
  readonly length: number
  readonly last_place: number
}

const hex = (column: string) => `replace(${column}::text, '-', '')`

const joinStatement = query<JoinRow>()(
  'join_lines',
  { tenants: 'uuid[]', subscriptions: 'uuid[]', keys: 'text[]' },
  // ordered_keys_key, in key order. An update that changes nothing locks the row and sees what was committed last.
  `insert into ordered_keys as k (tenant_id, subscription_id, ordering_key, length, last_place)
   select tenant_id, subscription_id, ordering_key, 0, 0
   from unnest($tenants, $subscriptions, $keys) as o (tenant_id, subscription_id, ordering_key)
   order by tenant_id, subscription_id, ordering_key collate "C"
   on conflict (tenant_id, subscription_id, ordering_key) do update set length = k.length
   returning line, ${hex('tenant_id')} as tenant, ${hex('subscription_id')} as subscription, ordering_key,
     ${hex('head')} as head, blocked_at is not null as is_blocked, length, last_place`,
)
