/** Ten deliveries of a small endpoint behind the older backlog of another: how long until the last has arrived. */
import type { Remote } from '../harness/remote.ts'
import { publishCallers } from '../harness/load-shape.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'
import type { Part, PartContext } from '../part.ts'

const smallDeliveries = 10
/** Short ones, so more of them than elsewhere. */
const roundsPerRun = 3

export const noisyNeighbour: Part = { names: ['noisy-neighbour'], run: measureNoisyNeighbour }

interface Neighbours {
  readonly engine: Remote<EngineCommands>
  readonly large: Remote<ReceiverCommands>
  readonly small: Remote<ReceiverCommands>
}

async function measureNoisyNeighbour(context: PartContext): Promise<void> {
  const { series, quick, runs, directory } = context
  const sizes = quick ? [1000, 10_000] : [10_000, 1_000_000]
  const [few = 0, many = 0] = sizes
  const neighbours: Neighbours = {
    engine: await context.start<EngineCommands>('engine'),
    large: await context.start<ReceiverCommands>('receivers'),
    small: await context.start<ReceiverCommands>('receivers'),
  }
  const [largePort] = await neighbours.large.call('listen', { count: 1 })
  const [smallPort] = await neighbours.small.call('listen', { count: 1 })
  const targets = [
    { uid: 'large', url: `http://127.0.0.1:${largePort}/hook`, topic: 'bench.large' },
    { uid: 'small', url: `http://127.0.0.1:${smallPort}/hook`, topic: 'bench.small' },
  ]
  const storeOf = (pending: number) => `sqlite:${directory}/neighbour-${pending}.db`
  for (const pending of sizes) {
    context.say(`filling a store with ${pending} deliveries`)
    await neighbours.engine.call('open', { store: storeOf(pending), dispatch: false })
    await neighbours.engine.call('addTargets', targets)
    await neighbours.engine.call('publish', { count: pending, callers: publishCallers, topics: ['bench.large'] })
    await neighbours.engine.call('close')
  }
  await measureWait(neighbours, storeOf(few))
  for (let run = 0; run < runs; run++) {
    let behindFew = 0
    let behindMany = 0
    for (let round = 0; round < roundsPerRun; round++) {
      behindFew += (await measureWait(neighbours, storeOf(few))) / roundsPerRun
      behindMany += (await measureWait(neighbours, storeOf(many))) / roundsPerRun
    }
    series.add('noisy neighbour, wait in ms behind 10 thousand', behindFew)
    series.add('noisy neighbour, wait in ms behind 1 million', behindMany)
    series.add('noisy neighbour, wait behind 1 million over wait behind 10 thousand', behindMany / behindFew)
    context.say(`behind ${few}: ${behindFew.toFixed(1)} ms, behind ${many}: ${behindMany.toFixed(1)} ms`)
  }
}

/** From the start of dispatching to the arrival of the small endpoint's last delivery, in ms. */
async function measureWait({ engine, large, small }: Neighbours, store: string): Promise<number> {
  await engine.call('open', { store, dispatch: false })
  await engine.call('publish', { count: smallDeliveries, callers: smallDeliveries, topics: ['bench.small'] })
  await engine.call('close')
  await small.call('reset')
  await large.call('reset')
  const arrival = small.call('waitFor', smallDeliveries)
  const openAt = await engine.call('open', { store })
  const waitMs = Number((await arrival) - openAt) / 1e6
  await engine.call('close')
  // What the large one got of its backlog meanwhile is put back.
  const gone = await large.call('received')
  await engine.call('open', { store, dispatch: false })
  if (gone > 0) await engine.call('publish', { count: gone, callers: publishCallers, topics: ['bench.large'] })
  await engine.call('close')
  return waitMs
}
