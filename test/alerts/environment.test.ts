import { describe, expect, test } from 'vitest'
import { AlertSender } from '../../src/alerts/alert-sender.ts'
import { readEnvironment } from '../../src/alerts/environment.ts'
import { aDiscord } from '../discord/a-discord.ts'
import { aLog, anAlert } from './an-alert-sender.ts'

describe('S2.15: the environment', () => {
  test('names channels of every kind, in lower case', () => {
    const { channels, enabled, mention } = readEnvironment({
      DISCORD_WEBHOOK_ALERTS: ' https://d/1 ',
      SLACK_WEBHOOK_ALERTS: 'https://s/1',
      TEAMS_WEBHOOK_INFO: 'https://t/1',
      ALERT_WEBHOOK_DEV: 'https://w/1',
      TELEGRAM_BOT_TOKEN: '12:ab',
      TELEGRAM_CHAT_NIGHT: '-100',
      DISCORD_P0_MENTION: '@here',
      DISCORD_WEBHOOK_TRADES: '  ',
      DISCORD_WEBHOOK_: 'https://d/2',
      PATH: '/bin',
    })
    expect(channels).toEqual({
      alerts: ['discord+https://d/1', 'slack+https://s/1'],
      info: ['teams+https://t/1'],
      dev: ['webhook+https://w/1'],
      night: ['telegram://12:ab@-100'],
    })
    expect([enabled, mention]).toEqual([true, '@here'])
  })

  test.each([
    [{}, true],
    [{ NOTIFY_DISCORD_ENABLED: '1' }, true],
    [{ NOTIFY_DISCORD_ENABLED: 'true' }, true],
    [{ NOTIFY_DISCORD_ENABLED: '' }, true],
    [{ NOTIFY_DISCORD_ENABLED: '0' }, false],
    [{ NOTIFY_DISCORD_ENABLED: ' FALSE ' }, false],
    [{ ALERTS_ENABLED: 'off' }, false],
    [{ ALERTS_ENABLED: 'no', NOTIFY_DISCORD_ENABLED: '1' }, false],
  ])('%o switches all on: %s', async (env, isOn) => {
    const discord = await aDiscord()
    await using alerts = AlertSender.fromEnv({ ...env, DISCORD_WEBHOOK_ALERTS: discord.createWebhook() })
    expect((await alerts.send(anAlert())).ok).toBe(isOn)
    expect(discord.requests.length).toBe(isOn ? 1 : 0)
  })

  test('without channels is off and does nothing', async () => {
    await using alerts = AlertSender.fromEnv({})
    expect([alerts.enabled, alerts.channels, alerts.notify(anAlert())]).toEqual([false, [], 'no_channel'])
  })

  test('with a variable that cannot be used starts without that channel, and its log has no value', async () => {
    const log = aLog()
    const env = {
      DISCORD_WEBHOOK_ALERTS: 'secret-typo',
      TELEGRAM_CHAT_INFO: '5',
      DISCORD_WEBHOOK_DEV: 'http://127.0.0.1:1/x',
    }
    await using alerts = AlertSender.fromEnv(env, { log })
    expect(alerts.channels).toEqual(['dev'])
    expect(log.lines.map(([{ channel }]) => channel)).toEqual(['alerts', 'info'])
    expect(JSON.stringify(log.lines)).not.toContain('secret-typo')
  })

  test('yields to options', async () => {
    await using alerts = AlertSender.fromEnv(
      { NOTIFY_DISCORD_ENABLED: '0', DISCORD_WEBHOOK_A: 'http://127.0.0.1:1/a' },
      { enabled: true, channels: { b: 'http://127.0.0.1:1/b' } },
    )
    expect([alerts.enabled, alerts.channels]).toEqual([true, ['a', 'b']])
  })
})

describe('S2.18: the probe at a start', () => {
  test('tells which channels are up, and posts nothing', async () => {
    const discord = await aDiscord()
    const [up, down] = [discord.createWebhook(), discord.createWebhook()]
    discord.deleteWebhook(down)
    await using alerts = new AlertSender({ channels: { up, down, plain: `${discord.url}/x` } })
    expect(await alerts.probe()).toEqual([
      { channel: 'up', ok: true, status: 200, error: null },
      { channel: 'down', ok: false, status: 404, error: 'the receiver answered 404' },
      { channel: 'plain', ok: null, status: null, error: null },
    ])
    expect(discord.requests.every(({ method }) => method === 'GET')).toBe(true)
  })

  test('can post its text to one channel', async () => {
    const discord = await aDiscord()
    const [dev, alertsUrl] = [discord.createWebhook(), discord.createWebhook()]
    await using alerts = new AlertSender({ channels: { dev, alerts: alertsUrl } })
    expect(await alerts.probe({ text: 'started', channels: ['dev', 'gone'] })).toMatchObject([
      { channel: 'dev', ok: true, status: 204 },
      { channel: 'gone', ok: false },
    ])
    expect(discord.posted(dev)).toMatchObject([{ content: 'started' }])
    expect(discord.posted(alertsUrl)).toEqual([])
  })
})
