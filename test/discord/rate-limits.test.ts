import { describe, expect, test } from 'vitest'
import { DiscordRateLimits } from '../../src/discord/rate-limits.ts'
import type { AttemptResult } from '../../src/sender/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aDiscord, aJumpingClock, aWebhook } from './a-discord.ts'

const limited = (body: string, headers: Record<string, string> = {}) => ({ status: 429, headers, body })
const contents = (count: number) => Array.from({ length: count }, (_, index) => String(index))

test('the headers of one send hold back the next, so that no 429 comes', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 5, perMs: 2000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  for (const content of contents(23))
    expect(await webhook.send(content)).toMatchObject({ ok: true, attempts: 1 })
  expect(discord.total429).toBe(0)
  expect(clock.elapsed()).toBeGreaterThanOrEqual(4 * 2000)
})

test('sends at the same time share the slots that the headers leave', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 5, perMs: 2000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  const results = await Promise.all(contents(60).map((content) => webhook.send(content)))
  expect(results.filter(({ ok, attempts }) => ok && attempts === 1).length).toBe(60)
  expect(discord.total429).toBe(0)
})

test('each webhook has a bucket of its own', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 5, perMs: 2000 } })
  const urls = [discord.createWebhook(), discord.createWebhook()]
  const webhook = aWebhook(urls, { clock })
  for (const content of contents(10)) await webhook.send(content)
  expect(clock.waits.filter((ms) => ms > 100)).toEqual([])
})

test('editing and deleting do not use up the slots of sending', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 3, perMs: 2000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock, wait: true })
  const sent = await webhook.send('1')
  for (const content of contents(3)) await webhook.edit(sent, content)
  await webhook.delete(sent)
  for (const content of contents(2)) await webhook.send(content)
  expect(clock.waits.filter((ms) => ms > 100)).toEqual([])
  expect(discord.total429).toBe(0)
})

test('two objects with the same URL and rate limits share the bucket', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 4, perMs: 2000 } })
  const url = discord.createWebhook()
  const rateLimits = new DiscordRateLimits({ clock })
  const webhooks = [aWebhook(url, { clock, rateLimits }), aWebhook(url, { clock, rateLimits })]
  await Promise.all(contents(20).map((content, index) => webhooks[index % 2]?.send(content)))
  expect(discord.total429).toBe(0)
})

test('D2: after a 429 everyone waits as long as its body says, and a little longer', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, tellsLimits: false, bucket: { limit: 100, perMs: 1000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  discord.script(limited('{"message":"x","retry_after":1.5,"global":false}'))
  expect(await webhook.send('x')).toMatchObject({ ok: true, attempts: 2 })
  const [first, second] = discord.requests
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1550)
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(1700)
})

test('a 429 on everything holds back the other webhooks too', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 100, perMs: 1000 } })
  const rateLimits = new DiscordRateLimits({ clock })
  const options = { clock, rateLimits }
  let isRefused = () => {}
  const refusal = new Promise<void>((resolve) => {
    isRefused = resolve
  })
  const one = aWebhook(discord.createWebhook(), { ...options, hooks: { onAttempt: () => isRefused() } })
  const other = aWebhook(discord.createWebhook(), options)
  discord.script(limited('{"retry_after":2,"global":true}', { 'x-ratelimit-global': 'true' }))
  const first = one.send('1')
  await refusal
  await Promise.all([first, other.send('2')])
  const [refused, ...later] = discord.requests
  for (const { at } of later) expect(at - (refused?.at ?? 0)).toBeGreaterThanOrEqual(2050)
})

test('the limit on everything is kept before Discord says so', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({
    clock,
    bucket: { limit: 100, perMs: 1000 },
    global: { limit: 50, perMs: 1000 },
  })
  const rateLimits = new DiscordRateLimits({ clock })
  const webhooks = contents(40).map(() => aWebhook(discord.createWebhook(), { clock, rateLimits }))
  const results = await Promise.all(
    webhooks.flatMap((webhook) => contents(5).map((content) => webhook.send(content))),
  )
  expect(results.filter(({ ok }) => ok).length).toBe(200)
  expect(discord.total429).toBe(0)
})

test('D2: a wait beyond the cap fails at once, and so do the next sends, without a request', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  discord.script(limited('{"retry_after":60,"global":false}'))
  expect(await webhook.send('1')).toMatchObject({
    ok: false,
    attempts: 1,
    errorCode: 'rate_limited',
    retryAfterMs: 60_000,
  })
  expect(await webhook.send('2')).toMatchObject({ ok: false, attempts: 0, errorCode: 'rate_limited' })
  expect(discord.requests.length).toBe(1)
  await clock.advance(61_000)
  expect(await webhook.send('3')).toMatchObject({ ok: true })
})

test.each([
  ['1e999', 1000],
  ['-1', 1000],
  ['"5"', 1000],
])(
  'a retry_after of %s says nothing: the webhook is closed for %i ms, not for ever',
  async (said, waitMs) => {
    const clock = aJumpingClock()
    const discord = await aDiscord({ clock, tellsLimits: false, bucket: { limit: 100, perMs: 1000 } })
    const webhook = aWebhook(discord.createWebhook(), { clock })
    discord.script(limited(`{"retry_after":${said},"global":false}`))
    expect(await webhook.send('x')).toMatchObject({ ok: true, attempts: 2 })
    const [first, second] = discord.requests
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(waitMs)
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(2000)
  },
)

