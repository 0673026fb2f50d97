import { describe, expect, test } from 'vitest'
import { type ChannelTarget, toTransport } from '../../src/alerts/channel-target.ts'
import { telegramTransport } from '../../src/alerts/transports/telegram.ts'
import { webhookTransport } from '../../src/alerts/transports/webhook.ts'
import { hasValidSignature, toReceivedRequest } from '../../src/testing/received-request.ts'
import { aJumpingClock } from '../discord/a-discord.ts'
import { aReceiver } from '../sender/a-webhook.ts'
import { anAlert, anAlertSender } from './an-alert-sender.ts'

const alert = anAlert({
  severity: 'P0',
  title: 'Payments <failing> & worse',
  description: 'card processor <!channel> says 503',
  fields: [{ name: 'region', value: 'eu <@U1>' }],
  footer: 'billing',
})
const ok = { status: 200, body: 'ok' }

/** The body that a channel of this target got. */
async function post(target: (url: string) => ChannelTarget, answer = ok) {
  const receiver = await aReceiver(() => answer)
  const alerts = anAlertSender({
    channels: { alerts: target(receiver.url) },
    mention: '@everyone',
    maxAttempts: 1,
  })
  const result = await alerts.send(alert)
  const [request] = receiver.received
  return { result, request, body: JSON.parse(request?.text ?? 'null') }
}

describe('Slack', () => {
  test('gets blocks in the colour of the severity; only the operator’s mention is markup', async () => {
    const { result, body } = await post((url) => `slack+${url}/services/T/B/x`)
    expect(result).toMatchObject({ ok: true, status: 200 })
    expect(body).toEqual({
      text: '<!channel> [P0] Payments &lt;failing&gt; &amp; worse',
      attachments: [
        {
          color: '#ff0000',
          blocks: [
            { type: 'header', text: { type: 'plain_text', text: '[P0] Payments <failing> & worse' } },
            { type: 'section', text: { type: 'plain_text', text: 'card processor <!channel> says 503' } },
            { type: 'section', fields: [{ type: 'mrkdwn', text: '*region*\neu &lt;@U1&gt;' }] },
            { type: 'context', elements: [{ type: 'plain_text', text: 'billing' }] },
          ],
        },
      ],
    })
  })

  test('is never given more than it takes', async () => {
    const receiver = await aReceiver(() => ok)
    const alerts = anAlertSender({ channels: { alerts: `slack+${receiver.url}` } })
    const fields = Array.from({ length: 25 }, () => ({ name: 'n', value: 'v'.repeat(3000) }))
    await alerts.send({ ...alert, title: 't'.repeat(500), description: 'd'.repeat(9000), fields })
    const [{ blocks }] = JSON.parse(receiver.received[0]?.text ?? '').attachments
    expect(blocks[0].text.text.length).toBe(150)
    expect(blocks[1].text.text.length).toBe(3000)
    expect(blocks.slice(2, 5).map((block: { fields: unknown[] }) => block.fields.length)).toEqual([10, 10, 5])
  })
})

describe('Teams', () => {
  test('gets an adaptive card', async () => {
    const { result, body } = await post((url) => `teams+${url}/webhookb2/x`)
    expect(result.ok).toBe(true)
    expect(body.attachments[0].contentType).toBe('application/vnd.microsoft.card.adaptive')
    expect(body.attachments[0].content.body).toMatchObject([
      { type: 'TextBlock', text: '[P0] Payments <failing> & worse', color: 'Attention' },
      { type: 'TextBlock', text: 'card processor <!channel> says 503', wrap: true },
      { type: 'FactSet', facts: [{ title: 'region', value: 'eu <@U1>' }] },
      { type: 'TextBlock', text: 'billing', isSubtle: true },
    ])
  })

  test('has failed when it answers 200 and says so in the text', async () => {
    const body =
      'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429.'
    const { result } = await post((url) => `teams+${url}`, { status: 200, body })
    expect(result).toMatchObject({ ok: false, outcome: 'failed', errorCode: 'rate_limited' })
  })
})

