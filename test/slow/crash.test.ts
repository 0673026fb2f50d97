/**
 * `kill -9` at random moments under constant publishing. What the receivers heard is held against what publishers
 * were told, event by event.
 *
 * The bound on duplicates: a request that the store knows nothing of can only be one that was leased and without
 * a recorded outcome when the process died. So each delivery may be heard as often as it has recorded attempts,
 * and once more for every kill that found it leased and heard in that life of the server.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, deliveriesOf, forEachOf, isDrained, pause, type ReadDelivery, until } from './api-calls.ts'
import { readLeases } from './leases-on-disk.ts'
import type { Ledger, Reply } from './ledger.ts'
import { startLedger } from './ledger-receiver.ts'
import { type Acknowledged, startPublishers } from './publishers.ts'
import { seededRandom } from './seeded-random.ts'
import { aDirectory, spawnServer, startServer } from './server-process.ts'

const kills = Number(process.env.CHAOS_KILLS ?? 21)
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

interface Deserved {
  readonly path: string
  readonly topics: readonly string[]
  readonly state: 'succeeded' | 'dead_lettered'
  /** Recorded attempts, by HTTP status. */
  readonly statuses: readonly number[]
}

interface Kill {
  /** `starting`: before it listened, perhaps before it had anything to do. */
  readonly kind: 'working' | 'starting'
  /** Requests without an answer at the receivers. */
  readonly open: number
  /** Deliveries that were leased and without a recorded outcome. */
  readonly leased: ReadonlySet<string>
  /** Of these, those that a receiver had heard of since the kill before. */
  readonly exposed: ReadonlySet<string>
}

/** `statuses` are also how the receiver answers, request by request; the last goes on. */
const receivers: readonly Deserved[] = [
  { path: '/succeed', topics: ['crash.*'], state: 'succeeded', statuses: [200] },
  { path: '/stall', topics: ['crash.stall'], state: 'succeeded', statuses: [200] },
  { path: '/recover', topics: ['crash.*'], state: 'succeeded', statuses: [500, 503, 200] },
  { path: '/fail', topics: ['crash.*'], state: 'dead_lettered', statuses: [500, 500, 500, 500] },
  { path: '/refuse', topics: ['crash.*'], state: 'dead_lettered', statuses: [400] },
]
const retryPolicy = { max_attempts: 4, delays: ['50ms', '150ms', '300ms'], jitter: 'none' }

const flags = ['--breaker-threshold', '0', '--disable-after', '0']

test(`S1.40 nothing acknowledged is lost over ${kills} kills, and duplicates stay within what was leased`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(seed)
  print(`seed ${seed} (CHAOS_SEED=${seed} repeats it)`)
  const database = join(aDirectory(), 'chaos.db')
  const ledger = await startLedger((path, requestNo) => answerOf(path, requestNo, random))
  let server = await startServer({ database, flags })
  let { url } = server
  const deserved = await createEndpoints(url, ledger)
  const { key: token } = await ask(url, '/v1/keys', { body: { name: 'publisher' } })
  const publishers = startPublishers({
    callers: 4,
    everyMs: () => 20 + random() * 40,
    token,
    url: () => url,
    topicOf: (no) => (no % 4 === 0 ? 'crash.stall' : 'crash.plain'),
  })

  const examine = createExaminer(database, ledger)
  const log: Kill[] = []
  while (log.filter((kill) => kill.kind === 'working').length < kills) {
    // The chaos itself; nothing is awaited with it.
    await pause(300 + random() * 1200)
    await ledger.untilOpen(1)
    const open = ledger.open
    server.signal('SIGKILL')
    await server.ended
    log.push({ kind: 'working', open, ...(await examine()) })
    if (random() < 0.25) {
      await killWhileStarting(database, random() * 1000)
      log.push({ kind: 'starting', open: 0, ...(await examine()) })
    }
    server = await startServer({ database, flags })
    url = server.url
  }
  await publishers.stop()
  const drainsFrom = performance.now()
  await until('every delivery comes to its end', () => isDrained(url), 90_000)
  print(`drained ${Math.round(performance.now() - drainsFrom)} ms after the last publish`)

  const exposedIn = countByDelivery(log.map((kill) => kill.exposed))
  const read = await readAll(url, publishers.acknowledged)
  report({ log, ledger, publishers, read, exposedIn })
  checkAcknowledged(publishers.acknowledged, ledger)
  checkOutcomes(read, { deserved, ledger, acknowledged: publishers.acknowledged })
  checkDuplicates(read, ledger, exposedIn)
  for (const { open, exposed, kind } of log) {
    if (kind !== 'working') continue
    expect(open, 'requests open at a kill').toBeGreaterThan(0)
    expect(exposed.size, 'requests sent and unrecorded at a kill').toBeGreaterThan(0)
  }
  server.signal('SIGTERM')
  expect(await server.ended).toEqual({ code: 0, signal: null })
})

