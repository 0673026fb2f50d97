/** The whole engine on a real store and real sockets, with a clock of the test's own where time matters. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type App, openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Clock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { AttemptActivity } from '../../src/delivery/activity.ts'
import type { EndpointInput } from '../../src/engine/endpoint-input.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { PublishReceipt, PublishRequest } from '../../src/engine/publish.ts'
import type { Store } from '../../src/store/port.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { type Receiver, type ReceiverOptions, startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'

export const tenant = defaultTenantId

export interface AppSetup {
  readonly store?: string
  readonly dispatch?: boolean
  readonly clock?: Clock
  readonly wrapStore?: (store: Store) => Store
  /** As `OpenOptions`. */
  readonly options?: Readonly<Record<string, unknown>>
}

export interface TestApp extends App {
  readonly attempts: readonly AttemptActivity[]
  /** Waits until so many attempts were recorded, or rejects after 10 s. */
  attempted(count: number): Promise<readonly AttemptActivity[]>
}

export async function anApp(setup: AppSetup = {}): Promise<TestApp> {
  const options = {
    store: setup.store ?? 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    drainDeadline: '2s',
    ...setup.options,
  }
  const app = await openApp({
    config: loadConfig({ options }),
    logger: silentLogger,
    dispatch: setup.dispatch ?? true,
    onMasterKeyCreated: () => {},
    ...(setup.clock && { clock: setup.clock }),
    ...(setup.wrapStore && { wrapStore: setup.wrapStore }),
  })
  onTestFinished(() => app.close())
  const attempts: AttemptActivity[] = []
  const waiters = new Set<() => void>()
  app.engine.activity.on('attempt', (attempt) => {
    attempts.push(attempt)
    for (const waiter of waiters) waiter()
  })
  const attempted = (count: number) =>
    new Promise<readonly AttemptActivity[]>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`only ${attempts.length} of ${count} attempts`)),
        patienceMs,
      )
      const check = () => {
        if (attempts.length < count) return
        clearTimeout(timer)
        waiters.delete(check)
        resolve([...attempts])
      }
      waiters.add(check)
      check()
    })
  return { ...app, attempts, attempted }
}

/**
 * Moves the clock and waits for so many attempts. The store answers in real time while the clock jumps, so that a
 * claim may come back with a wait that is over already: the clock is nudged on while nothing is in flight.
 */
export async function attemptedAfter(
  app: TestApp,
  clock: ManualClock,
  { ms, count }: { readonly ms: number; readonly count: number },
): Promise<readonly AttemptActivity[]> {
  await clock.advance(ms)
  while (app.attempts.length < count) {
    await app.engine.ping()
    if (app.inFlight() === 0 && app.attempts.length < count) await clock.advance(50)
  }
  return app.attempted(count)
}

export async function aReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = await startReceiver(options)
  onTestFinished(() => receiver.close())
  return receiver
}

/** A receiver that does what the listener does. */
export async function anHttpServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A port on which nobody listens. */
export async function aRefusedUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}/`
}

export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function anEndpointAt(engine: Engine, url: string, given: Partial<EndpointInput> = {}) {
  return engine.endpoints.create(tenant, { url, topics: ['*'], ...given })
}

export function publish(
  engine: Engine,
  given: Partial<Omit<PublishRequest, 'payload'>> & { readonly json?: string } = {},
): Promise<PublishReceipt> {
  const { json = '{"id":1}', ...rest } = given
  return engine.publisher.publish({
    tenantId: tenant,
    topic: 'orders.created',
    payload: Buffer.from(json),
    metadata: null,
    traceContext: null,
    orderingKey: null,
    idempotency: null,
    producerKeyId: null,
    ...rest,
  })
}

export async function onlyDelivery(engine: Engine, eventId: string) {
  const { deliveries } = await engine.events.get(tenant, eventId)
  if (deliveries.length !== 1 || deliveries[0] === undefined)
    throw new Error(`${deliveries.length} deliveries`)
  return engine.deliveries.get(tenant, deliveries[0].id)
}
