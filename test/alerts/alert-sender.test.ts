import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { AlertSenderOptions } from '../../src/alerts/alert-options.ts'
import { AlertSender } from '../../src/alerts/alert-sender.ts'
import {
  channelFor,
  colorFor,
  type Severity,
  severityLabel,
  severityRank,
} from '../../src/alerts/severity.ts'
import { OuthookError } from '../../src/core/errors.ts'
import type { DiscordEmbed } from '../../src/discord/message.ts'
import { aDiscord, aJumpingClock } from '../discord/a-discord.ts'
import type { LocalDiscord, ScriptedAnswer } from '../discord/local-discord.ts'
import { aLog, anAlert, anAlertSender } from './an-alert-sender.ts'

const embedsOf = (discord: LocalDiscord, url: string) =>
  discord.posted(url).map(({ embeds }) => (embeds as readonly DiscordEmbed[] | undefined)?.[0])

/** Between tries; timeouts of requests are longer. */
const longestWaitMs = 9900

/** Severity, trade, channel, colour. */
const table: readonly [Severity, boolean, string, number][] = [
  ['P0', false, 'alerts', 0xff0000],
  ['P0', true, 'alerts', 0xff0000],
  ['P1', false, 'alerts', 0xff8800],
  ['P1', true, 'alerts', 0xff8800],
  ['P2', false, 'info', 0xffcc00],
  ['P2', true, 'info', 0xffcc00],
  ['P3', false, 'info', 0x00cc66],
  ['P3', true, 'trades', 0x3399ff],
  ['DEV', false, 'dev', 0x808080],
  ['DEV', true, 'dev', 0x808080],
]

describe('S2.2: severities', () => {
  test.each(table)('%s (trade: %s) goes to %s in its colour', async (severity, isTrade, channel, color) => {
    expect([channelFor(severity, isTrade), colorFor(severity, isTrade)]).toEqual([channel, color])
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { [channel]: url } })
    expect(await alerts.send(anAlert({ severity, isTrade }))).toMatchObject({ ok: true, channel })
    expect(embedsOf(discord, url)).toMatchObject([{ title: `[${severity}] Disk full`, color }])
  })

  test('have labels and an order', () => {
    const all: readonly Severity[] = ['DEV', 'P3', 'P2', 'P1', 'P0']
    expect(all.map(severityRank)).toEqual([0, 1, 2, 3, 4])
    expect(all.map(severityLabel)).toEqual(all)
    expect([severityLabel('P9'), severityLabel(undefined)]).toEqual(['?', '?'])
  })

  test('can be routed elsewhere, one alert at a time or all of one severity', async () => {
    const discord = await aDiscord()
    const [ops, night] = [discord.createWebhook(), discord.createWebhook()]
    const alerts = anAlertSender({ channels: { ops, night }, routes: { P1: 'ops' }, fallbackChannel: 'ops' })
    await alerts.send(anAlert())
    await alerts.send(anAlert({ channel: 'night' }))
    await alerts.send(anAlert({ severity: 'DEV' }))
    expect(discord.posted(ops).length).toBe(2)
    expect(discord.posted(night).length).toBe(1)
  })
})

describe('S2.3: an embed', () => {
  test('is posted as it is, under the name of the sender', async () => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { info: url }, username: 'my-app' })
    const embed = { title: 'T', description: 'D', color: 5, timestamp: '2030-01-01T00:00:00.000Z' }
    expect(await alerts.sendEmbed('info', embed)).toBe(true)
    expect(discord.posted(url)).toEqual([
      { username: 'my-app', embeds: [embed], allowed_mentions: { parse: [] } },
    ])
    expect(discord.requests[0]?.headers['content-type']).toBe('application/json')
  })

  test('beyond the limits is cut, not lost', async () => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { info: url } })
    const field = { name: 'n'.repeat(300), value: 'v'.repeat(2000) }
    const embed = { title: 't'.repeat(300), description: 'd'.repeat(5000), fields: Array(30).fill(field) }
    expect(await alerts.sendEmbed('info', embed)).toBe(true)
    expect(await alerts.sendText('info', 'x'.repeat(5000))).toBe(true)
  })
})