function answerOf(path: string, requestNo: number, random: () => number): Reply {
  const { statuses } = receivers.find((receiver) => receiver.path === path) as Deserved
  const status = statuses[Math.min(requestNo, statuses.length) - 1] as number
  return { status, afterMs: path === '/stall' ? 200 + random() * 400 : 0 }
}

/** What each endpoint deserves, by its id. */
async function createEndpoints(url: string, ledger: Ledger): Promise<ReadonlyMap<string, Deserved>> {
  const byId = new Map<string, Deserved>()
  for (const receiver of receivers) {
    const { path, topics } = receiver
    const body = { url: ledger.url + path, topics, retry_policy: retryPolicy }
    byId.set((await ask(url, '/v1/endpoints', { body })).id, receiver)
  }
  return byId
}

/** To be called at each death, before the next life begins. */
function createExaminer(database: string, ledger: Ledger) {
  let before = new Map<string, number>()
  return async () => {
    const leased = new Set(readLeases(database).keys())
    await ledger.untilDeserted()
    const heard = new Map(Array.from(ledger.entries.values(), (entry) => [entry.deliveryId, entry.requests]))
    const exposed = new Set([...leased].filter((id) => (heard.get(id) ?? 0) > (before.get(id) ?? 0)))
    before = heard
    return { leased, exposed }
  }
}

async function killWhileStarting(database: string, afterMs: number): Promise<void> {
  const server = spawnServer({ database, flags })
  await pause(afterMs)
  server.signal('SIGKILL')
  await server.ended
}

function countByDelivery(sets: readonly ReadonlySet<string>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const ids of sets) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

type Read = ReadonlyMap<string, readonly ReadDelivery[]>

async function readAll(url: string, acknowledged: ReadonlyMap<string, Acknowledged>): Promise<Read> {
  const read = new Map<string, readonly ReadDelivery[]>()
  await forEachOf(acknowledged.values(), 8, async ({ eventId }) => {
    read.set(eventId, await deliveriesOf(url, eventId))
  })
  return read
}

/** One event per key, all of them known to their publisher, and each with the bytes that were published. */
function checkAcknowledged(acknowledged: ReadonlyMap<string, Acknowledged>, ledger: Ledger): void {
  const byEvent = new Map(Array.from(acknowledged.values(), (event) => [event.eventId, event]))
  expect(byEvent.size, 'events, of as many keys').toBe(acknowledged.size)
  for (const { eventId, bodies } of ledger.entries.values()) {
    expect([...bodies], `bytes of ${eventId}`).toEqual([byEvent.get(eventId)?.digest])
  }
}

interface Expectation {
  readonly deserved: ReadonlyMap<string, Deserved>
  readonly ledger: Ledger
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
}

