/**
 * Jobs whose process is killed in the middle, each kind, on both stores: counted at a real receiver. The endpoints are
 * disabled until the jobs are done, so what arrives is what the jobs did, and not what a killed attempt sent twice.
 */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startReceiver } from '../../src/testing/receiver.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { testedServers } from '../servers/postgres.ts'
import { ask } from './api-calls.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const count = 150
/** A job takes six seconds or more: time to be killed in. */
const rate = 25

async function aScene(database: string, env: Readonly<Record<string, string>> = {}) {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  let server = await startServer({ database, env })
  const api = (path: string, body?: unknown, method?: string) =>
    ask(server.url, path, { ...(body !== undefined && { body }), ...(method !== undefined && { method }) })

  const anEndpoint = (path: string, topic: string) =>
    api('/v1/endpoints', { url: `${receiver.url}${path}`, topics: [topic] })
  const change = (id: string, body: object) => api(`/v1/endpoints/${id}`, body, 'PATCH')
  const publish = (topic: string) =>
    api('/v1/events/batch', { events: Array.from({ length: count }, (_, n) => ({ topic, payload: { n } })) })
  const stateOf = async (id: string) => (await api(`/v1/jobs/${id}`)) as Record<string, number | string>

  return {
    receiver,
    api,
    anEndpoint,
    change,
    publish,
    stateOf,
    server: () => server,
    useServer(next: ServerProcess) {
      server = next
    },
    arrivals: (path: string) => receiver.received.filter((request) => request.path === path),
  }
}

type JobScene = Awaited<ReturnType<typeof aScene>>

/** One job of each kind, with what it is about; none has begun to send. */
async function startJobs(scene: JobScene) {
  const { api, anEndpoint, change, publish, receiver } = scene
  const replayed = await anEndpoint('/status/400', 'replayed')
  await publish('replayed')
  await expect
    .poll(async () => (await api('/v1/dlq/replay', { endpoint_id: replayed.id, dry_run: true })).matching, {
      timeout: patienceMs,
    })
    .toBe(count)
  await change(replayed.id, { enabled: false, url: `${receiver.url}/replayed` })
  const cancelled = await anEndpoint('/cancelled', 'cancelled')
  await change(cancelled.id, { enabled: false })
  const skipped = await anEndpoint('/skipped', 'skipped')
  await change(skipped.id, { enabled: false })
  const kept = await anEndpoint('/kept', 'cancelled')
  await change(kept.id, { enabled: false })
  for (const topic of ['cancelled', 'skipped', 'filled']) await publish(topic)
  const filled = await anEndpoint('/filled', 'filled')
  await change(filled.id, { enabled: false })
  const jobs = [
    await api('/v1/dlq/replay', { endpoint_id: replayed.id, rate }),
    await api('/v1/deliveries/cancel', { endpoint_id: cancelled.id, rate }),
    await api(`/v1/endpoints/${filled.id}/backfill`, { since: '2020-01-01T00:00:00Z', rate }),
  ]
  // It has no rate, and may be done before the process dies.
  const skip = await api(`/v1/endpoints/${skipped.id}/enable`, { backlog: 'skip' })
  return {
    jobs: jobs.map(({ id }) => id as string),
    skip: skip.id as string,
    endpoints: [replayed, cancelled, kept, filled],
  }
}

/** Until each of the jobs is in the middle. */
async function untilHalfway({ stateOf }: JobScene, jobs: readonly string[], least: number): Promise<void> {
  for (const id of jobs) {
    await expect
      .poll(async () => (await stateOf(id)).done, { interval: 10, timeout: patienceMs })
      .toBeGreaterThanOrEqual(least)
  }
}

async function areRunning({ stateOf }: JobScene, jobs: readonly string[]): Promise<void> {
  for (const id of jobs) expect(await stateOf(id)).toMatchObject({ state: 'running' })
}

async function untilDone(
  scene: JobScene,
  { jobs, skip, endpoints }: Awaited<ReturnType<typeof startJobs>>,
): Promise<void> {
  const { stateOf, change, receiver, arrivals } = scene
  for (const id of [...jobs, skip]) {
    await expect.poll(async () => (await stateOf(id)).state, { timeout: patienceMs }).toBe('done')
    expect(await stateOf(id)).toMatchObject({ total: count, done: count, skipped: 0, error: null })
  }
  for (const { id } of endpoints) await change(id, { enabled: true })
  await receiver.waitFor(
    () => ['/replayed', '/filled', '/kept'].every((path) => arrivals(path).length >= count),
    patienceMs,
  )
  for (const path of ['/replayed', '/filled', '/kept']) {
    const ids = arrivals(path).map(({ deliveryId }) => deliveryId)
    expect([path, ids.length, new Set(ids).size]).toEqual([path, count, count])
  }
  expect([...arrivals('/cancelled'), ...arrivals('/skipped')]).toEqual([])
}

async function kill(server: ServerProcess): Promise<void> {
  server.signal('SIGKILL')
  await server.ended
}

test('SQLite: jobs of each kind that are killed twice in the middle do each delivery once', async () => {
  const database = join(aDirectory(), 'hooks.db')
  const scene = await aScene(database)
  const started = await startJobs(scene)
  for (const least of [10, 50]) {
    await untilHalfway(scene, started.jobs, least)
    // A busy machine may be too late for the second time.
    if (least === 10) await areRunning(scene, started.jobs)
    await kill(scene.server())
    scene.useServer(await startServer({ database }))
  }
  await untilDone(scene, started)
})

test('PostgreSQL: jobs of each kind whose node is killed in the middle are taken over by another, and do each delivery once', async () => {
  const newest = testedServers().at(-1)
  if (newest === undefined) throw new Error('no server to test on')
  const postgres = await newest.start()
  onTestFinished(() => postgres.stop())
  const env = { OUTHOOK_MASTER_KEY: '7'.repeat(64) }
  const scene = await aScene(postgres.url, env)
  const started = await startJobs(scene)
  await untilHalfway(scene, started.jobs, 10)
  // The first node has all of them, and does not live to see the second one.
  const starting = startServer({ database: postgres.url, env })
  await untilHalfway(scene, started.jobs, 20)
  await areRunning(scene, started.jobs)
  await kill(scene.server())
  scene.useServer(await starting)
  await untilDone(scene, started)
})
