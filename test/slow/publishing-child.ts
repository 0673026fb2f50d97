/** Owns a store and publishes without end; prints the id of every event that was acknowledged. */
import { createSystemClock } from '../../src/core/clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { openScene } from '../store/contract/scene.ts'

const path = process.argv[2] ?? ''
const clock = createSystemClock()
const store = await openSqliteStore({ path, clock })
const scene = await openScene(async () => ({
  store,
  now: () => clock.now(),
  advance: async () => {},
  close: async () => {},
}))
const route = await scene.anEndpoint()
process.stdout.write('ready\n')
if (process.argv[3] === 'idle') setInterval(() => {}, 1000)
else await Promise.all(Array.from({ length: 8 }, publishForever))

async function publishForever(): Promise<void> {
  for (;;) {
    const { event } = await scene.publish({ routes: [route], handOff: true })
    process.stdout.write(`${event.id}\n`)
  }
}
