import { expect, onTestFinished, test } from 'vitest'
import { Outhook, type StreamItem, type StreamMissed, type StreamOptions } from '../../src/index.ts'

async function aLibrary() {
  const hooks = await Outhook.open({ store: 'memory:', dispatch: false })
  onTestFinished(() => hooks.close())
  return hooks
}

/** The next of a loop; `act` again and again, until something of it is told. */
async function nextOf(stream: AsyncGenerator<StreamItem | StreamMissed>, act: () => Promise<unknown>) {
  let isTold = false
  const next = stream.next().finally(() => {
    isTold = true
  })
  while (!isTold) await act()
  return next
}

test('a program is told of what happens in its tenant, or in all', async () => {
  const hooks = await aLibrary()
  const tenant = await hooks.tenants.create({ uid: 'acme' })
  const acme = hooks.tenant('acme')
  const publishBoth = async () => {
    await hooks.publish({ topic: 'users.created', payload: 1 })
    await acme.publish({ topic: 'orders.created', payload: 1 })
  }
  const own = await nextOf(hooks.stream({ kinds: ['event'] }), publishBoth)
  expect(own.value).toMatchObject({ kind: 'event', topic: 'users.created' })
  const others = await nextOf(acme.stream(), publishBoth)
  expect(others.value).toMatchObject({ kind: 'event', topic: 'orders.created', tenantId: tenant.id })
  const all = await nextOf(hooks.stream({ allTenants: true, topicPattern: 'orders.*' }), publishBoth)
  expect(all.value).toMatchObject({ kind: 'event', topic: 'orders.created', tenantId: tenant.id })
})

test('a loop ends with the store, and at once with its signal', async () => {
  const hooks = await aLibrary()
  const controller = new AbortController()
  const aborted = hooks.stream({ signal: controller.signal }).next()
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  const stream = hooks.stream({ kinds: ['event'] })
  await nextOf(stream, () => hooks.publish({ topic: 'a', payload: 1 }))
  await hooks.close()
  const rest = []
  for await (const item of stream) rest.push(item)
  expect(rest.every(({ kind }) => kind === 'event' || kind === 'missed')).toBe(true)
})

test('a loop that is slow is told how much it was not told, and keeps no more than 1000', async () => {
  const hooks = await aLibrary()
  const stream = hooks.stream({ kinds: ['event'] })
  await nextOf(stream, () => hooks.publish({ topic: 'first', payload: 1 }))
  const events = Array.from({ length: 100 }, () => ({ topic: 'a', payload: 1 }))
  for (let batch = 0; batch < 30; batch++) await hooks.publishMany(events)
  await hooks.publish({ topic: 'last', payload: 1 })
  let told = 0
  let missed = 0
  for await (const item of stream) {
    if (item.kind === 'missed') missed += item.count ?? 0
    else if (item.kind === 'event' && item.topic === 'a') told++
    if (told + missed >= 3000) break
  }
  expect(missed).toBeGreaterThan(0)
  expect(told).toBeLessThanOrEqual(1100)
})

test.each([
  ['a kind that there is not', { kinds: ['nothing'] }, 'kinds has "nothing"'],
  ['a pattern that matches nothing', { topicPattern: 'a*' }, 'topicPattern can never match'],
  ['an option that there is not', { topics: ['a'] }, 'no option topics'],
])('refuses %s', async (_what, options, message) => {
  const hooks = await aLibrary()
  await expect(hooks.stream(options as StreamOptions).next()).rejects.toThrow(message)
})
