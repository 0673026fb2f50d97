import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import type { ApiOptions } from '../../src/api/options.ts'
import { buildServer } from '../../src/api/server.ts'
import { type App, openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Clock, createSystemClock } from '../../src/core/clock.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { type Logger, silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { countActivity } from '../../src/count-activity.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts'
import type { Store } from '../../src/store/port.ts'
import { expectDocumented } from './expect-documented.ts'

export const adminToken = 'test-admin-token'

export interface ServerOptions
  extends Partial<Pick<ApiOptions, 'timeouts' | 'keyCacheMs' | 'adminTokens' | 'ingestRate' | 'portal'>> {
  /** Default false: nothing is sent. */
  readonly dispatch?: boolean
  /** Of the engine. */
  readonly clock?: Clock
  readonly config?: Readonly<Record<string, unknown>>
  readonly publicEventTypes?: boolean
  readonly logger?: Logger
  /** Default: at the end of the running test. */
  readonly closeWith?: (close: () => Promise<void>) => void
  /** Puts itself between the API and the engine. */
  readonly wrapEngine?: (engine: Engine) => Engine
}

export interface CallOptions {
  /** Null: no credentials. Default: the admin token. */
  readonly token?: string | null
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  readonly json: any
}

export interface TestServer {
  readonly url: string
  readonly port: number
  readonly engine: Engine
  readonly metrics: Metrics
  /** While true, every call of the store fails as if it were out of reach. */
  setStoreDown(down: boolean): void
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** A producer key: its id and its text. */
  producer(name?: string): Promise<{ readonly id: string; readonly key: string }>
  /** Sends bytes over a socket of its own and resolves with all that comes back until the server closes it. */
  raw(text: string | Uint8Array): Promise<string>
  close(): Promise<void>
}

/** A listening server on the real engine and an in-memory store; closed when the test is over. */
export async function aServer(options: ServerOptions = {}): Promise<TestServer> {
  let storeDown = false
  const app = await openApp({
    config: loadConfig({ options: { store: 'memory:', ...options.config } }),
    logger: silentLogger,
    dispatch: options.dispatch ?? false,
    ...(options.clock !== undefined && { clock: options.clock }),
    wrapStore: (store) => failWhen(store, () => storeDown),
  })
  const engine = options.wrapEngine?.(app.engine) ?? app.engine
  const metrics = aMetrics(app)
  const server = buildServer(engine, {
    version: '0.0.0',
    clock: options.clock ?? createSystemClock(),
    log: options.logger ?? silentLogger,
    metrics,
    adminTokens: options.adminTokens ?? [adminToken],
    ...(options.ingestRate !== undefined && { ingestRate: options.ingestRate }),
    publicEventTypes: options.publicEventTypes ?? false,
    ...(options.portal !== undefined && { portal: options.portal }),
    ...(options.timeouts !== undefined && { timeouts: options.timeouts }),
    ...(options.keyCacheMs !== undefined && { keyCacheMs: options.keyCacheMs }),
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(new URL(url).port)
  let closed: Promise<void> | null = null
  const close = async (): Promise<void> => {
    await server.close()
    storeDown = false
    await app.close()
  }
  const closeOnce = (): Promise<void> => {
    closed ??= close()
    return closed
  }
  const closeWith = options.closeWith ?? onTestFinished
  closeWith(closeOnce)
  return {
    url,
    port,
    engine,
    metrics,
    setStoreDown: (down) => {
      storeDown = down
    },
    async call(method, path, call) {
      const answer = await callServer(url, { method, path, ...call })
      expectDocumented(method, path, answer)
      return answer
    },
    async producer(name = 'tests') {
      const { key, token } = await engine.apiKeys.create(defaultTenantId, { name })
      return { id: key.id, key: token }
    },
    raw: (text) => sendRaw(port, text),
    close: closeOnce,
  }
}

function aMetrics({ engine, inFlight }: App): Metrics {
  const metrics = createMetrics({ counts: () => engine.counts(), inFlight })
  countActivity(engine.activity, metrics)
  return metrics
}

/** Only `close` still works while the store is down. */
function failWhen(store: Store, isDown: () => boolean): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        if (isDown() && name !== 'close') {
          return Promise.reject(new OuthookError('store_unavailable', 'the test took the store away; wait'))
        }
        return Reflect.apply(member, target, args)
      }
    },
  })
}

async function callServer(
  url: string,
  { method, path, token = adminToken, body, headers }: CallOptions & { method: string; path: string },
): Promise<Answer> {
  const plain = typeof body === 'string' || body instanceof Uint8Array || body === undefined
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(!plain && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && {
      body: plain ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    }),
  })
  // Of an answer that does not end nothing is read.
  const isEndless = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  if (isEndless) await response.body?.cancel()
  const text = isEndless ? '' : await response.text()
  return { status: response.status, headers: response.headers, text, json: parseOrNull(text) }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function sendRaw(port: number, text: string | Uint8Array): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A reset ends the answer as a close does; what came before it counts.
  socket.on('error', () => undefined)
  socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  socket.write(text)
  return promise
}
