import { describe, expect, onTestFinished, test } from 'vitest'
import { createServerAlertSender, parseAlertChannels } from '../../src/alerts/server-alert-sender.ts'
import { type AlertedCounts, createServerAlerts } from '../../src/alerts/server-alerts.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { type AttemptActivity, DeliveryActivity } from '../../src/delivery/activity.ts'
import type { DiscordEmbed } from '../../src/discord/message.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anApp, anEndpointAt, aReceiver, publish, tenant } from '../delivery/an-app.ts'
import { aDiscord } from '../discord/a-discord.ts'
import { aLog, anAlertSender } from './an-alert-sender.ts'

const attempt: AttemptActivity = {
  tenantId: 'ten_1',
  eventId: 'evt_1',
  deliveryId: 'dlv_1',
  endpointId: 'ep_1',
  subscriptionId: 'sub_1',
  topic: 'orders.created',
  url: 'https://hooks.example.com/secret-path',
  attemptNo: 8,
  status: 'permanent_failure',
  httpStatus: 404,
  errorClass: 'http_404',
  error: null,
  latencyMs: 5,
  state: 'dead_lettered',
  nextAttemptInMs: null,
}
const backlogOf = (pending: number): AlertedCounts => ({
  deliveries: { pending, retry_scheduled: 0 },
  oldestDueMs: 65_000,
})

async function serverAlerts(options: { backlogLimit?: number } = {}) {
  const clock = createManualClock()
  const discord = await aDiscord({ bucket: { limit: 1000, perMs: 1000 } })
  const [urgent, info] = [discord.createWebhook(), discord.createWebhook()]
  const alerts = anAlertSender({ channels: { alerts: urgent, info } })
  const activity = new DeliveryActivity((error) => {
    throw error
  })
  const state: { counts: AlertedCounts | Error } = { counts: backlogOf(0) }
  const counts = async () => {
    if (state.counts instanceof Error) throw state.counts
    return state.counts
  }
  const log = aLog()
  const server = createServerAlerts({ activity, counts, alerts, clock, log, ...options })
  onTestFinished(() => server.stop())
  server.start()
  const embeds = async (url: string) => {
    await alerts.flush()
    return discord.posted(url).map((body) => (body.embeds as readonly DiscordEmbed[])[0])
  }
  const look = async (pending: number) => {
    state.counts = backlogOf(pending)
    await clock.advance(60_000)
  }
  return { clock, activity, server, state, log, look, urgent: () => embeds(urgent), info: () => embeds(info) }
}

