/** Work that outlives its process costs nothing while there is none, where nobody else can make any. */
import { expect, test } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anApp, tenant } from '../delivery/an-app.ts'

const watched = ['takeJob', 'removeDeletedTenants', 'fanOutSlice'] as const

/** An engine on a clock of the test's own, and what it asks of its store. */
async function anEngine() {
  const clock = createManualClock()
  const asked: string[] = []
  const wrapStore = (store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...given: unknown[]) => {
          if (watched.some((each) => each === name)) asked.push(String(name))
          return member.apply(target, given)
        }
      },
    })
  const { engine } = await anApp({ clock, wrapStore })
  /** Time goes on until `isSo`. */
  const until = async (isSo: () => Promise<boolean>) => {
    await expect
      .poll(async () => {
        await clock.advance(500)
        return isSo()
      })
      .toBe(true)
  }
  /** What is asked for in an hour in which nothing is to be done. */
  const askedWhenIdle = async () => {
    await clock.advance(60_000)
    asked.length = 0
    await clock.advance(3_600_000)
    return [...asked]
  }
  return { engine, asked, until, askedWhenIdle }
}

test('on SQLite, jobs, removals of tenants and events for many are looked for at the start and when told, and never else', async () => {
  const { engine, asked, until, askedWhenIdle } = await anEngine()
  await expect.poll(() => [...new Set(asked)].sort()).toEqual([...watched].sort())
  expect(await askedWhenIdle()).toEqual([])

  const job = await engine.jobs.replayDeadLetters(tenant, { all: true })
  await until(async () => (await engine.jobs.get(tenant, job.id)).state === 'done')
  const { id } = await engine.tenants.create({ uid: 'gone' })
  await engine.tenants.delete(id)
  await until(() =>
    engine.tenants.get(id).then(
      () => false,
      () => true,
    ),
  )
  expect(await askedWhenIdle()).toEqual([])
})
