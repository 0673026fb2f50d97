import { describe, expect, test } from 'vitest'
import { createWrongTokens, networkOf } from '../../src/api/wrong-tokens.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { type Logger, silentLogger } from '../../src/core/logger.ts'
import type { Authentication } from '../../src/engine/authentication.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aServer } from './a-server.ts'

interface Line {
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

function aLog(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = []
  return { log: { ...silentLogger, warn: (fields, message) => void lines.push({ fields, message }) }, lines }
}

function aTable() {
  const clock = createManualClock()
  const { log, lines } = aLog()
  const counted: string[] = []
  const table = createWrongTokens({
    clock,
    log,
    metrics: { wrongToken: (reason) => void counted.push(reason) },
  })
  const refuse = (address = '192.0.2.1') =>
    table.refuse({ address, digest: 'x' }, new OuthookError('unauthorized', 'unknown token'))
  const statuses = (count: number, address?: string) =>
    Array.from({ length: count }, () => refuse(address).status)
  return { clock, lines, counted, table, refuse, statuses }
}

test('3000 wrong tokens are counted, logged and slowed, and a valid one from the same address is let in all the while', async () => {
  const { log, lines } = aLog()
  const server = await aServer({ logger: log })
  const { key } = await server.producer()
  const answers: number[] = []
  for (let round = 0; round < 30; round++) {
    const wrong = Array.from({ length: 100 }, (_, n) =>
      server.call('GET', '/v1/whoami', { token: `hk_wrong_${round}_${n}` }),
    )
    for (const { status, headers, json } of await Promise.all(wrong)) {
      answers.push(status)
      if (status !== 429) continue
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(10)
      expect(json).toMatchObject({
        title: 'rate limited',
        detail: expect.stringContaining('unknown or revoked'),
      })
    }
    expect((await server.call('GET', '/v1/whoami', { token: key })).status).toBe(200)
  }
  expect((await server.call('GET', '/v1/keys')).status).toBe(200)
  const slowed = answers.filter((status) => status === 429).length
  const unknown = answers.filter((status) => status === 401).length
  expect(unknown + slowed).toBe(3000)
  expect(unknown).toBeGreaterThanOrEqual(100)
  expect(slowed).toBeGreaterThan(1000)
  const metrics = await server.metrics.render()
  expect(metrics).toContain(`outhook_refused_credentials_total{reason="unknown"} ${unknown}`)
  expect(metrics).toContain(`outhook_refused_credentials_total{reason="slowed"} ${slowed}`)
  await server.close()
  const told = lines.filter(({ message }) => message === 'requests with unknown or revoked tokens')
  expect(told.reduce((sum, { fields }) => sum + Number(fields.count), 0)).toBe(3000)
  expect(told[0]?.fields).toMatchObject({ addresses: 1, most_from: '127.0.0.1' })
  expect(JSON.stringify(lines)).not.toContain('hk_')
})

test('publishing with a wrong token is slowed too, and a request without one is counted apart', async () => {
  const server = await aServer()
  const body = { topic: 'a', payload: 1 }
  const publish = (token: string | null) => server.call('POST', '/v1/events', { token, body })
  for (let n = 0; n < 110; n++) expect([401, 429]).toContain((await publish('hk_x')).status)
  expect((await publish(null)).status).toBe(401)
  expect(await server.metrics.render()).toContain('outhook_refused_credentials_total{reason="missing"} 1')
})

describe('wrong tokens', () => {
  test('of one address are slowed after a hundred, and others are not', () => {
    const { statuses } = aTable()
    expect(new Set(statuses(100))).toEqual(new Set([401]))
    expect(new Set(statuses(50))).toEqual(new Set([429]))
    expect(statuses(1, '192.0.2.2')).toEqual([401])
  })

  test('are slowed for no more than ten seconds after the last', async () => {
    const { statuses, refuse, clock } = aTable()
    statuses(5000)
    expect(refuse().retryAfterSeconds).toBe(10)
    await clock.advance(11_000)
    expect(refuse().status).toBe(401)
  })

  test('from one /64 of IPv6 count together', () => {
    const { statuses } = aTable()
    for (let n = 0; n < 100; n++) statuses(1, `2001:db8:1:2::${n.toString(16)}`)
    expect(statuses(1, '2001:db8:1:2:ffff::')).toEqual([429])
    expect(statuses(1, '2001:db8:1:3::1')).toEqual([401])
  })

  test('are told once a minute, with their number', async () => {
    const { statuses, lines, clock } = aTable()
    for (let second = 0; second < 130; second++) {
      statuses(10)
      await clock.advance(1000)
    }
    expect(lines.map(({ fields }) => fields.count)).toEqual([10, 600, 600])
    await clock.advance(600_000)
    expect(lines.reduce((sum, { fields }) => sum + Number(fields.count), 0)).toBe(1300)
    const told = lines.length
    await clock.advance(600_000)
    expect(lines).toHaveLength(told)
  })

  test('of ever new addresses fill no memory: the oldest are forgotten', () => {
    const { statuses } = aTable()
    statuses(150)
    for (let n = 0; n < 10_000; n++) statuses(1, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    expect(statuses(1)).toEqual([401])
  })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:0:00ab:1:2:3:4', '2001:db8:0:ab::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('%j counts as %j', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

describe('look-ups for an address that is slowed', () => {
  async function aCountingServer() {
    const asked: number[] = []
    const server = await aServer({
      keyCacheMs: 0,
      wrapEngine: (engine) => ({
        ...engine,
        authentication: {
          authenticate: (tokens: readonly string[]) => {
            asked.push(tokens.length)
            return engine.authentication.authenticate(tokens)
          },
        } as unknown as Authentication,
      }),
    })
    const whoami = (token: string) => server.call('GET', '/v1/whoami', { token })
    await Promise.all(Array.from({ length: 150 }, (_, n) => whoami(`hk_first_${n}`)))
    expect(asked.length).toBeGreaterThanOrEqual(100)
    asked.length = 0
    return { server, whoami, asked }
  }

  test('cost nothing for a token that was wrong a moment ago', async () => {
    const { whoami, asked } = await aCountingServer()
    for (let n = 0; n < 50; n++) expect((await whoami('hk_first_7')).status).toBe(429)
    expect(asked).toEqual([])
  })

  test('are one call for many tokens, and find the right one among them', async () => {
    const { server, whoami, asked } = await aCountingServer()
    const { key } = await server.producer()
    const wrong = Array.from({ length: 200 }, (_, n) => whoami(`hk_second_${n}`))
    const right = await Promise.all(Array.from({ length: 5 }, () => whoami(key)))
    expect(right.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(new Set((await Promise.all(wrong)).map(({ status }) => status))).toEqual(new Set([429]))
    expect(asked.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(201)
    expect(asked.length).toBeLessThan(50)
  })

  test('say 503 to a right token while the store is away, and let it in afterwards', async () => {
    const { server, whoami } = await aCountingServer()
    const { key } = await server.producer()
    server.setStoreDown(true)
    expect((await whoami(key)).status).toBe(503)
    expect((await server.call('GET', '/v1/whoami')).status).toBe(200)
    server.setStoreDown(false)
    expect((await whoami(key)).status).toBe(200)
  })
})