describe('S2.4 to S2.6: tries', () => {
  const one = async (answers: readonly (ScriptedAnswer | null)[]) => {
    const clock = aJumpingClock(longestWaitMs)
    const discord = await aDiscord({ clock, tellsLimits: false, bucket: { limit: 1000, perMs: 1 } })
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, clock })
    discord.script(...answers)
    const result = await alerts.send(anAlert())
    const gaps = discord.requests.slice(1).map(({ at }, index) => at - (discord.requests[index]?.at ?? 0))
    return { result, gaps, requests: discord.requests.length }
  }
  const limited = (body: string, headers = {}) => ({ status: 429, body, headers })

  test('S2.4: a 429 is tried again after the retry_after of its body and 0.05 s', async () => {
    const { result, gaps } = await one([limited('{"retry_after":0.3}')])
    expect(result).toMatchObject({ ok: true, attempts: 2 })
    expect(gaps[0]).toBeGreaterThanOrEqual(350)
    expect(gaps[0]).toBeLessThan(450)
  })

  test('S2.4: after five tries it is given up', async () => {
    const { result, requests } = await one(Array(9).fill(limited('{"retry_after":0.1}')))
    expect(result).toMatchObject({ ok: false, outcome: 'failed', status: 429, attempts: 5 })
    expect(requests).toBe(5)
  })

  test('S2.4: a wait above the cap fails at once, D2: and is never cut short', async () => {
    const { result, requests } = await one([limited('{"retry_after":31}')])
    expect(result).toMatchObject({ ok: false, outcome: 'failed', attempts: 1, errorCode: 'rate_limited' })
    expect(requests).toBe(1)
  })

  test('S2.5: a 429 that says nothing is tried again after a second', async () => {
    const { result, gaps } = await one([limited('<html>slow down</html>')])
    expect(result.ok).toBe(true)
    expect(gaps[0]).toBeGreaterThanOrEqual(1000)
    expect(gaps[0]).toBeLessThan(1300)
  })

  test('S2.5 and D2: the header counts where the body says nothing', async () => {
    const { gaps } = await one([limited('', { 'retry-after': '2' })])
    expect(gaps[0]).toBeGreaterThanOrEqual(2000)
    expect(gaps[0]).toBeLessThan(2300)
  })

  test('S2.6: 5xx and cut connections are tried again', async () => {
    const { result, gaps } = await one([{ status: 500 }, null, { status: 503 }])
    expect(result).toMatchObject({ ok: true, attempts: 4 })
    expect(gaps.every((gap) => gap >= 800)).toBe(true)
  })

  test.each([400, 401, 403, 404, 413])('S2.6: %i is not', async (status) => {
    const { result, requests } = await one([{ status }])
    expect(result).toMatchObject({ ok: false, outcome: 'failed', status, attempts: 1 })
    expect(requests).toBe(1)
  })

  test('S2.19 and D3: a redirect is not followed', async () => {
    const { result, requests } = await one([{ status: 302, headers: { location: '/api/webhooks/1/x' } }])
    expect(result).toMatchObject({ ok: false, status: 302, errorCode: 'redirect' })
    expect(requests).toBe(1)
  })
})

