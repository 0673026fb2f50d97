import { inspect } from 'node:util'
import pino from 'pino'
import { expect, test } from 'vitest'
import { AlertSender } from '../../src/alerts/alert-sender.ts'
import { createErrorReporter } from '../../src/alerts/error-reporter.ts'
import { telegramTransport } from '../../src/alerts/transports/telegram.ts'
import { webhookTransport } from '../../src/alerts/transports/webhook.ts'
import { aDiscord, aJumpingClock } from '../discord/a-discord.ts'
import { aReceiver } from '../sender/a-webhook.ts'
import { anAlert } from './an-alert-sender.ts'

const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const proxyPassword = 'proxy-pass-9f8e7d'
const botToken = '123456789:AAF-secret-bot-token-0123456789ab'

test('S2.10: no token, password or secret is in any result, print, log or error of a full scenario', async () => {
  const clock = aJumpingClock(9900)
  const discord = await aDiscord({ clock })
  // An echo that hands back all it was told, as error pages do.
  const echo = await aReceiver(({ path, headers, text }) => ({
    status: 400,
    body: JSON.stringify({ path, headers, text, auth: headers['webhook-signature'] }),
  }))
  const [url, deleted] = [discord.createWebhook(), discord.createWebhook()]
  discord.deleteWebhook(deleted)
  const slackPath = '/services/T0000/B0000/slack-secret-path'
  const secrets = [url, deleted].map((text) => text.split('/').at(-1) ?? '')
  secrets.push('slack-secret-path', botToken.slice(10), signingSecret.slice(6), proxyPassword)

  const written: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void written.push(line) })
  const events: unknown[] = []
  const options = {
    clock,
    log,
    hooks: {
      onAttempt: (event: unknown) => events.push(event),
      onResult: (result: unknown) => events.push(result),
    },
  }
  const alerts = new AlertSender({
    ...options,
    channels: {
      alerts: url,
      deleted,
      slack: `slack+${echo.url}${slackPath}`,
      telegram: telegramTransport({ token: botToken, chatId: 1, apiUrl: echo.url }, options),
      signed: webhookTransport(`${echo.url}/h?key=url-secret-key`, {
        ...options,
        signing: { secret: signingSecret },
      }),
      refused: 'http://127.0.0.1:1/api/webhooks/1/refused-secret-token',
    },
    auditChannel: 'deleted',
  })
  const proxied = new AlertSender({
    ...options,
    channels: { alerts: url },
    proxies: { get: () => `http://user:${proxyPassword}@127.0.0.1:1` },
  })
  secrets.push('url-secret-key', 'refused-secret-token')

  const outcomes: unknown[] = []
  for (const channel of alerts.channels)
    outcomes.push(await alerts.send(anAlert({ channel, title: channel })))
  outcomes.push(await alerts.sendEmbed('slack', { title: 'x' }), await alerts.sendText('signed', 'x'))
  outcomes.push(await alerts.probe(), await proxied.send(anAlert()), alerts.stats())
  discord.script({ status: 429, body: '{"retry_after":99}' })
  outcomes.push(await alerts.send(anAlert({ title: 'limited' })))
  for (let index = 0; index < 10; index++) outcomes.push(alerts.notify(anAlert({ title: 'many' })))
  const errors = ['htps://typo-secret-token', 'telegram://broken-secret-token'].map((target) => {
    try {
      return new AlertSender({ channels: { wrong: target } })
    } catch (error) {
      return error
    }
  })
  secrets.push('typo-secret-token', 'broken-secret-token')
  await Promise.all([alerts.close(), proxied.close()])

  const all = [alerts, proxied, ...outcomes, ...events, ...errors]
  const printed = [
    ...written,
    ...all.flatMap((value) => [
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value) ?? '',
      String(value),
      inspect({ ...(value as object) }, { depth: 9 }),
    ]),
  ]
  expect(written.length).toBeGreaterThan(5)
  expect(events.length).toBeGreaterThan(10)
  for (const secret of secrets)
    expect(
      printed.filter((text) => text.includes(secret)),
      secret,
    ).toEqual([])
})

test('S2.10: an alert about an error does not carry a webhook URL to the people in the channel', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  await using alerts = new AlertSender({ channels: { alerts: url } })
  const real = `https://discord.com/${'api/webhooks'}/${'1'.repeat(18)}/${'aB3-_'.repeat(14)}`
  createErrorReporter(alerts)(new Error(`POST ${real} failed`), { url: real })
  await alerts.flush()
  const [text] = discord.posted(url).map((body) => JSON.stringify(body))
  expect(text).toContain('discord.com/api/webhooks/***')
  expect(text).not.toContain('aB3-_aB3')
})
