/** From the call of `publish()` to the arrival at the receiver, at a steady rate. */
import { percentile } from '../harness/statistics.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

const rates = [100, 1000]
const endpoints = 8

export const latency: Part = { names: ['latency'], run: measureLatency }

async function measureLatency(context: PartContext): Promise<void> {
  const { series, quick, runs, stores } = context
  const seconds = quick ? 1 : 8
  const receivers = await context.start<ReceiverCommands>('receivers')
  const engine = await context.start<EngineCommands>('engine', { profiled: true })
  const ports = await receivers.call('listen', { count: endpoints, stamps: true })
  const targets = ports.map((port, index) => ({
    uid: `t${index}`,
    url: `http://127.0.0.1:${port}/hook`,
    topic: `bench.t${index}`,
  }))
  const topics = targets.map(({ topic }) => topic)
  await engine.call('open', await stores.store('latency'))
  await engine.call('addTargets', targets)
  await engine.call('stream', {
    streams: [{ topics, perSecond: 1000, stamped: true }],
    seconds: quick ? 1 : 4,
  })
  for (let run = 0; run < runs; run++) {
    for (const perSecond of rates) {
      await receivers.call('reset')
      const { lateMs } = await engine.call('stream', {
        streams: [{ topics, perSecond, stamped: true }],
        seconds,
      })
      await receivers.call('waitFor', perSecond * seconds)
      const latencies = await receivers.call('latencies')
      const name = `publish to received at ${perSecond} events per second`
      const [p50, p99] = [percentile(latencies, 50), percentile(latencies, 99)]
      series.add(`${name}, p50 in ms`, p50)
      series.add(`${name}, p99 in ms`, p99)
      context.say(
        `${perSecond}/s: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (late by ${lateMs.toFixed(1)} ms at most)`,
      )
    }
  }
  await engine.call('close')
}
