/** Large backlogs: what a claim costs per row, and what they take of memory. */
import type { Remote } from '../harness/remote.ts'
import { publishCallers } from '../harness/load-shape.ts'
import type { ClaimsCommands } from '../processes/claims.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'
import type { Part, PartContext } from '../part.ts'

const endpoints = 100
const claimLimit = 500
/** Per store and run. */
const claims = 20
/** Receivers of the memory measurement answer so late that the backlog stays. */
const receiverDelayMs = 1000

interface Backlog {
  readonly words: string
  readonly pending: number
}

export const backlog: Part = { names: ['claim-cost', 'memory'], run: measureBacklog }

async function measureBacklog(context: PartContext): Promise<void> {
  const sizes: readonly Backlog[] = [
    { words: '10 thousand', pending: context.quick ? 1000 : 10_000 },
    { words: '100 thousand', pending: context.quick ? 3000 : 100_000 },
    { words: '1 million', pending: context.quick ? 10_000 : 1_000_000 },
  ]
  const receivers = await context.start<ReceiverCommands>('receivers')
  const ports = await receivers.call('listen', { count: 4, delayMs: receiverDelayMs })
  const path = (size: number) => `${context.directory}/backlog-${size}.db`
  const engine = await context.start<EngineCommands>('engine')
  for (const { words, pending } of [{ words: 'no', pending: 0 }, ...sizes]) {
    context.say(`filling a store with ${words} deliveries`)
    await fill(engine, { path: path(pending), ports, pending })
  }
  await engine.stop()
  for (let run = 0; run < context.longRuns; run++) {
    const empty = await measureRss(context, path(0))
    const full = await measureRss(context, path(sizes.at(-1)?.pending ?? 0))
    context.series.add('memory, MB after an empty start', empty)
    context.series.add('memory, MB after a start with 1 million pending', full)
    context.series.add('memory, MB above an empty start with 1 million pending', full - empty)
    context.say(`empty ${empty.toFixed(0)} MB, full ${full.toFixed(0)} MB`)
  }
  await measureClaims(context, sizes.map(({ pending }) => path(pending)), sizes)
}

interface Fill {
  readonly path: string
  readonly ports: readonly number[]
  readonly pending: number
}

async function fill(engine: Remote<EngineCommands>, { path, ports, pending }: Fill): Promise<void> {
  const targets = Array.from({ length: endpoints }, (_, index) => ({
    uid: `t${index}`,
    url: `http://127.0.0.1:${ports[index % ports.length]}/hook/${index}`,
    topic: `bench.t${index}`,
  }))
  await engine.call('open', { store: `sqlite:${path}`, dispatch: false })
  await engine.call('addTargets', targets)
  const topics = targets.map(({ topic }) => topic)
  if (pending > 0) await engine.call('publish', { count: pending, callers: publishCallers, topics })
  await engine.call('close')
}

/** Of a new process that has been delivering from the store for some seconds. */
async function measureRss(context: PartContext, path: string): Promise<number> {
  const engine = await context.start<EngineCommands>('engine')
  await engine.call('open', { store: `sqlite:${path}` })
  await new Promise((resolve) => setTimeout(resolve, context.quick ? 500 : 5000))
  const bytes = await engine.call('rssBytes')
  await engine.call('close')
  await engine.stop()
  return bytes / 1e6
}

async function measureClaims(context: PartContext, paths: readonly string[], sizes: readonly Backlog[]): Promise<void> {
  const { series, runs, quick } = context
  const store = await context.start<ClaimsCommands>('claims', { profiled: true })
  const times = quick ? 2 : claims
  await store.call('open', paths)
  for (const index of sizes.keys()) await store.call('claim', { store: index, limit: claimLimit, times })
  for (let run = 0; run < runs; run++) {
    const costs: number[] = []
    for (const [index, { words }] of sizes.entries()) {
      const { wallMs, cpuMicros, rows } = await store.call('claim', { store: index, limit: claimLimit, times })
      series.add(`claim, µs per row at ${words} pending`, (wallMs * 1000) / rows)
      series.add(`claim, CPU µs per row at ${words} pending`, cpuMicros / rows)
      costs.push(cpuMicros / rows)
    }
    // CPU time: the store is in memory all the same, and wall time on a busy machine says more about the others.
    series.add('claim cost per row, 1 million pending over 10 thousand', (costs[2] ?? 0) / (costs[0] ?? 0))
    context.say(`CPU µs per row: ${costs.map((cost) => cost.toFixed(1)).join(', ')}`)
  }
  await store.call('close')
}
