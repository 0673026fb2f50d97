/** Claims of ordered deliveries of many keys, with one key blocked that has a long line behind its head, and without. */
import type { Part, PartContext } from '../part.ts'
import type { ClaimsCommands } from '../processes/claims.ts'

const claimLimit = 500
const claims = 20
const keys = 100_000
const behindBlocked = 10_000

export const orderedClaims: Part = {
  names: ['ordered-claims'],
  run: measureOrderedClaims,
}

async function measureOrderedClaims(context: PartContext): Promise<void> {
  const { quick, runs, series, stores } = context
  const scale = quick ? 50 : 1
  const names = ['lines-free', 'lines-blocked'] as const
  const store = await context.start<ClaimsCommands>('claims')
  for (const [index, name] of names.entries()) {
    context.say(`filling a store with ${keys / scale} ordering keys`)
    await store.call('fillLines', {
      url: (await stores.store(name)).store,
      keys: keys / scale,
      behindBlocked: index === 0 ? 0 : behindBlocked / scale,
    })
    await stores.server?.query(name, 'vacuum analyze outhook.live_deliveries, outhook.ordered_keys')
  }
  await store.call('open', await Promise.all(names.map(async (name) => (await stores.store(name)).store)))
  const costOf = async (index: number) => {
    const times = quick ? 2 : claims
    const { wallMs, rows } = await store.call('claim', { store: index, limit: claimLimit, times })
    return (wallMs * 1000) / rows
  }
  for (const index of names.keys()) await costOf(index)
  for (let run = 0; run < runs; run++) {
    const free = await costOf(0)
    const blocked = await costOf(1)
    series.add('claim, µs per row of 100 thousand ordering keys', free)
    series.add('claim, µs per row of 100 thousand ordering keys, one blocked', blocked)
    series.add('claim cost per row, one of 100 thousand ordering keys blocked over none', blocked / free)
    context.say(`claims of ordered deliveries: ${free.toFixed(1)}, ${blocked.toFixed(1)} µs per row`)
  }
  await store.call('close')
  await store.stop()
}
