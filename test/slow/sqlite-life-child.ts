/** One life of a process that owns a SQLite store: `node sqlite-life-child.ts PATH LIFE`. It tells what it did and waits to be killed. */
import { createSystemClock } from '../../src/core/clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { anOutcome, openScene, retryIn, type Scene } from '../store/contract/scene.ts'

const [, , path = '', life = ''] = process.argv
const clock = createSystemClock()
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

async function handOff(scene: Scene, count: number) {
  const routes = [await scene.anEndpoint()]
  const events = await scene.publishMany(count, { routes, handOff: true })
  return events.map(({ deliveries: [first] }) => ({ id: first?.id ?? '', claimVersion: 1, attemptCount: 0 }))
}

const lives: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  /** Acknowledged, and none attempted. */
  'hand off': async (scene) => (await handOff(scene, 3)).map(({ id }) => id),
  'hand off many': async (scene) => (await handOff(scene, 20_000)).length,
  /** Three leases of one commit: one succeeds, one fails, the third has no outcome. */
  'record two of three': async (scene) => {
    const leased = await handOff(scene, 3)
    const [first, second] = leased
    if (first === undefined || second === undefined) throw new Error('three were handed off')
    await scene.record(anOutcome(first), anOutcome(second, { next: retryIn(0) }))
    return leased.map(({ id }) => id)
  },
  'record all': async (scene) => {
    const leased = await handOff(scene, 3)
    await scene.record(...leased.map((delivery) => anOutcome(delivery)))
    return leased.map(({ id }) => id)
  },
  claim: async (scene) => (await scene.claim()).deliveries.map(({ id }) => id),
  /** It may be killed before it has opened the store. */
  recover: async () => 'recovered',
}

say('opening')
const store = await openSqliteStore({ path, clock })
const scene = await openScene(async () => ({
  store,
  now: () => clock.now(),
  advance: async () => {},
  close: async () => {},
}))
say(await lives[life]?.(scene))
setInterval(() => {}, 1000)
