/** What becomes of a job when its store refuses some of its deliveries, by a trigger that somebody has put into the file. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aDirectory, anApp, anEndpointAt, aReceiver, publish, tenant } from '../delivery/an-app.ts'

const page = { limit: 100 }

/** Dead letters in a file whose trigger refuses to let some of them go, and a job that replays all. */
async function aJob({ letters, refused }: { letters: number; refused: 'third' | 'all' }) {
  const store = `sqlite:${join(aDirectory(), 'jobs.db')}`
  const { url } = await aReceiver()
  const before = await anApp({ store })
  await anEndpointAt(before.engine, `${url}/status/400`, { topics: ['a'] })
  for (let n = 0; n < letters; n++) await publish(before.engine, { topic: 'a' })
  await before.attempted(letters)
  const dead = async () => (await before.engine.deadLetters.list(tenant, {}, page)).items
  await expect.poll(async () => (await dead()).length).toBe(letters)
  await before.close()
  const database = new DatabaseSync(store.slice('sqlite:'.length))
  const third = database.prepare('select k from deliveries order by k limit 1 offset 2').get()?.k
  database.exec(`create trigger refuses before delete on deliveries when ${refused === 'all'} or old.k = ${third}
    begin select raise(abort, 'this one stays'); end`)
  database.close()

  const clock = createManualClock(Date.now())
  const { engine } = await anApp({ store, clock, dispatch: false })
  const { id } = await engine.jobs.replayDeadLetters(tenant, { all: true })
  await expect
    .poll(async () => {
      await clock.advance(1000)
      return (await engine.jobs.get(tenant, id)).endedAt
    })
    .not.toBeNull()
  const left = await engine.deadLetters.list(tenant, {}, page)
  return { job: await engine.jobs.get(tenant, id), left: left.items.length }
}

test('a delivery that the store refuses is counted as failed, and the job does the others', async () => {
  const { job, left } = await aJob({ letters: 5, refused: 'third' })
  expect(job).toMatchObject({ state: 'done', total: 5, done: 4, failed: 1, skipped: 0 })
  expect(job.error).toContain('this one stays')
  expect(left).toBe(1)
})

test('a job of which the store refuses one delivery after the other fails, with the reason', async () => {
  const { job, left } = await aJob({ letters: 12, refused: 'all' })
  expect(job).toMatchObject({ state: 'failed', total: 12, done: 0, failed: 10 })
  expect(job.error).toContain('this one stays')
  expect(left).toBe(12)
})