describe('S2.7: the audit mirror', () => {
  const twoChannels = async () => {
    const clock = aJumpingClock()
    const discord = await aDiscord({ clock })
    const [main, audit] = [discord.createWebhook(), discord.createWebhook()]
    return { clock, discord, main, audit, channels: { alerts: main, audit } }
  }

  test('gets one line per embed, in the colour of it, with 80 characters of its title', async () => {
    const { clock, discord, audit, channels } = await twoChannels()
    const alerts = anAlertSender({ channels, clock, username: 'my-app' })
    await alerts.sendEmbed('alerts', { title: 't'.repeat(100), color: 7 })
    await alerts.sendEmbed('alerts', { description: 'without' })
    await alerts.flush()
    expect(discord.posted(audit)).toEqual([
      {
        username: 'my-app',
        embeds: [{ description: `\`[alerts]\` ${'t'.repeat(80)}`, color: 7 }],
        allowed_mentions: { parse: [] },
      },
      {
        username: 'my-app',
        embeds: [{ description: '`[alerts]` ', color: 0xffffff }],
        allowed_mentions: { parse: [] },
      },
    ])
    expect(alerts.stats()).toMatchObject({ delivered: 2, mirrored: 2, mirrorsLost: 0 })
  })

  test('is not for the audit channel itself, for text, for failures, and not when it is not wanted', async () => {
    const { clock, discord, audit, channels } = await twoChannels()
    const alerts = anAlertSender({ channels, clock })
    await alerts.sendEmbed('audit', { title: 'direct' })
    await alerts.sendText('alerts', 'text')
    await alerts.sendEmbed('alerts', { title: 'x' }, { mirrorToAudit: false })
    discord.script({ status: 404 })
    await alerts.sendEmbed('alerts', { title: 'lost' })
    await anAlertSender({ channels, clock, auditChannel: null }).send(anAlert())
    await alerts.flush()
    expect(embedsOf(discord, audit)).toEqual([{ title: 'direct' }])
  })

  test('D5: is tried twice, its loss is counted and does not touch the alert', async () => {
    const { clock, discord, channels } = await twoChannels()
    const log = aLog()
    const alerts = anAlertSender({ channels, clock, log })
    discord.script({ status: 204 }, { status: 500 }, { status: 500 }, { status: 500 })
    expect(await alerts.sendEmbed('alerts', { title: 'x' })).toBe(true)
    await alerts.flush()
    expect(discord.requests.length).toBe(3)
    expect(alerts.stats()).toMatchObject({ delivered: 1, failed: 0, mirrored: 0, mirrorsLost: 1 })
    expect(log.lines).toMatchObject([[{ channel: 'audit', attempts: 2 }, /copy for the audit channel/]])
  })

  test('D5: does not hold up the alert', async () => {
    const { clock, discord, channels, audit } = await twoChannels()
    const alerts = anAlertSender({ channels, clock })
    await alerts.sendEmbed('alerts', { title: '1' })
    await discord.until(() => discord.arrived === 2)
    discord.hold()
    // The mirror of the second hangs; the third does not wait for it.
    const second = alerts.sendEmbed('alerts', { title: '2' })
    await discord.until(() => discord.arrived === 3)
    discord.release()
    expect(await second).toBe(true)
    expect(await alerts.sendEmbed('alerts', { title: '3' })).toBe(true)
    await alerts.flush()
    expect(discord.posted(audit).length).toBe(3)
  })
})

describe('S2.8: mentions', () => {
  test('only a P0 pings, and only whom the operator named', async () => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, mention: '@everyone' })
    await alerts.send(anAlert({ severity: 'P0', description: '@here <@1>' }))
    await alerts.send(anAlert({ severity: 'P1' }))
    const [p0, p1] = discord.posted(url)
    expect(p0).toMatchObject({ content: '@everyone', allowed_mentions: { parse: ['everyone'] } })
    expect(p1?.content).toBeUndefined()
    expect(p1?.allowed_mentions).toEqual({ parse: [] })
  })

  test('a role or a person is pinged by its id alone', async () => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { alerts: url }, mention: '<@&12> <@34>' })
    await alerts.send(anAlert({ severity: 'P0' }))
    expect(discord.posted(url)).toMatchObject([
      { content: '<@&12> <@34>', allowed_mentions: { parse: [], roles: ['12'], users: ['34'] } },
    ])
  })

  test('D1: text and embeds ping nobody unless the call says so, and an empty object is kept', async () => {
    const discord = await aDiscord({ bucket: { limit: 10, perMs: 1000 } })
    const url = discord.createWebhook()
    const alerts = anAlertSender({ channels: { info: url }, mention: '@everyone' })
    await alerts.sendText('info', '@everyone')
    await alerts.sendEmbed('info', { title: 'x' }, { content: '@everyone' })
    await alerts.sendEmbed('info', { title: 'x' }, { content: '@everyone', allowedMentions: {} })
    await alerts.sendEmbed(
      'info',
      { title: 'x' },
      { content: '@here', allowedMentions: { parse: ['everyone'] } },
    )
    expect(discord.posted(url).map((body) => body.allowed_mentions)).toEqual([
      { parse: [] },
      { parse: [] },
      {},
      { parse: ['everyone'] },
    ])
  })
})

