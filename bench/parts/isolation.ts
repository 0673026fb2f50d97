/**
 * What fifty healthy endpoints notice of bad ones: the p99 from publish to arrival, without and beside them. Both are
 * measured in one run on one store, so that their ratio says what the bad ones do, whatever the machine is like.
 */
import { publishCallers } from '../harness/load-shape.ts'
import type { Remote } from '../harness/remote.ts'
import { percentile } from '../harness/statistics.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands, NewTarget, Stream } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

const healthyEndpoints = 50
/** To all healthy endpoints together. */
const healthyPerSecond = 500
/** The node's slots over an endpoint's: so many fill the node if each takes its limit. */
const fillingEndpoints = 16
/** For each bad endpoint: at once, more than its limit, then steadily. */
const badBurst = 100
const badPerSecond = 10
const slowMs = 9000
const backlogEndpoints = 10_000
/** So many that the backlog outlasts the measurement. */
const backlogPerEndpoint = 15

interface Scenario {
  readonly words: string
  /** `hostile`: one of each receiver that means harm, of the tests of the sender. */
  readonly bad: number | 'hostile'
  /** Null: never answers. */
  readonly delayMs: number | null
  readonly takesPerSecond?: number
  /** For each, in place of `badBurst` and `badPerSecond`. */
  readonly burst?: number
  readonly perSecond?: number
}

const scenarios: readonly Scenario[] = [
  { words: 'one endpoint that answers after 9 s', bad: 1, delayMs: slowMs },
  { words: 'one endpoint that hangs', bad: 1, delayMs: null },
  { words: '16 endpoints that answer after 9 s', bad: fillingEndpoints, delayMs: slowMs },
  { words: '16 endpoints that hang', bad: fillingEndpoints, delayMs: null },
  { words: '16 endpoints that answer 429', bad: fillingEndpoints, delayMs: 0, takesPerSecond: 5 },
  // Too quick to count as slow, so that their work waits in memory, and too slow for what is published.
  {
    words: 'a memory queue that is full',
    bad: fillingEndpoints,
    delayMs: 800,
    burst: 250,
    perSecond: 50,
  },
  // Some forty of them. Each attempt at an endless one costs as many bytes as are read of an answer at most.
  { words: 'receivers that mean harm', bad: 'hostile', delayMs: null, burst: 5, perSecond: 1 },
]

export const isolation: Part = { names: ['isolation'], run: measureBadEndpoints }
export const backlogIsolation: Part = { names: ['isolation-backlog'], run: measureBacklog }

export interface Setting {
  readonly context: PartContext
  readonly engine: Remote<EngineCommands>
  readonly healthyReceivers: Remote<ReceiverCommands>
  readonly badReceivers: Remote<ReceiverCommands>
  readonly healthy: readonly NewTarget[]
  readonly times: Times
}

interface Times {
  readonly warmUp: number
  readonly without: number
  readonly beside: number
}

/** Short times between a close and the next open: what hangs is not waited for. */
export const openOptions = { breakerThreshold: 0, drainDeadline: 100 }

async function measureBadEndpoints(context: PartContext): Promise<void> {
  const setting = await prepare(context)
  for (let run = 0; run < context.longRuns; run++) {
    for (const [index, scenario] of scenarios.entries()) await beside(setting, scenario, `${run}-${index}`)
  }
}

async function measureBacklog(context: PartContext): Promise<void> {
  const setting = await prepare(context)
  await prepareBacklog(setting)
  for (let run = 0; run < context.longRuns; run++) await besideBacklog(setting, run)
}

export async function prepare(context: PartContext): Promise<Setting> {
  const { quick } = context
  const healthyReceivers = await context.start<ReceiverCommands>('receivers')
  const badReceivers = await context.start<ReceiverCommands>('receivers')
  const engine = await context.start<EngineCommands>('engine', { profiled: true })
  const ports = await healthyReceivers.call('listen', { count: healthyEndpoints, stamps: true })
  const healthy = ports.map((port, index) => ({
    uid: `healthy${index}`,
    url: `http://127.0.0.1:${port}/hook`,
    topic: `healthy.t${index}`,
  }))
  const times = quick ? { warmUp: 0.5, without: 1, beside: 2 } : { warmUp: 2, without: 5, beside: 11 }
  const setting: Setting = { context, engine, healthyReceivers, badReceivers, healthy, times }
  await warmUp(setting)
  return setting
}

/** Compiled code on both sides before anything counts. */
async function warmUp(setting: Setting): Promise<void> {
  const store = await setting.context.stores.store('warm-up')
  await setting.engine.call('open', { ...store, ...openOptions })
  await setting.engine.call('addTargets', setting.healthy)
  await measureHealthy(setting, setting.times.without)
  await setting.engine.call('close')
}

