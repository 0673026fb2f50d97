import { cutText } from '../../discord/limits.ts'
import type { DiscordEmbed } from '../../discord/message.ts'
import { Webhook } from '../../sender/webhook.ts'
import { type AlertMessage, type AlertTransport, type TransportOptions, toResult } from '../transport.ts'
import { WebhooksByTries } from '../webhooks-by-tries.ts'

/** Slack's own limits, in characters and entries. */
const limits = { header: 150, section: 3000, field: 2000, fieldsPerSection: 10, context: 2000, text: 4000 }

/** Slack's incoming webhooks. The name and picture are those that the webhook has in Slack. */
export function slackTransport(url: string | URL, options: TransportOptions = {}): AlertTransport {
  const webhooks = new WebhooksByTries(options, (own) => new Webhook(url, own))
  return {
    kind: 'slack',
    async send(message, { maxAttempts, ...rest }) {
      return toResult(await webhooks.for(maxAttempts).send(toSlack(message), rest))
    },
    close: () => webhooks.close(),
  }
}

function toSlack({ embed, text, mention }: AlertMessage): object {
  const pings = mention === null ? '' : toSlackMention(mention)
  const summary = embed?.title ?? embed?.description ?? ''
  const spoken = [pings, escapeText(text === '' ? summary : text)].filter(Boolean).join(' ')
  return {
    text: cutText(spoken, limits.text),
    ...(embed === null ? {} : { attachments: [{ color: hexColor(embed.color), blocks: toBlocks(embed) }] }),
  }
}

function toBlocks({ title, description, fields = [], footer }: DiscordEmbed): readonly object[] {
  const blocks: object[] = []
  if (title) blocks.push({ type: 'header', text: plain(title, limits.header) })
  if (description) blocks.push({ type: 'section', text: plain(description, limits.section) })
  for (let at = 0; at < fields.length; at += limits.fieldsPerSection) {
    const part = fields.slice(at, at + limits.fieldsPerSection)
    const shown = part.map(({ name, value }) => ({
      type: 'mrkdwn',
      text: cutText(`*${escapeText(name)}*\n${escapeText(value)}`, limits.field),
    }))
    blocks.push({ type: 'section', fields: shown })
  }
  if (footer) blocks.push({ type: 'context', elements: [plain(footer.text, limits.context)] })
  return blocks
}

function plain(text: string, max: number): object {
  return { type: 'plain_text', text: cutText(text, max) }
}

/** So that nothing in an alert can ping or link: `<!channel>` is markup, and this leaves none. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Slack's own forms (`<!channel>`, `<@U…>`, `<!subteam^…>`) are kept. */
function toSlackMention(mention: string): string {
  return mention.replaceAll('@everyone', '<!channel>').replaceAll('@here', '<!here>')
}

export function hexColor(color: number | undefined): string {
  return `#${(color ?? 0xffffff).toString(16).padStart(6, '0')}`
}