describe('S2.9: switched off', () => {
  test('the master switch lets nothing out', async () => {
    const discord = await aDiscord()
    const alerts = anAlertSender({ channels: { alerts: discord.createWebhook() }, enabled: false })
    expect(alerts.enabled).toBe(false)
    expect(alerts.notify(anAlert())).toBe('disabled')
    expect(await alerts.send(anAlert())).toMatchObject({ ok: false, outcome: 'disabled' })
    expect([await alerts.sendEmbed('alerts', { title: 'x' }), await alerts.sendText('alerts', 'x')]).toEqual([
      false,
      false,
    ])
    expect(await alerts.probe()).toEqual([])
    expect(discord.requests).toEqual([])
  })

  test('a missing or blank channel is false, with a warning that names it', async () => {
    const log = aLog()
    const alerts = anAlertSender({ channels: { alerts: '  ', info: undefined }, log })
    expect(alerts.enabled).toBe(false)
    expect(await alerts.sendEmbed('info', { title: 'x' })).toBe(false)
    expect(await alerts.send(anAlert())).toMatchObject({ ok: false, outcome: 'no_channel' })
    expect(log.lines.map(([fields]) => fields.channel)).toEqual(['info', 'alerts'])
  })
})

test('S2.11: nothing throws, whatever comes', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  await new Promise((resolve) => taken.close(resolve))
  const hostile = {
    get severity(): never {
      throw new Error('getter')
    },
  }
  const thrower = {
    kind: 'mine',
    send: () => Promise.reject(new Error('no')),
    close: () => Promise.reject(new Error('no')),
  }
  const channels = { alerts: `http://127.0.0.1:${port}/api/webhooks/1/x`, info: thrower }
  const alerts = anAlertSender({ channels, clock: aJumpingClock(longestWaitMs) })
  expect(await alerts.send(anAlert())).toMatchObject({
    ok: false,
    outcome: 'failed',
    attempts: 5,
    errorCode: 'connection',
  })
  expect(await alerts.sendEmbed('info', { title: 'x' })).toBe(false)
  for (const wrong of [
    null,
    undefined,
    5,
    {},
    hostile,
    { severity: 'P7', title: 'x' },
    { severity: 'P1', title: Symbol('x') },
  ]) {
    expect(alerts.notify(wrong as never)).toBe('invalid')
    expect(await alerts.send(wrong as never)).toMatchObject({ ok: false, outcome: 'invalid' })
  }
  expect(await alerts.probe()).toMatchObject([{ ok: false }, { ok: null }])
  await alerts.close()
  expect(alerts.notify(anAlert())).toBe('closed')
})

test('S2.12: any name is a channel', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const alerts = anAlertSender({ channels: { 'billing-eu': url } })
  expect(await alerts.sendText('billing-eu', 'x')).toBe(true)
  expect(await alerts.send(anAlert({ channel: 'billing-eu' }))).toMatchObject({
    ok: true,
    channel: 'billing-eu',
  })
})

test('a wrong target is refused when the sender is made, and is not repeated in the error', () => {
  const make = () => anAlertSender({ channels: { alerts: 'htps//secret' } })
  expect(make).toThrow(/channel "alerts".*not a webhook URL/)
  expect(make).not.toThrow(/htps/)
})

test.each([
  ['channels', undefined],
  ['onFull', 'drop'],
  ['maxAttempts', 0],
  ['queueLimit', 1.5],
  ['throttle.limit', -1],
  ['timeoutMs', '10s'],
])('a wrong %s is refused when the sender is made, and named', (name, value) => {
  const [group = '', member] = name.split('.')
  const wrong = { [group]: member === undefined ? value : { [member]: value } }
  const make = () => new AlertSender({ channels: { alerts: 'http://h/' }, ...wrong } as AlertSenderOptions)
  expect(make).toThrow(OuthookError)
  expect(make).toThrow(name)
})