async function beside(setting: Setting, scenario: Scenario, name: string): Promise<void> {
  const { context, engine, badReceivers, healthy, times } = setting
  const { burst = badBurst, perSecond = badPerSecond } = scenario
  const urls = await openBad(badReceivers, scenario)
  const bad = urls.map((url, index) => ({ uid: `bad${index}`, url, topic: `bad.t${index}` }))
  const topics = bad.map(({ topic }) => topic)
  await engine.call('open', { ...(await context.stores.store(`isolation-${name}`)), ...openOptions })
  await engine.call('addTargets', [...healthy, ...bad])
  await measureHealthy(setting, times.warmUp)
  const without = await measureHealthy(setting, times.without)
  await engine.call('publish', { count: burst * bad.length, callers: publishCallers, topics })
  const flood: Stream = { topics, perSecond: perSecond * bad.length, stamped: false }
  const together = await measureHealthy(setting, times.beside, [flood])
  record(context, scenario.words, { without, together })
  await engine.call('close')
  await badReceivers.call('close')
}

async function openBad(
  receivers: Remote<ReceiverCommands>,
  { bad, delayMs, takesPerSecond }: Scenario,
): Promise<readonly string[]> {
  if (bad === 'hostile') return receivers.call('listenHostile')
  const behaviour = { delayMs, ...(takesPerSecond !== undefined && { takesPerSecond }) }
  const ports = await receivers.call('listen', { count: bad, ...behaviour })
  return ports.map((port) => `http://127.0.0.1:${port}/hook`)
}

/** The p99 in ms over so many seconds. */
export async function measureHealthy(
  setting: Setting,
  seconds: number,
  others: readonly Stream[] = [],
): Promise<number> {
  const { engine, healthyReceivers, healthy } = setting
  const topics = healthy.map(({ topic }) => topic)
  await healthyReceivers.call('reset')
  const streams = [{ topics, perSecond: healthyPerSecond, stamped: true }, ...others]
  await engine.call('stream', { streams, seconds })
  await healthyReceivers.call('waitFor', Math.round(healthyPerSecond * seconds))
  return percentile(await healthyReceivers.call('latencies'), 99)
}

/** Two stores with the same endpoints. */
async function prepareBacklog({ context, engine, badReceivers, healthy }: Setting): Promise<void> {
  const { stores, quick } = context
  const endpoints = quick ? 200 : backlogEndpoints
  context.say(`making ${endpoints} endpoints with a backlog`)
  const [port] = await badReceivers.call('listen', { count: 1 })
  const targets = Array.from({ length: endpoints }, (_, index) => ({
    uid: `backlog${index}`,
    url: `http://127.0.0.1:${port}/hook/${index}`,
    topic: `backlog.t${index}`,
  }))
  const topics = targets.map(({ topic }) => topic)
  await engine.call('open', { ...(await stores.store('no-backlog')), dispatch: false })
  await engine.call('addTargets', [...healthy, ...targets])
  await engine.call('close')
  await stores.copy('no-backlog', 'backlog')
  await engine.call('open', { ...(await stores.store('backlog')), dispatch: false })
  await engine.call('publish', { count: endpoints * backlogPerEndpoint, callers: publishCallers, topics })
  await engine.call('close')
}

async function besideBacklog(setting: Setting, run: number): Promise<void> {
  const { context, engine, times } = setting
  const full = `backlog-${run}`
  await context.stores.copy('backlog', full)
  await engine.call('open', { ...(await context.stores.store('no-backlog')), ...openOptions })
  await measureHealthy(setting, times.warmUp)
  const without = await measureHealthy(setting, times.without)
  await engine.call('close')
  await engine.call('open', { ...(await context.stores.store(full)), ...openOptions })
  // Without waiting for what was published: the backlog would be gone.
  const topics = setting.healthy.map(({ topic }) => topic)
  const streams = [{ topics, perSecond: healthyPerSecond, stamped: false }]
  await engine.call('stream', { streams, seconds: times.warmUp })
  const together = await measureHealthy(setting, times.without)
  record(context, 'a backlog over 10 thousand endpoints', { without, together })
  await engine.call('close')
}

export function record(
  { series, say }: PartContext,
  words: string,
  { without, together }: { readonly without: number; readonly together: number },
): void {
  series.add(`isolation, p99 in ms without ${words}`, without)
  series.add(`isolation, p99 in ms beside ${words}`, together)
  series.add(`isolation, p99 beside ${words} over p99 without`, together / without)
  say(`${words}: p99 ${without.toFixed(1)} ms without, ${together.toFixed(1)} ms beside`)
}
