/** What fifty healthy endpoints notice of one event for very many others, and how soon that event is acknowledged. */
import type { Part, PartContext } from '../part.ts'
import { measureHealthy, openOptions, prepare, record, type Setting } from './isolation.ts'

const endpoints = 10_000
const topic = 'many'
/** The event comes once the healthy ones are under way. */
const leadMs = 200

export const largeFanOut: Part = { names: ['isolation-fan-out'], run: measureLargeFanOut }

async function measureLargeFanOut(context: PartContext): Promise<void> {
  const setting = await prepare(context)
  const count = context.quick ? 1500 : endpoints
  context.say(`making ${count} endpoints`)
  const { stores } = context
  const [port] = await setting.badReceivers.call('listen', { count: 1 })
  const many = Array.from({ length: count }, (_, index) => ({
    uid: `many${index}`,
    url: `http://127.0.0.1:${port}/hook/${index}`,
    topic,
  }))
  await setting.engine.call('open', { ...(await stores.store('fan-out')), dispatch: false })
  await setting.engine.call('addTargets', [...setting.healthy, ...many])
  await setting.engine.call('close')
  for (let run = 0; run < context.longRuns; run++) await besideOneEvent(setting, count)
}

async function besideOneEvent(setting: Setting, count: number): Promise<void> {
  const { context, engine, badReceivers, times } = setting
  await engine.call('open', { ...(await context.stores.store('fan-out')), ...openOptions })
  await measureHealthy(setting, times.warmUp)
  const without = await measureHealthy(setting, times.without)
  await badReceivers.call('reset')
  const lead = new Promise((resolve) => setTimeout(resolve, leadMs))
  const acknowledged = lead.then(() => engine.call('acknowledge', topic))
  const together = await measureHealthy(setting, times.without)
  record(context, 'one event for 10 thousand endpoints', { without, together })
  const ackMs = await acknowledged
  await badReceivers.call('waitFor', count)
  context.series.add('one event for 10 thousand endpoints, ms until it is acknowledged', ackMs)
  context.say(`acknowledged after ${ackMs.toFixed(1)} ms`)
  await engine.call('close')
}