test('a huge retry_after closes the webhook for a day at most', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  discord.script(limited('{"retry_after":1e300,"global":false}'))
  expect(await webhook.send('1')).toMatchObject({ ok: false, retryAfterMs: 86_400_000 })
  await clock.advance(86_401_000)
  expect(await webhook.send('2')).toMatchObject({ ok: true })
})

test('a 429 of Cloudflare, which is HTML, holds back every webhook of the address', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock })
  const rateLimits = new DiscordRateLimits({ clock })
  const one = aWebhook(discord.createWebhook(), { clock, rateLimits })
  const other = aWebhook(discord.createWebhook(), { clock, rateLimits })
  discord.script(limited('<html>error 1015</html>', { 'content-type': 'text/html', 'retry-after': '600' }))
  expect(await one.send('1')).toMatchObject({ ok: false, attempts: 1, retryAfterMs: 600_000 })
  expect(await other.send('2')).toMatchObject({ ok: false, attempts: 0, errorCode: 'rate_limited' })
})

test('a URL without a version, or with one whose waits are milliseconds, is asked as v10; others stay', async () => {
  const discord = await aDiscord({ bucket: { limit: 100, perMs: 1000 } })
  const plain = discord.createWebhook()
  for (const version of ['', 'v6/', 'v7/', 'v9/', 'v10/']) {
    const webhook = aWebhook(plain.replace('/api/', `/api/${version}`), { wait: true })
    const sent = await webhook.send('x')
    expect(sent).toMatchObject({ ok: true, url: plain.replace('/api/', `/api/${version}`) })
    await webhook.edit(sent, 'y')
    await webhook.delete(sent)
    await webhook.probe()
  }
  const versions = discord.requests.map(({ path }) => path.split('/')[2])
  const four = (version: string) => Array(4).fill(version)
  expect(versions).toEqual([...four('v10'), ...four('v10'), ...four('v10'), ...four('v9'), ...four('v10')])
})

test('an unknown bucket is tried by one request at a time', async () => {
  const clock = aJumpingClock(0)
  const discord = await aDiscord({ clock, bucket: { limit: 2, perMs: 2000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock })
  discord.hold()
  const sends = contents(5).map((content) => webhook.send(content))
  await discord.until(() => discord.arrived > 0)
  await clock.advance(1000)
  expect(discord.arrived).toBe(1)
  discord.release()
  const jumps = setInterval(() => void clock.advance(500), 5)
  await Promise.all(sends)
  clearInterval(jumps)
  expect(discord.total429).toBe(0)
})

test('a bucket whose answers tell no limits is not held back after the first', async () => {
  const discord = await aDiscord({ tellsLimits: false, bucket: { limit: 100, perMs: 1000 } })
  const webhook = aWebhook(discord.createWebhook())
  for (const content of contents(20))
    expect(await webhook.send(content)).toMatchObject({ ok: true, attempts: 1 })
})

test('a request that got no answer frees its slot', async () => {
  const clock = aJumpingClock()
  const discord = await aDiscord({ clock, bucket: { limit: 5, perMs: 2000 } })
  const webhook = aWebhook(discord.createWebhook(), { clock, maxRetries: 0 })
  discord.script(null, null, null)
  for (const content of contents(3)) expect(await webhook.send(content)).toMatchObject({ ok: false })
  expect(await webhook.send('there')).toMatchObject({ ok: true })
})

describe('one bucket, step by step', () => {
  const url = new URL('https://discord.example/api/webhooks/1/token')
  const answer = (remaining: number): AttemptResult => ({
    kind: 'response',
    httpStatus: 204,
    response: {
      headers: [
        ['x-ratelimit-limit', '5'],
        ['x-ratelimit-remaining', String(remaining)],
        ['x-ratelimit-reset-after', '1'],
      ],
      body: new Uint8Array(0),
      truncated: false,
    },
    retryAfter: null,
    latencyMs: 1,
  })
  const aPacer = () => {
    const clock = createManualClock()
    return { clock, pacer: new DiscordRateLimits({ clock }).pacerFor('POST') }
  }

  test('requests in flight count as not yet in what an answer says is left', () => {
    const { pacer } = aPacer()
    pacer.delayMs(url)
    pacer.observe(url, answer(4))
    for (let taken = 0; taken < 3; taken++) expect(pacer.delayMs(url)).toBe(0)
    // Others post through the same webhook: one is left, and two of ours are still on their way.
    pacer.observe(url, answer(1))
    expect(pacer.delayMs(url)).toBe(1010)
  })

  test('requests that are in flight at the end of a window take slots of the next', async () => {
    const { clock, pacer } = aPacer()
    pacer.delayMs(url)
    pacer.observe(url, answer(4))
    for (let taken = 0; taken < 4; taken++) expect(pacer.delayMs(url)).toBe(0)
    await clock.advance(1010)
    expect(pacer.delayMs(url)).toBe(0)
    expect(pacer.delayMs(url)).toBeGreaterThan(0)
  })

  test('a slot that was taken and never used is given back in time', async () => {
    const { clock, pacer } = aPacer()
    expect(pacer.delayMs(url)).toBe(0)
    expect(pacer.delayMs(url)).toBe(20)
    await clock.advance(121_000)
    expect(pacer.delayMs(url)).toBe(0)
  })
})
