/** Looks for endpoints in trouble: those that the store knows to be, and those whose last minutes say so. */
import { type Summary, summarize, sumOf } from '../core/stats/series.ts'
import { unpackTally } from '../core/stats/tally.ts'
import { byWeight, type Trouble, troubleOf } from '../core/stats/trouble.ts'
import type { ConfigStore, StatsStore, TroubledEndpoint } from '../store/port.ts'

const minuteMs = 60_000
/** Minutes of endpoints that are looked through; of more the newest. */
const maxRecent = 5000
/** Endpoints whose last minutes are bad, and which are looked up. */
const maxLookedUp = 50

export type TroubleStore = Pick<ConfigStore, 'getEndpoint'>

export interface FoundTrouble extends Omit<Trouble, 'weight'> {
  readonly tenantId: string
  readonly endpointId: string
  readonly uid: string | null
  /** As it may be shown. */
  readonly url: string
  readonly description: string
  readonly consecutiveFailures: number
  /** Of the last minutes; null: it did nothing. */
  readonly recent: Summary | null
}

export interface Search {
  readonly tenantId: string | null
  /** A moment of the store. */
  readonly now: number
  readonly recentMinutes: number
  readonly limit: number
}

type Known = Omit<TroubledEndpoint, 'lateSince'> & Pick<Partial<TroubledEndpoint>, 'lateSince'>

/** The worst first. Times are moments of the store. */
export async function findTrouble(
  store: Pick<StatsStore, 'listTroubled' | 'listRecentStats'> & TroubleStore,
  { tenantId, now, recentMinutes, limit }: Search,
): Promise<readonly FoundTrouble[]> {
  const from = Math.floor(now / minuteMs) - recentMinutes
  const [troubled, minutes] = await Promise.all([
    store.listTroubled(tenantId),
    store.listRecentStats({ tenantId, from, limit: maxRecent }),
  ])
  const recent = new Map<string, { readonly tenantId: string; readonly summary: Summary }>()
  for (const [id, rows] of Map.groupBy(minutes, ({ endpointId }) => endpointId)) {
    const summary = summarize(sumOf(rows.map(({ tally }) => unpackTally(tally))))
    recent.set(id, { tenantId: rows[0]?.tenantId ?? '', summary })
  }
  const recentSeconds = recentMinutes * 60 + (now % minuteMs) / 1000
  const judge = (endpoint: Known) => {
    const { lateSince = null } = endpoint
    const summary = recent.get(endpoint.endpointId)?.summary ?? null
    const found = troubleOf({ ...endpoint, lateSince, recent: summary, recentSeconds }, now)
    return found === null ? [] : [{ endpoint, found, recent: summary }]
  }
  const known = new Set(troubled.map(({ endpointId }) => endpointId))
  const others = [...recent].filter(([id]) => !known.has(id))
  // What is known of them is enough to tell whether they are to be looked up.
  const suspects = others
    .map(([endpointId, { tenantId: owner, summary }]) => ({ endpointId, owner, summary }))
    .filter(({ summary }) => troubleOf({ ...unknown, recent: summary, recentSeconds }, now) !== null)
    .toSorted((a, b) => (a.summary.successRate ?? 1) - (b.summary.successRate ?? 1))
    .slice(0, maxLookedUp)
  const lookedUp = await Promise.all(
    suspects.map(async ({ endpointId, owner }): Promise<readonly Known[]> => {
      const endpoint = await store.getEndpoint(owner, endpointId)
      return endpoint === null ? [] : [{ ...endpoint, ...unknown, endpointId, disabledReason: null }]
    }),
  )
  return [...troubled, ...lookedUp.flat()]
    .flatMap(judge)
    .toSorted((a, b) => byWeight(a.found, b.found))
    .slice(0, limit)
    .map(({ endpoint, found: { weight: _, ...found }, recent: summary }) => ({
      ...found,
      tenantId: endpoint.tenantId,
      endpointId: endpoint.endpointId,
      uid: endpoint.uid,
      url: endpoint.url,
      description: endpoint.description,
      consecutiveFailures: endpoint.consecutiveFailures,
      recent: summary,
    }))
}

/** Of an endpoint that the store does not name as troubled. */
const unknown = {
  maxInFlight: Number.POSITIVE_INFINITY,
  rateLimitRps: null,
  disabledReason: null,
  disabledAt: null,
  consecutiveFailures: 0,
  failingSince: null,
  pausedUntil: null,
  lateSince: null,
}
