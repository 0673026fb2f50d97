/** Whose turn it is among the URLs of an endpoint, and which are left alone. */
import { expect, test } from 'vitest'
import { UrlPool, UrlPools } from '../../src/destinations/http/url-pool.ts'

const urls = ['a', 'b', 'c'].map((href) => ({ href }))
const [a, b, c] = urls as [(typeof urls)[0], (typeof urls)[0], (typeof urls)[0]]
const namesOf = (order: readonly { readonly href: string }[]) => order.map(({ href }) => href).join('')

test('each request begins with the URL after the one before', () => {
  const pool = new UrlPool()
  expect([1, 2, 3, 4].map(() => namesOf(pool.inOrder(urls, 0)))).toEqual(['abc', 'bca', 'cab', 'abc'])
})

test('one that could not be reached comes last until its rest is over, then one request tries it', () => {
  const pool = new UrlPool()
  pool.notReached(a, 0)
  const meanwhile = [1, 2, 3, 4].map(() => namesOf(pool.inOrder(urls, 4999)))
  expect(meanwhile, 'the others get alike of its requests').toEqual(['bca', 'cba', 'bca', 'cba'])
  const later = [1, 2, 3].map(() => namesOf(pool.inOrder(urls, 5000)))
  expect(later).toEqual(['abc', 'bca', 'cba'])
})

test('the rest doubles up to a minute, and is over with the first answer', () => {
  const pool = new UrlPool()
  const twice = (now: number) => [1, 2].map(() => namesOf(pool.inOrder([a, b], now)))
  let now = 0
  for (const restMs of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    pool.notReached(a, now)
    expect(twice(now + restMs - 1)).toEqual(['ba', 'ba'])
    now += restMs
    expect(twice(now)).toContain('ab')
  }
  pool.reached(a)
  expect(twice(now)).toEqual(expect.arrayContaining(['ab', 'ba']))
  pool.notReached(a, now)
  expect(twice(now + 5000)).toContain('ab')
})

test('where all rest, the one whose rest ends first is tried first', () => {
  const pool = new UrlPool()
  pool.notReached(b, 0)
  pool.notReached(c, 1)
  pool.notReached(a, 2)
  expect(namesOf(pool.inOrder(urls, 10))).toBe('bca')
})

test('what is known of a URL is forgotten with it', () => {
  const pool = new UrlPool()
  pool.notReached(a, 0)
  pool.inOrder([b, c], 1)
  expect(namesOf(pool.inOrder([a], 2))).toBe('a')
  pool.inOrder([b, a], 2)
  expect(namesOf(pool.inOrder([a, b], 2))).toBe('ab')
})

test('each endpoint has a pool of its own, which stays', () => {
  const pools = new UrlPools()
  expect(pools.of('ep_a')).toBe(pools.of('ep_a'))
  expect(pools.of('ep_a')).not.toBe(pools.of('ep_b'))
})
