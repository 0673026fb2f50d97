/** Durable `publish()` calls: each resolves after its event and delivery are on disk. Nothing is sent. */

import type { Part, PartContext } from '../part.ts'
import type { EngineCommands } from '../processes/engine.ts'

const callerCounts = [1, 50, 256]

export const publishCalls: Part = { names: ['publish-calls'], run: measurePublishCalls }

async function measurePublishCalls(context: PartContext): Promise<void> {
  const { series, quick, runs, stores } = context
  const engine = await context.start<EngineCommands>('engine')
  const topics = ['bench.t0']
  await engine.call('open', { ...(await stores.store('publish')), dispatch: false })
  await engine.call('addTargets', [{ uid: 't0', url: 'http://127.0.0.1:9/hook', topic: 'bench.t0' }])
  await engine.call('publish', { count: quick ? 1000 : 20_000, callers: 256, topics })
  for (let run = 0; run < runs; run++) {
    for (const callers of callerCounts) {
      const count = quick ? 500 : callers === 1 ? 3000 : 30_000
      const { wallMs, cpuMicros } = await engine.call('publish', { count, callers, topics })
      const name = `durable publish calls, ${callers} ${callers === 1 ? 'caller' : 'callers'}`
      series.add(`${name}, calls per second`, (count * 1000) / wallMs)
      series.add(`${name}, CPU µs per call`, cpuMicros / count)
    }
    context.say(`run ${run + 1} of ${runs}`)
  }
  await engine.call('close')
}
