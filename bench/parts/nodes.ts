/** One, two and four processes that dispatch from one database: how fast they empty a backlog together. */
import { publishCallers } from '../harness/load-shape.ts'
import { median } from '../harness/statistics.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

const processCounts = [1, 2, 4]
const processWords = ['one process', 'two processes', 'four processes']
/** Enough for the limits of their endpoints not to hold back four processes. */
const endpoints = 64

export const nodes: Part = { names: ['processes'], on: 'postgres', run: measureNodes }

async function measureNodes(context: PartContext): Promise<void> {
  const { quick, longRuns, stores, series } = context
  const count = quick ? 3000 : 60_000
  const receivers = await context.start<ReceiverCommands>('receivers')
  const engines = await Promise.all(
    Array.from({ length: Math.max(...processCounts) }, () => context.start<EngineCommands>('engine')),
  )
  const [first] = engines
  if (first === undefined) return
  const ports = await receivers.call('listen', { count: endpoints })
  const targets = ports.map((port, index) => ({
    uid: `t${index}`,
    url: `http://127.0.0.1:${port}/hook`,
    topic: `bench.t${index}`,
  }))
  const topics = targets.map(({ topic }) => topic)
  const store = await stores.store('processes')
  await first.call('open', { ...store, dispatch: false })
  await first.call('addTargets', targets)
  await first.call('close')

  async function drain(processes: number): Promise<number> {
    await first?.call('open', { ...store, dispatch: false })
    await first?.call('publish', { count, callers: publishCallers, topics })
    await first?.call('close')
    await receivers.call('reset')
    const used = engines.slice(0, processes)
    await Promise.all(used.map((engine) => engine.call('open', store)))
    // What came before the last of them was open counts for none.
    const early = await receivers.call('received')
    const startedAt = performance.now()
    await receivers.call('waitFor', count)
    const perSecond = ((count - early) * 1000) / (performance.now() - startedAt)
    await Promise.all(used.map((engine) => engine.call('close')))
    return perSecond
  }

  // Each warms up its own code.
  await drain(engines.length)
  const rates = processCounts.map((): number[] => [])
  for (let run = 0; run < longRuns; run++) {
    for (const [index, processes] of processCounts.entries()) {
      const perSecond = await drain(processes)
      rates[index]?.push(perSecond)
      series.add(`drain of a backlog, ${processWords[index]}, deliveries per second`, perSecond)
    }
    const [one, two, four] = rates.map((values) => values.at(-1) ?? Number.NaN)
    series.add('drain of a backlog, two processes over one', (two ?? 0) / (one ?? 1))
    series.add('drain of a backlog, four processes over one', (four ?? 0) / (one ?? 1))
    context.say(rates.map((values) => `${median(values).toFixed(0)}/s`).join(', '))
  }
}
