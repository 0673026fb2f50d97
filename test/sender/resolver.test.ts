import { expect, test } from 'vitest'
import { type ResolvedAddress, Resolver } from '../../src/sender/resolver.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const answer: readonly ResolvedAddress[] = [{ address: '192.0.2.1', family: 4 }]

/** A name server that answers when told to. */
function aNameServer() {
  const open = new Map<string, { resolve: () => void; reject: () => void }>()
  const asked: string[] = []
  return {
    asked,
    lookup: (hostname: string) => {
      asked.push(hostname)
      return new Promise<readonly ResolvedAddress[]>((resolve, reject) => {
        open.set(hostname, {
          resolve: () => resolve(answer),
          reject: () => reject(new Error('no such name')),
        })
      })
    },
    answer: (hostname: string) => open.get(hostname)?.resolve(),
    refuse: (hostname: string) => open.get(hostname)?.reject(),
  }
}

test('callers who ask at the same time share one lookup', async () => {
  const server = aNameServer()
  const resolver = new Resolver({ clock: createManualClock(), lookup: server.lookup })
  const both = Promise.all([resolver.resolve('a.test'), resolver.resolve('a.test')])
  server.answer('a.test')
  expect(await both).toEqual([answer, answer])
  expect(server.asked).toEqual(['a.test'])
})

test('an answer is kept for five seconds', async () => {
  const clock = createManualClock()
  let lookups = 0
  const lookup = async () => {
    lookups++
    return answer
  }
  const resolver = new Resolver({ clock, lookup })
  await resolver.resolve('a.test')
  await clock.advance(4999)
  await resolver.resolve('a.test')
  expect(lookups).toBe(1)
  await clock.advance(1)
  await resolver.resolve('a.test')
  expect(lookups).toBe(2)
})

test('a failure is kept for five seconds too', async () => {
  const clock = createManualClock()
  let lookups = 0
  const lookup = async () => {
    lookups++
    throw new Error('no such name')
  }
  const resolver = new Resolver({ clock, lookup })
  await expect(resolver.resolve('a.test')).rejects.toThrow()
  await expect(resolver.resolve('a.test')).rejects.toThrow()
  expect(lookups).toBe(1)
  await clock.advance(5000)
  await expect(resolver.resolve('a.test')).rejects.toThrow()
  expect(lookups).toBe(2)
})

test('names that do not answer hold no more threads than they may, and the next takes over a free one', async () => {
  const server = aNameServer()
  const resolver = new Resolver({ clock: createManualClock(), lookup: server.lookup, maxDoubtful: 2 })
  const first = resolver.resolve('dead1.test').catch(() => 'failed')
  resolver.resolve('dead2.test').catch(() => {})
  const third = resolver.resolve('new.test')
  expect(server.asked).toEqual(['dead1.test', 'dead2.test'])
  server.refuse('dead1.test')
  expect(await first).toBe('failed')
  expect(server.asked).toEqual(['dead1.test', 'dead2.test', 'new.test'])
  server.answer('new.test')
  expect(await third).toEqual(answer)
})

test('a name that answered promptly before does not wait behind names that do not answer', async () => {
  const clock = createManualClock()
  const server = aNameServer()
  const resolver = new Resolver({ clock, lookup: server.lookup, maxDoubtful: 1 })
  const good = resolver.resolve('good.test')
  server.answer('good.test')
  await good
  await clock.advance(6000)
  resolver.resolve('dead.test').catch(() => {})
  const again = resolver.resolve('good.test')
  expect(server.asked).toEqual(['good.test', 'dead.test', 'good.test'])
  server.answer('good.test')
  expect(await again).toEqual(answer)
})

test('a name that was slow to answer waits with the doubtful ones the next time', async () => {
  const clock = createManualClock()
  const server = aNameServer()
  const resolver = new Resolver({ clock, lookup: server.lookup, maxDoubtful: 1 })
  const slow = resolver.resolve('slow.test')
  await clock.advance(1000)
  server.answer('slow.test')
  await slow
  await clock.advance(6000)
  resolver.resolve('dead.test').catch(() => {})
  resolver.resolve('slow.test').catch(() => {})
  expect(server.asked).toEqual(['slow.test', 'dead.test'])
})