describe('S2.20: the server as a source of alerts', () => {
  test('a dead letter is a P1 that names what is needed, and not the path of the receiver', async () => {
    const { activity, urgent, info } = await serverAlerts()
    activity.tell('attempt', attempt)
    activity.tell('deadLetter', attempt)
    const [embed] = await urgent()
    expect(embed).toMatchObject({ title: '[P1] A delivery was given up', color: 0xff8800 })
    const fields = Object.fromEntries((embed?.fields ?? []).map(({ name, value }) => [name, value]))
    expect(fields).toEqual({
      endpoint: 'ep_1',
      receiver: 'https://hooks.example.com',
      topic: 'orders.created',
      tenant: 'ten_1',
      attempts: '8',
      'last answer': '404',
      delivery: 'dlv_1',
    })
    expect(await info()).toEqual([])
  })

  test('dead letters are throttled per endpoint', async () => {
    const { activity, urgent } = await serverAlerts()
    for (let index = 0; index < 100; index++) activity.tell('deadLetter', attempt)
    activity.tell('deadLetter', { ...attempt, endpointId: 'ep_2' })
    const titles = (await urgent()).map((embed) => embed?.title)
    expect(titles).toEqual([
      ...Array(4).fill('[P1] A delivery was given up'),
      '[P1] 97 more: A delivery was given up',
    ])
  })

  test('a disabled endpoint is a P1, unless somebody did it on purpose', async () => {
    const { activity, urgent, info } = await serverAlerts()
    activity.tell('endpointDisabled', { tenantId: 'ten_1', endpointId: 'ep_1', reason: 'gone' })
    activity.tell('endpointDisabled', { tenantId: 'ten_1', endpointId: 'ep_2', reason: 'operator' })
    expect((await urgent()).map((embed) => embed?.description)).toEqual([expect.stringContaining('410 Gone')])
    expect((await info()).map((embed) => embed?.title)).toEqual(['[P3] An endpoint was disabled'])
  })

  test('an endpoint in trouble that delivers again is told once', async () => {
    const { activity, info } = await serverAlerts()
    const success: AttemptActivity = { ...attempt, status: 'success', state: 'succeeded' }
    activity.tell('attempt', success)
    activity.tell('deadLetter', attempt)
    activity.tell('attempt', { ...success, endpointId: 'ep_2' })
    activity.tell('attempt', success)
    activity.tell('attempt', success)
    expect((await info()).map((embed) => embed?.title)).toEqual(['[P3] An endpoint delivers again'])
  })

  test('a growing backlog is told once, again when it has doubled, urgently at ten times the limit', async () => {
    const { look, urgent, info } = await serverAlerts({ backlogLimit: 100 })
    for (const pending of [99, 100, 150, 140, 199, 200, 1000, 999, 1001]) await look(pending)
    const waiting = (embeds: Awaited<ReturnType<typeof info>>) =>
      embeds.map((embed) => embed?.fields?.[0]?.value)
    expect(waiting(await info())).toEqual(['100', '200'])
    expect(waiting(await urgent())).toEqual(['1000'])
    expect((await info())[0]).toMatchObject({ title: '[P2] The backlog of deliveries grows' })
  })

  test('a backlog that was told of is told to be over at half the limit', async () => {
    const { look, info } = await serverAlerts({ backlogLimit: 100 })
    for (const pending of [10, 120, 60, 49, 10]) await look(pending)
    expect((await info()).map((embed) => embed?.title)).toEqual([
      '[P2] The backlog of deliveries grows',
      '[P3] The backlog of deliveries is small again',
    ])
  })

  test('a store that cannot be read is logged, and looked at again', async () => {
    const { clock, state, log, look, info } = await serverAlerts({ backlogLimit: 100 })
    state.counts = new Error('store is away')
    await clock.advance(60_000)
    expect(log.lines.length).toBe(1)
    await look(150)
    expect((await info()).length).toBe(1)
  })

  test('stops listening and looking', async () => {
    const { clock, activity, server } = await serverAlerts()
    server.stop()
    server.stop()
    const listeners = (['attempt', 'deadLetter', 'endpointDisabled'] as const).map((name) =>
      activity.listenerCount(name),
    )
    expect([...listeners, clock.pendingTimers]).toEqual([0, 0, 0, 0])
  })

  test('a limit of 0 never looks', async () => {
    const { clock } = await serverAlerts({ backlogLimit: 0 })
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('S2.20: end to end', () => {
  async function aWatchedEngine(options: { readonly backlogLimit?: number } = {}) {
    const app = await anApp()
    const discord = await aDiscord()
    const receiver = await aReceiver()
    const url = discord.createWebhook()
    const { activity, counts } = app.engine
    const [clock, lookClock] = [createSystemClock(), createManualClock()]
    const log = silentLogger
    const alerts = createServerAlertSender({
      channels: `alerts=${url}`,
      mention: null,
      proxy: null,
      log,
      clock,
    })
    onTestFinished(async () => void (await alerts.close({ timeoutMs: 0 })))
    const server = createServerAlerts({ activity, counts, alerts, clock: lookClock, log, ...options })
    server.start()
    onTestFinished(() => server.stop())
    const titles = async (count: number) => {
      await discord.until(() => discord.posted(url).length === count)
      return discord.posted(url).map((body) => (body.embeds as readonly DiscordEmbed[])[0]?.title)
    }
    return { app, receiver, titles, look: () => lookClock.advance(60_000) }
  }

  test('a dead letter of a running engine is posted, and so is the recovery of its endpoint', async () => {
    const { app, receiver, titles } = await aWatchedEngine()
    const retryPolicy = { max_attempts: 1, delays: ['1s'], jitter: 'none' }
    const { endpoint } = await anEndpointAt(app.engine, `${receiver.url}/status/500`, { retryPolicy })
    await publish(app.engine)
    await titles(1)
    await app.engine.endpoints.update(tenant, endpoint.id, { url: `${receiver.url}/succeed` })
    await publish(app.engine)
    expect(await titles(2)).toEqual(['[P1] A delivery was given up', '[P3] An endpoint delivers again'])
  })

  test('an endpoint that is gone is told, the backlog that grows before it, and the end of both', async () => {
    const { app, receiver, titles, look } = await aWatchedEngine({ backlogLimit: 4 })
    const { endpoint } = await anEndpointAt(app.engine, `${receiver.url}/status/410`)
    await publish(app.engine)
    expect((await titles(2)).sort()).toEqual([
      '[P1] A delivery was given up',
      '[P1] An endpoint was disabled',
    ])
    for (let event = 0; event < 4; event++) await publish(app.engine)
    await look()
    expect((await titles(3)).at(-1)).toBe('[P2] The backlog of deliveries grows')
    const change = { url: `${receiver.url}/succeed`, enabled: true }
    await app.engine.endpoints.update(tenant, endpoint.id, change)
    expect((await titles(4)).at(-1)).toBe('[P3] An endpoint delivers again')
    await app.attempted(5)
    await look()
    expect((await titles(5)).at(-1)).toBe('[P3] The backlog of deliveries is small again')
  })
})

describe('the setting alert-channels', () => {
  test('names channels, and alone a URL is the channel "alerts"', () => {
    expect(parseAlertChannels('https://a/1')).toEqual({ alerts: ['https://a/1'] })
    expect(
      parseAlertChannels('alerts=https://a/1?x=1,2, info=slack+https://b/2,alerts=telegram://1:x@5'),
    ).toEqual({
      alerts: ['https://a/1?x=1,2', 'telegram://1:x@5'],
      info: ['slack+https://b/2'],
    })
  })

  test.each(['', 'alerts=', 'secret-typo', 'alerts=https://a/1,info='])(
    '%j is refused, and not repeated',
    (text) => {
      expect(() =>
        createServerAlertSender({
          channels: text,
          mention: null,
          proxy: null,
          log: silentLogger,
          clock: createManualClock(),
        }),
      ).toThrow(/alert/)
      try {
        createServerAlertSender({
          channels: text,
          mention: null,
          proxy: null,
          log: silentLogger,
          clock: createManualClock(),
        })
      } catch (error) {
        expect(String(error)).not.toContain('secret-typo')
      }
    },
  )
})
