import { cutText } from '../../discord/limits.ts'
import { Webhook } from '../../sender/webhook.ts'
import {
  type AlertMessage,
  type AlertTransport,
  type TransportOptions,
  type TransportResult,
  toResult,
} from '../transport.ts'
import { WebhooksByTries } from '../webhooks-by-tries.ts'

/** Teams refuses cards above 28 KB; these keep the largest alert well below. */
const limits = { title: 256, description: 4096, factName: 100, factValue: 400, text: 2000 }

/** Microsoft Teams: the webhooks of its Workflows, and the older connectors. Nobody is pinged. */
export function teamsTransport(url: string | URL, options: TransportOptions = {}): AlertTransport {
  const webhooks = new WebhooksByTries(options, (own) => new Webhook(url, own))
  return {
    kind: 'teams',
    async send(message, { maxAttempts, ...rest }) {
      const result = await webhooks.for(maxAttempts).send(toTeams(message), rest)
      return judgeAnswer(toResult(result), result.response)
    },
    close: () => webhooks.close(),
  }
}

/** The older connectors answer 200 and say in the text that it failed. */
function judgeAnswer(result: TransportResult, response: unknown): TransportResult {
  if (!result.ok || typeof response !== 'string' || !/^Webhook message delivery failed/i.test(response)) {
    return result
  }
  const limited = /HTTP error 429/.test(response)
  return {
    ...result,
    ok: false,
    errorCode: limited ? 'rate_limited' : 'http_status',
    error: limited
      ? 'Teams took the message and then hit its own limit'
      : 'Teams could not deliver the message',
  }
}

function toTeams({ embed, text }: AlertMessage): object {
  const body: object[] = []
  if (text !== '') body.push(textBlock(text, limits.text))
  if (embed?.title) {
    const style = { weight: 'Bolder', size: 'Medium', color: colorName(embed.color) }
    body.push({ ...textBlock(embed.title, limits.title), ...style })
  }
  if (embed?.description) body.push(textBlock(embed.description, limits.description))
  if (embed?.fields !== undefined && embed.fields.length > 0) {
    const facts = embed.fields.map(({ name, value }) => ({
      title: cutText(name, limits.factName),
      value: cutText(value, limits.factValue),
    }))
    body.push({ type: 'FactSet', facts })
  }
  if (embed?.footer)
    body.push({ ...textBlock(embed.footer.text, limits.title), isSubtle: true, size: 'Small' })
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body,
          msteams: { width: 'Full' },
        },
      },
    ],
  }
}

function textBlock(text: string, max: number): object {
  return { type: 'TextBlock', text: cutText(text, max), wrap: true }
}

/** A card knows no colours, only moods. */
function colorName(color: number | undefined): string {
  const [red, green] = [((color ?? 0) >> 16) & 0xff, ((color ?? 0) >> 8) & 0xff]
  if (red > 0xe0 && green < 0x60) return 'Attention'
  if (red > 0xe0 && green < 0xe0) return 'Warning'
  if (green > 0xb0 && red < 0x60) return 'Good'
  return 'Default'
}
