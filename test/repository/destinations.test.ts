/**
 * Where deliveries go is known to the folder of each kind alone: nobody else imports it, and a kind that nobody here has heard
 * of takes events once it is in the list.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { kindNames, kinds } from '../../src/destinations/kinds.ts'
import type { DestinationKind, EndedAttempt } from '../../src/destinations/port.ts'
import { patienceMs } from '../patience.ts'

const src = resolve(import.meta.dirname, '../../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const textOf = (file: string) => readFileSync(join(src, file), 'utf8')

test.each(kindNames)('nobody but the list of kinds and its own folder imports the kind %s', (kind) => {
  const importing = files.filter((file) =>
    new RegExp(`from '[^']*/${kind}/[^']*-(?:kind|destination)\\.ts'`).test(textOf(file)),
  )
  const folder = `destinations/${kind}/`
  expect(importing.filter((file) => !file.startsWith(folder))).toEqual(['destinations/kinds.ts'])
  const inside = readdirSync(join(src, folder))
  const outside = files.filter((file) => !file.startsWith(folder) && file !== 'destinations/kinds.ts')
  const wrong = outside.filter((file) =>
    inside.some(
      (name) =>
        textOf(file).includes(`destinations/${kind}/${name}`) ||
        (file.startsWith('destinations/') && textOf(file).includes(`/${kind}/${name}`)),
    ),
  )
  expect(wrong).toEqual([])
})

test('a kind is named in its folder and in the list of kinds alone, so that another one needs no other file', () => {
  const pages = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tsx'),
  )
  const naming = [...files, ...pages].filter((file) => /['"]discord['"]/.test(textOf(file)))
  const elsewhere = naming.filter(
    (file) => !/^(?:alerts|discord|client\/generated|destinations\/discord)\//.test(file),
  )
  // Kinds of secrets in source code have such names as well; and one that a caller may give is an example.
  expect(elsewhere.sort()).toEqual(['core/secret-scan.ts', 'engine/endpoint-input.ts'])
})

test('nothing that moves deliveries knows of a URL, a method or what a status means', () => {
  const moving = files.filter((file) => file.startsWith('delivery/'))
  // Tokens are fetched over HTTP, whatever they are for.
  const words =
    /\.method\b|\bhttpStatus (?:===|!==|[<>])|\bhttp_\d|new URL\(|\.url\.|isRetryableStatus|classifyAttempt/
  const known = moving.filter((file) => words.test(textOf(file)))
  expect(known.sort()).toEqual(['delivery/credential-source.ts', 'delivery/token-source.ts'])
})

const accepted: EndedAttempt = {
  status: 'success',
  errorClass: null,
  contact: 'reached',
  disable: false,
  counted: true,
  askedMs: null,
  throttleMs: null,
  againInMs: null,
  httpStatus: null,
  error: null,
  latencyMs: 1,
  response: null,
}

/** A queue in memory, as one of Kafka or SQS would be: no request and no status. */
function aQueueKind() {
  const taken: string[] = []
  const answers: Partial<EndedAttempt>[] = []
  const queue: DestinationKind = {
    title: 'a queue',
    takes: ['settings'],
    defaults: { maxInFlight: 1 },
    settingsSchema: { type: 'object' },
    readSettings: (given) => given as Readonly<Record<string, unknown>>,
    readAddress: async (given) => ({ address: given }),
    prepare: ({ endpoint }) => ({
      label: 'a queue',
      refusal: null,
      timeoutMs: null,
      async attempt({ payload }) {
        taken.push(`${endpoint.settings?.partition} ${Buffer.from(payload)}`)
        return { ...accepted, ...answers.shift() }
      },
    }),
  }
  return { queue, taken, answers }
}

test('a kind that is added to the list takes events, and its answers are retried, kept and disable as any other’s', async () => {
  const { queue, taken, answers } = aQueueKind()
  answers.push({
    status: 'retryable_failure',
    errorClass: 'connection',
    error: 'the broker is away',
    contact: 'none',
  })
  const options = { store: 'memory:' }
  const app = await openApp({
    config: loadConfig({ options }),
    logger: silentLogger,
    dispatch: true,
    onMasterKeyCreated: () => {},
    kinds: { ...kinds, queue },
  })
  onTestFinished(() => app.close())
  const { engine } = app
  const { endpoint } = await engine.endpoints.create(defaultTenantId, {
    kind: 'queue',
    url: 'queue://broker/orders',
    settings: { partition: 7 },
    topics: ['*'],
    retryPolicy: { max_attempts: 3, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] },
  })
  const publish = async () => {
    const event = {
      topic: 'a',
      metadata: null,
      traceContext: null,
      orderingKey: null,
      idempotency: null,
      producerKeyId: null,
    }
    const payload = Buffer.from('{"id":1}')
    const { deliveryIds } = await engine.publisher.publish({ ...event, tenantId: defaultTenantId, payload })
    return deliveryIds[0] ?? ''
  }
  const stateOf = async (id: string) => (await engine.deliveries.get(defaultTenantId, id)).state
  const id = await publish()
  await expect.poll(() => stateOf(id), { timeout: patienceMs }).toBe('succeeded')
  expect(taken).toEqual(['7 {"id":1}', '7 {"id":1}'])
  const { attempts } = await engine.deliveries.get(defaultTenantId, id)
  expect(attempts.map(({ error, httpStatus }) => [error, httpStatus])).toEqual([
    ['the broker is away', null],
    [null, null],
  ])
  answers.push({ status: 'permanent_failure', errorClass: 'policy', error: 'no such queue', disable: true })
  const refused = await publish()
  await expect.poll(() => stateOf(refused), { timeout: patienceMs }).toBe('dead_lettered')
  expect(await engine.endpoints.get(defaultTenantId, endpoint.id)).toMatchObject({
    kind: 'queue',
    disabledReason: 'gone',
  })
})
