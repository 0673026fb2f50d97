/** A Slack for tests: incoming webhooks, and the refusals with Slack's words. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SlackAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface LocalSlack {
  /** The URL of a new webhook, of a real one's shape. */
  createWebhook(): string
  /** Bodies that were accepted, in order. */
  posted(url: string): readonly { readonly text: string }[]
  /** How often this webhook was asked, whatever came of it. */
  asked(url: string): number
  /** The next requests to this webhook are answered like this. */
  script(url: string, ...answers: readonly SlackAnswer[]): void
  close(): Promise<void>
}

const token = 'xYz012345678901234567890'

export async function startLocalSlack(): Promise<LocalSlack> {
  const posted = new Map<string, { text: string }[]>()
  const asked = new Map<string, number>()
  const scripted = new Map<string, SlackAnswer[]>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = request.url ?? ''
    asked.set(path, (asked.get(path) ?? 0) + 1)
    const answer = scripted.get(path)?.shift() ?? answerTo(Buffer.concat(chunks).toString(), posted.get(path))
    response.writeHead(answer.status, { 'content-type': 'text/html', ...answer.headers }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pathOf = (url: string) => new URL(url).pathname
  let made = 0
  return {
    createWebhook() {
      made += 1
      const path = `/services/T00000001/B0000000${made}/${token}${made}`
      posted.set(path, [])
      return `${origin}${path}`
    },
    posted: (url) => posted.get(pathOf(url)) ?? [],
    asked: (url) => asked.get(pathOf(url)) ?? 0,
    script: (url, ...answers) => void scripted.set(pathOf(url), [...answers]),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerTo(body: string, messages: { text: string }[] | undefined): SlackAnswer {
  if (messages === undefined) return { status: 404, body: 'no_service' }
  const payload: unknown = parse(body)
  if (typeof payload !== 'object' || payload === null) return { status: 400, body: 'invalid_payload' }
  const { text } = payload as { text?: unknown }
  if (typeof text !== 'string' || text.trim() === '') return { status: 400, body: 'no_text' }
  messages.push({ text })
  return { status: 200, body: 'ok' }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