/** Every delivery arrived and ended as its receiver deserves, with exactly the attempts that this takes. */
function checkOutcomes(read: Read, { deserved, ledger, acknowledged }: Expectation): void {
  for (const { eventId, deliveryIds, topic } of acknowledged.values()) {
    const deliveries = read.get(eventId) ?? []
    expect(deliveries.map((delivery) => delivery.id).toSorted()).toEqual([...deliveryIds].toSorted())
    expect(deliveries, topic).toHaveLength(topic === 'crash.stall' ? 5 : 4)
    for (const { id, endpoint_id, state, attempts } of deliveries) {
      const { path, ...receiver } = deserved.get(endpoint_id) as Deserved
      const statuses = attempts.map((attempt) => attempt.http_status)
      expect({ path, id, state }).toEqual({ path, id, state: receiver.state })
      // How `/recover` answers goes by requests, so one that was lost may cost it an attempt less.
      if (path !== '/recover') expect(statuses, `${path} ${id}`).toEqual(receiver.statuses)
      else expect(statuses.at(-1)).toBe(200)
      const accepted = ledger.entries.get(id)?.accepted ?? 0
      if (state === 'succeeded') expect(accepted, `receipts of ${id}`).toBeGreaterThan(0)
    }
  }
}

/** See the top of this file. */
function checkDuplicates(read: Read, ledger: Ledger, exposedIn: ReadonlyMap<string, number>): void {
  for (const deliveries of read.values()) {
    for (const { id, attempts } of deliveries) {
      const requests = ledger.entries.get(id)?.requests ?? 0
      // On a machine that has no time an attempt may end before its request is heard, and then nobody has answered it.
      const answered = attempts.filter(({ http_status }) => http_status !== null)
      expect(requests, `requests of ${id}`).toBeGreaterThanOrEqual(answered.length)
      expect(requests, `requests of ${id}`).toBeLessThanOrEqual(attempts.length + (exposedIn.get(id) ?? 0))
    }
  }
}

interface Findings {
  readonly log: readonly Kill[]
  readonly ledger: Ledger
  readonly publishers: { readonly acknowledged: ReadonlyMap<string, Acknowledged> } & Readonly<
    Record<'unanswered' | 'replayed', number>
  >
  readonly read: Read
  readonly exposedIn: ReadonlyMap<string, number>
}

function report({ log, ledger, publishers, read, exposedIn }: Findings): void {
  const deliveries = [...read.values()].flat()
  const entries = [...ledger.entries.values()]
  const receipts = sum(entries.map((entry) => entry.accepted))
  const duplicates = sum(entries.map((entry) => Math.max(0, entry.accepted - 1)))
  const attempts = sum(deliveries.map((delivery) => delivery.attempts.length))
  const working = log.filter((kill) => kill.kind === 'working')
  const numbers = (values: readonly number[]) => values.join(' ')
  print(`kills ${working.length}, and ${log.length - working.length} more while it started`)
  print(`requests open at each kill: ${numbers(working.map((kill) => kill.open))}`)
  print(`leased and unrecorded at each kill: ${numbers(working.map((kill) => kill.leased.size))}`)
  print(`of them heard by their receiver: ${numbers(working.map((kill) => kill.exposed.size))}`)
  print(
    `events acknowledged ${publishers.acknowledged.size}, calls without an answer ${publishers.unanswered}`,
  )
  print(`answers lost after the commit and replayed ${publishers.replayed}`)
  for (const { path, state } of receivers) {
    const heard = entries.filter((entry) => entry.path === path).length
    print(`${path}: ${heard} deliveries heard, all of them ${state}`)
  }
  print(`requests heard ${ledger.requests}, attempts recorded ${attempts}, receipts ${receipts}`)
  const leasedIn = countByDelivery(log.map((kill) => kill.leased))
  print(`most kills that found the same delivery leased: ${Math.max(...leasedIn.values())}`)
  print(`duplicates ${duplicates}, bound ${sum([...exposedIn.values()])}`)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function print(line: string): void {
  process.stdout.write(`crash: ${line}\n`)
}
