/** The raw client and the whole engine, in turns on the same machine in the same minute, so that they compare. */
import type { Spent } from '../harness/cpu-meter.ts'
import { publishCallers, rawConcurrency } from '../harness/load-shape.ts'
import { createWalMeter } from '../harness/wal-meter.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands, NewTarget } from '../processes/engine.ts'
import type { RawClientCommands } from '../processes/raw-client.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

/** Together they allow as many requests at once as there are callers: 32 each. */
const endpoints = 8

export const throughput: Part = {
  names: ['raw-undici', 'publish-to-delivered', 'cpu-per-delivery', 'drain'],
  run: measureThroughput,
}

async function measureThroughput(context: PartContext): Promise<void> {
  const { quick, runs, stores } = context
  const count = quick ? 3000 : 30_000
  const receivers = await context.start<ReceiverCommands>('receivers')
  const raw = await context.start<RawClientCommands>('raw-client')
  const engine = await context.start<EngineCommands>('engine', { profiled: true })
  const ports = await receivers.call('listen', { count: endpoints })
  const targets = ports.map((port, index) => aTarget(port, index))
  const topics = targets.map(({ topic }) => topic)
  const store = await stores.store('throughput')
  const wal = createWalMeter(stores, 'throughput')
  const job = { count, callers: publishCallers, topics }

  await engine.call('open', store)
  await engine.call('addTargets', targets)
  context.say('warming up')
  await raw.call('post', { ports, count, concurrency: rawConcurrency })
  for (let run = 0; run < runs; run++) {
    // Each opening gives the store new threads, which are as warm then as the raw client is.
    await engine.call('publishAndDeliver', job)
    const ceiling = await raw.call('post', { ports, count, concurrency: rawConcurrency })
    const handedOff = await wal.start()
    const whole = await engine.call('publishAndDeliver', job)
    await handedOff?.(context.series, 'publish to delivered', count)
    await engine.call('close')
    await engine.call('open', { ...store, dispatch: false })
    // The store's threads are new ones: the first half warms them up.
    await engine.call('publish', { ...job, count: count * 2 })
    await engine.call('close')
    const claimed = await wal.start()
    const drain = await engine.call('drain', { ...store, warmUp: count, count })
    await claimed?.(context.series, 'drain of a backlog', count * 2)
    record(context, count, { ceiling, whole, drain })
  }
  await engine.call('close')
}

function record(
  { series, say }: PartContext,
  count: number,
  { ceiling, whole, drain }: Readonly<Record<'ceiling' | 'whole' | 'drain', Spent>>,
): void {
  const perSecond = ({ wallMs }: Spent) => (count * 1000) / wallMs
  const cpu = ({ cpuMicros }: Spent) => cpuMicros / count
  series.add('raw undici, requests per second', perSecond(ceiling))
  series.add('raw undici, CPU µs per request', cpu(ceiling))
  for (const [name, spent] of [
    ['publish to delivered', whole],
    ['drain of a backlog', drain],
  ] as const) {
    series.add(`${name}, deliveries per second`, perSecond(spent))
    series.add(
      `${name}, deliveries per second over raw undici requests per second`,
      perSecond(spent) / perSecond(ceiling),
    )
    series.add(`${name}, CPU µs per delivery`, cpu(spent))
    series.add(`${name}, CPU µs of the main thread per delivery`, spent.threadMicros / count)
    series.add(`${name}, CPU per delivery over raw undici CPU per request`, cpu(spent) / cpu(ceiling))
  }
  say(
    `raw ${perSecond(ceiling).toFixed(0)}/s ${cpu(ceiling).toFixed(1)} µs; whole ${perSecond(whole).toFixed(0)}/s ` +
      `${cpu(whole).toFixed(1)} µs; drain ${perSecond(drain).toFixed(0)}/s ${cpu(drain).toFixed(1)} µs`,
  )
}

function aTarget(port: number, index: number): NewTarget {
  return { uid: `t${index}`, url: `http://127.0.0.1:${port}/hook`, topic: `bench.t${index}` }
}
