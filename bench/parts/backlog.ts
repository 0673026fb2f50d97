/**
 * Large backlogs of one endpoint: how long another one waits behind them, what a claim costs per row, and what
 * they take of memory. One filling of the stores serves all three.
 */
import { publishCallers } from '../harness/load-shape.ts'
import type { Remote } from '../harness/remote.ts'
import type { StoreOptions } from '../harness/stores.ts'
import type { Part, PartContext } from '../part.ts'
import type { ClaimsCommands } from '../processes/claims.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

const claimLimit = 500
/** Per store and run. */
const claims = 20
/** While memory is measured, so that the backlog stays. */
const slowAnswerMs = 1000
const settleMs = 5000
const smallDeliveries = 10
/** Waits are short, so there are more of them than of other runs. */
const waitsPerRun = 3

interface Backlog {
  readonly words: string
  readonly pending: number
  readonly store: StoreOptions
}

interface Setting {
  readonly context: PartContext
  readonly large: Remote<ReceiverCommands>
  readonly small: Remote<ReceiverCommands>
  readonly empty: Backlog
  readonly backlogs: readonly Backlog[]
}

export const backlog: Part = { names: ['claim-cost', 'noisy-neighbour', 'memory'], run: measureBacklogs }

async function measureBacklogs(context: PartContext): Promise<void> {
  const aBacklog = async (words: string, pending: number): Promise<Backlog> => ({
    words,
    pending: context.quick ? Math.ceil(pending / 50) : pending,
    store: await context.stores.store(`pending-${pending}`),
  })
  const setting: Setting = {
    context,
    large: await context.start<ReceiverCommands>('receivers'),
    small: await context.start<ReceiverCommands>('receivers'),
    empty: await aBacklog('no', 0),
    backlogs: [
      await aBacklog('10 thousand', 10_000),
      await aBacklog('100 thousand', 100_000),
      await aBacklog('1 million', 1_000_000),
    ],
  }
  await fillStores(setting)
  await measureMemory(setting)
  await measureWaits(setting)
  if (context.stores.kind === 'sqlite') await measureClaims(setting)
}

async function fillStores({ context, large, small, empty, backlogs }: Setting): Promise<void> {
  const [largePort] = await large.call('listen', { count: 1 })
  const [smallPort] = await small.call('listen', { count: 1 })
  const targets = [
    { uid: 'large', url: `http://127.0.0.1:${largePort}/hook`, topic: 'bench.large' },
    { uid: 'small', url: `http://127.0.0.1:${smallPort}/hook`, topic: 'bench.small' },
  ]
  const engine = await context.start<EngineCommands>('engine')
  for (const { words, pending, store } of [empty, ...backlogs]) {
    context.say(`filling a store with ${words} deliveries`)
    await engine.call('open', { ...store, dispatch: false })
    await engine.call('addTargets', targets)
    await engine.call('publish', { count: pending, callers: publishCallers, topics: ['bench.large'] })
    await engine.call('close')
  }
  await engine.stop()
}

async function measureMemory({ context, large, empty, backlogs }: Setting): Promise<void> {
  const full = backlogs.at(-1) ?? empty
  await large.call('answerAfter', slowAnswerMs)
  for (let run = 0; run < context.longRuns; run++) {
    const emptyMb = await measureRss(context, empty.store)
    const fullMb = await measureRss(context, full.store)
    context.series.add('memory, MB after an empty start', emptyMb)
    context.series.add('memory, MB after a start with 1 million pending', fullMb)
    context.series.add('memory, MB above an empty start with 1 million pending', fullMb - emptyMb)
    context.say(`empty ${emptyMb.toFixed(0)} MB, full ${fullMb.toFixed(0)} MB`)
  }
  await large.call('answerAfter', 0)
}

/** Of a new process that has been delivering from the store for some seconds. */
async function measureRss(context: PartContext, store: StoreOptions): Promise<number> {
  const engine = await context.start<EngineCommands>('engine')
  await engine.call('open', store)
  await new Promise((resolve) => setTimeout(resolve, context.quick ? settleMs / 10 : settleMs))
  const bytes = await engine.call('rssBytes')
  await engine.call('close')
  await engine.stop()
  return bytes / 1e6
}

async function measureWaits(setting: Setting): Promise<void> {
  const { context, backlogs } = setting
  const [few, , many] = backlogs
  if (few === undefined || many === undefined) return
  const engine = await context.start<EngineCommands>('engine')
  for (const backlog of [few, many]) await measureWait(setting, engine, backlog)
  for (let run = 0; run < context.runs; run++) {
    let behindFew = 0
    let behindMany = 0
    for (let wait = 0; wait < waitsPerRun; wait++) {
      behindFew += (await measureWait(setting, engine, few)) / waitsPerRun
      behindMany += (await measureWait(setting, engine, many)) / waitsPerRun
    }
    context.series.add('noisy neighbour, wait in ms behind 10 thousand', behindFew)
    context.series.add('noisy neighbour, wait in ms behind 1 million', behindMany)
    context.series.add(
      'noisy neighbour, wait behind 1 million over wait behind 10 thousand',
      behindMany / behindFew,
    )
    context.say(
      `waits ${behindFew.toFixed(1)} ms behind 10 thousand, ${behindMany.toFixed(1)} ms behind 1 million`,
    )
  }
  await engine.stop()
}

/**
 * Ten deliveries of the small endpoint, younger than all of the large one's: from the start of dispatching to the
 * arrival of the last, in ms.
 */
async function measureWait(
  { large, small }: Setting,
  engine: Remote<EngineCommands>,
  { store }: Backlog,
): Promise<number> {
  await engine.call('open', { ...store, dispatch: false })
  await engine.call('publish', { count: smallDeliveries, callers: smallDeliveries, topics: ['bench.small'] })
  await engine.call('close')
  await small.call('reset')
  await large.call('reset')
  const arrival = small.call('waitFor', smallDeliveries)
  const openAt = await engine.call('open', store)
  const waitMs = Number((await arrival) - openAt) / 1e6
  await engine.call('close')
  // What the large one got of its backlog meanwhile is put back.
  const count = await large.call('received')
  await engine.call('open', { ...store, dispatch: false })
  await engine.call('publish', { count, callers: publishCallers, topics: ['bench.large'] })
  await engine.call('close')
  return waitMs
}

/** On the store's port: no dispatcher, no requests. */
async function measureClaims({ context, backlogs }: Setting): Promise<void> {
  const { series, runs, quick } = context
  const store = await context.start<ClaimsCommands>('claims', { profiled: true })
  const times = quick ? 2 : claims
  const claimFrom = (index: number) => store.call('claim', { store: index, limit: claimLimit, times })
  await store.call(
    'open',
    backlogs.map((backlog) => backlog.store.store),
  )
  for (const index of backlogs.keys()) await claimFrom(index)
  for (let run = 0; run < runs; run++) {
    const costs: number[] = []
    for (const [index, { words }] of backlogs.entries()) {
      const { wallMs, cpuMicros, rows } = await claimFrom(index)
      series.add(`claim, µs per row at ${words} pending`, (wallMs * 1000) / rows)
      series.add(`claim, CPU µs per row at ${words} pending`, cpuMicros / rows)
      costs.push(cpuMicros / rows)
    }
    // Of CPU time: wall time on a busy machine says more about its other users.
    series.add(
      'claim cost per row, 1 million pending over 10 thousand',
      (costs.at(-1) ?? 0) / (costs[0] ?? 0),
    )
    context.say(`claims: ${costs.map((cost) => cost.toFixed(1)).join(', ')} CPU µs per row`)
  }
  await store.call('close')
}