describe('Telegram', () => {
  const telegram = (apiUrl: string) => ({ token: '123456:secret-token', chatId: -100, apiUrl })

  test('gets plain text, silently for what is not urgent', async () => {
    const { result, body, request } = await post((url) => telegramTransport(telegram(url)))
    expect(result.ok).toBe(true)
    expect(request?.path).toBe('/bot123456:secret-token/sendMessage')
    expect(body).toEqual({
      chat_id: -100,
      text: '[P0] Payments <failing> & worse\n\ncard processor <!channel> says 503\n\nregion: eu <@U1>\n\nbilling',
      link_preview_options: { is_disabled: true },
      disable_notification: false,
    })
  })

  test('is left alone for as long as it asks in its own way', async () => {
    const clock = aJumpingClock()
    const at: number[] = []
    const receiver = await aReceiver((_request, index) => {
      at.push(clock.elapsed())
      return index === 0 ? { status: 429, body: '{"ok":false,"parameters":{"retry_after":2}}' } : ok
    })
    const transport = telegramTransport(telegram(receiver.url), { clock })
    const alerts = anAlertSender({ channels: { alerts: transport }, clock })
    expect(await alerts.send(alert)).toMatchObject({ ok: true, attempts: 2 })
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(2000)
  })

  test('is probed by asking who the bot is', async () => {
    const receiver = await aReceiver(() => ({ status: 401 }))
    const alerts = anAlertSender({ channels: { alerts: telegramTransport(telegram(receiver.url)) } })
    expect(await alerts.probe()).toMatchObject([{ ok: false, status: 401 }])
    expect(receiver.received[0]?.path).toBe('/bot123456:secret-token/getMe')
  })
})

describe('a plain webhook', () => {
  test('gets the alert as JSON', async () => {
    const { body } = await post((url) => `${url}/hook`)
    expect(body).toMatchObject({
      channel: 'alerts',
      severity: 'P0',
      title: '[P0] Payments <failing> & worse',
      description: 'card processor <!channel> says 503',
      fields: [{ name: 'region', value: 'eu <@U1>' }],
      color: 0xff0000,
      mention: '@everyone',
    })
  })

  test('can be signed', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const { request } = await post((url) => webhookTransport(url, { signing: { secret } }))
    const message = { ...request, url: '/' } as never
    expect(hasValidSignature(toReceivedRequest(message, Buffer.from(request?.text ?? ''), 0), secret)).toBe(
      true,
    )
  })
})

test('a channel can lead to several places, and is there when all of them are', async () => {
  const [one, two] = [await aReceiver(() => ok), await aReceiver(() => ({ status: 404 }))]
  const both = anAlertSender({ channels: { alerts: [`slack+${one.url}`, `${two.url}/x`] } })
  expect(await both.send(alert)).toMatchObject({ ok: false, status: 404, attempts: 2 })
  expect([one.received.length, two.received.length]).toEqual([1, 1])
})

test.each([
  ['https://discord.com/api/webhooks/1/x', 'discord'],
  ['https://canary.discord.com/api/v10/webhooks/1/x', 'discord'],
  ['http://127.0.0.1:1/api/webhooks/1/x', 'discord'],
  ['https://hooks.slack.com/services/T/B/x', 'slack'],
  ['https://contoso.webhook.office.com/webhookb2/x', 'teams'],
  ['https://prod-1.westus.logic.azure.com:443/workflows/x', 'teams'],
  ['telegram://1:x@-5', 'telegram'],
  ['https://example.com/hook', 'webhook'],
  ['https://discord.com.example.com/x', 'webhook'],
  ['slack+https://example.com/x', 'slack'],
])('%s is a channel of kind %s', (target, kind) => {
  expect(toTransport(target, {})?.kind).toBe(kind)
})
