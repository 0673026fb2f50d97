/** A server whose first part of the path says how it behaves, and which keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface StubRequest {
  readonly method: string
  /** With the query, without the part that names the behaviour. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Milliseconds since the first request of this behaviour. */
  readonly at: number
}

export interface StubServer {
  readonly url: string
  requestsOf(behaviour: string): readonly StubRequest[]
  /** `/` answers with this page, for browsers. */
  servePage(files: Readonly<Record<string, string>>): void
  close(): void
}

type Behaviour = (answer: ServerResponse, count: number, request: StubRequest) => void

const receipt = { id: 'evt_1', event_id: 'evt_1', delivery_ids: ['dlv_1'] }

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function problem(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  const members = {
    type: '/docs/errors/x',
    title: `title ${status}`,
    status,
    detail: `detail ${status}`,
    code: `code_${status}`,
  }
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify(members))
}

const retryAfter = { 'retry-after': '1' }

/** `503`: twice, then well. `always-503`: for ever. */
function byStatus(name: string): Behaviour | null {
  const found = /^(always-)?(\d{3})(-after)?$/.exec(name)
  if (found === null) return null
  const [, always, status, after] = found
  return (response, count) => {
    if (always === undefined && count > 2) return json(response, 202, receipt)
    problem(response, Number(status), after === undefined ? {} : retryAfter)
  }
}

/** Names of the caller's own in `headers`, which look like names of the API and of the client. */
const namedEndpoint =
  '{"id":"ep_1","max_in_flight":2,"headers":{"__proto__":"1","a_b":"2","aB":"3"},"retry_policy":{"max_attempts":3}}'

const behaviours: Readonly<Record<string, Behaviour>> = {
  ok: (response) => json(response, 202, receipt),
  replayed: (response) => json(response, 202, receipt, { 'idempotent-replay': 'true' }),
  empty: (response) => void response.writeHead(204).end(),
  html: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
  'html-error': (response) =>
    void response.writeHead(400, { 'content-type': 'text/html' }).end('<h1>No</h1>'),
  late: (response) => problem(response, 429, { 'retry-after': '60' }),
  redirect: (response) => void response.writeHead(302, { location: '/ok/v1/events' }).end(),
  drop: (response, count) => (count === 1 ? void response.destroy() : json(response, 202, receipt)),
  cut: (response, count) => {
    if (count > 1) return json(response, 202, receipt)
    response.writeHead(202, { 'content-length': '1000' }).write('{')
    setImmediate(() => response.destroy())
  },
  named: (response, count) =>
    count === 1 ? problem(response, 503) : void response.writeHead(200).end(namedEndpoint),
  'always-drop': (response) => void response.destroy(),
  stall: () => {},
  drip: (response) => {
    response.writeHead(202, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  },
  pages: (response, _count, { url }) => {
    const cursor = new URL(url, 'http://a').searchParams.get('cursor')
    const page = cursor === null ? 0 : Number(cursor)
    json(response, 200, {
      items: [{ id: `ep_${2 * page}` }, { id: `ep_${2 * page + 1}` }],
      next_cursor: page < 2 ? String(page + 1) : '',
    })
  },
  sparse: (response, _count, { url }) => {
    const page = Number(new URL(url, 'http://a').searchParams.get('cursor') ?? 0)
    const items = page % 2 === 0 ? [] : [{ id: `dlv_${page}` }]
    json(response, 200, { items, next_cursor: page < 4 ? String(page + 1) : '' })
  },
  delivered: (response, count) => {
    const state = count < 3 ? 'pending' : 'succeeded'
    json(response, 200, {
      ...receipt,
      state: count < 2 ? 'accepted' : 'fanned_out',
      deliveries: count < 2 ? [] : [{ id: 'dlv_1', state }],
      next_cursor: '',
    })
  },
  dead: (response) =>
    json(response, 200, {
      ...receipt,
      state: 'fanned_out',
      deliveries: [
        { id: 'a', state: 'succeeded' },
        { id: 'b', state: 'dead_lettered' },
      ],
      next_cursor: '',
    }),
  waiting: (response) =>
    json(response, 200, {
      ...receipt,
      state: 'fanned_out',
      deliveries: [{ id: 'a', state: 'pending' }],
      next_cursor: '',
    }),
  batch: (response, count, { body }) => {
    const { events } = JSON.parse(body) as { events: { topic: string }[] }
    const items = events.map(({ topic }) => {
      if (topic === 'bad') return { status: 422, code: 'unprocessable', title: 't', detail: 'd' }
      if (topic === 'busy' && count === 1) return { status: 503, code: 'overloaded', title: 't', detail: 'd' }
      return { status: 202, event_id: `evt_${topic}`, delivery_ids: [], replayed: false }
    })
    json(response, 200, { items })
  },
  'second-batch': (response, count, { body }) => {
    if (count > 1) return problem(response, 500)
    json(response, 200, {
      items: (JSON.parse(body) as { events: unknown[] }).events.map(() => ({
        status: 202,
        event_id: 'e',
        delivery_ids: [],
      })),
    })
  },
}

export async function startStubServer(): Promise<StubServer> {
  const requests = new Map<string, StubRequest[]>()
  const started = new Map<string, number>()
  let page: Readonly<Record<string, string>> = {}
  const server = createServer(async (message, response) => {
    const [, name = '', ...rest] = (message.url ?? '').split('/')
    const file = page[message.url ?? '']
    if (file !== undefined) {
      const type = message.url?.endsWith('.js') ? 'text/javascript' : 'text/html'
      response.writeHead(200, { 'content-type': type }).end(file)
      return
    }
    const body = (await buffer(message)).toString()
    if (!started.has(name)) started.set(name, performance.now())
    const { method = '', headers } = message
    const at = performance.now() - (started.get(name) ?? 0)
    const request = { method, url: `/${rest.join('/')}`, headers, body, at }
    const all = [...(requests.get(name) ?? []), request]
    requests.set(name, all)
    // What stands behind a colon only makes it another behaviour to count.
    const [kind = ''] = name.split(':')
    const behave = behaviours[kind] ?? byStatus(kind)
    if (behave === null) return problem(response, 404)
    behave(response, all.length, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requestsOf: (behaviour) => requests.get(behaviour) ?? [],
    servePage: (files) => {
      page = files
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
