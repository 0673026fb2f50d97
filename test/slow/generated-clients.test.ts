/** Clients that public generators make of the OpenAPI document compile, read well and work against a server. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNpmFolder, type NpmFolder } from './npm-folder.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const document = resolve(import.meta.dirname, '../../docs/reference/openapi.json')
let npm: NpmFolder

beforeAll(async () => {
  npm = await createNpmFolder([
    '@hey-api/openapi-ts@0.99.0',
    'openapi-typescript@7.13.0',
    'openapi-fetch@0.14.0',
    'typescript@5.9',
  ])
  copyFileSync(document, join(npm.path, 'openapi.json'))
}, 400_000)
afterAll(() => npm.remove())

const compilerOptions = {
  target: 'es2022',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
  types: [],
  strict: true,
  skipLibCheck: true,
}

async function compile(name: string, files: readonly string[], options: object = {}): Promise<void> {
  writeFileSync(
    join(npm.path, `${name}.json`),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, ...options, outDir: `out-${name}`, rootDir: '.' },
      files,
    }),
  )
  await npm.run('tsc', ['-p', `${name}.json`])
}

const sdkProgram = `
import { createClient } from './sdk/client'
import { createEndpoint, listEndpoints, publishEvent, getEvent, rotateEndpointSecret } from './sdk'
import type { CreatedEndpoint, Endpoint, EndpointPage, EventStatus, NewSecret, Problem, PublishReceipt } from './sdk'

export async function use(baseUrl: string, auth: string) {
  const client = createClient({ baseUrl, auth })
  const made = await createEndpoint({ client, body: { url: 'https://127.0.0.1:9/hooks', topics: ['orders.*'] } })
  const endpoint: CreatedEndpoint | Endpoint | undefined = made.data
  const page: EndpointPage | undefined = (await listEndpoints({ client, query: { limit: 1 } })).data
  const receipt: PublishReceipt | undefined = (await publishEvent({ client, body: { topic: 'orders.created', payload: { id: 1 } } })).data
  const event: EventStatus | undefined = (await getEvent({ client, path: { id: receipt?.event_id ?? '' } })).data
  const secret: NewSecret | undefined = (await rotateEndpointSecret({ client, path: { id: endpoint?.id ?? '' }, body: {} })).data
  const refused = await publishEvent({ client, body: { topic: '', payload: 1 } })
  const problem: Problem | undefined = refused.error
  return [endpoint?.topics, page?.items.length, event?.topic, secret?.secret.startsWith('whsec_'), problem?.code]
}
`

test('@hey-api/openapi-ts makes a client that compiles and works', { timeout: 400_000 }, async ({ skip }) => {
  if (npm.missing !== null) return skip(`not run: ${npm.missing}`)
  await npm.run('openapi-ts', ['-i', './openapi.json', '-o', './sdk'])
  writeFileSync(join(npm.path, 'use-sdk.ts'), sdkProgram)
  await compile('sdk', ['use-sdk.ts'])
  const { url } = await startServer({ database: join(aDirectory(), 'outhook.db') })
  // The output has imports without endings, so it is run as one file.
  const { rolldown } = await import('rolldown')
  const bundle = await rolldown({ input: join(npm.path, 'out-sdk', 'use-sdk.js'), logLevel: 'warn' })
  const file = join(npm.path, 'use-sdk.mjs')
  await bundle.write({ file, format: 'esm' })
  const { use } = (await import(pathToFileURL(file).href)) as {
    use(url: string, token: string): Promise<unknown>
  }
  expect(await use(url, adminToken)).toEqual([['orders.*'], 1, 'orders.created', true, 'invalid_body'])
})

const fetchProgram = `
import createClient from 'openapi-fetch'
import type { components, paths } from './types'

export async function use(baseUrl: string) {
  const client = createClient<paths>({ baseUrl })
  const { data, error } = await client.POST('/v1/events', { body: { topic: 'orders.created', payload: { id: 1 } } })
  const receipt: components['schemas']['PublishReceipt'] | undefined = data
  const problem: components['schemas']['Problem'] | undefined = error
  const page = await client.GET('/v1/deliveries', { params: { query: { state: 'dead_lettered' } } })
  const first: components['schemas']['Delivery'] | undefined = page.data?.items[0]
  // @ts-expect-error there is no such state
  await client.GET('/v1/deliveries', { params: { query: { state: 'lost' } } })
  return [receipt?.delivery_ids, problem?.code, first?.state]
}
`

test('openapi-typescript makes types that compile', { timeout: 400_000 }, async ({ skip }) => {
  if (npm.missing !== null) return skip(`not run: ${npm.missing}`)
  await npm.run('openapi-typescript', ['openapi.json', '-o', 'types.ts'])
  writeFileSync(join(npm.path, 'use-types.ts'), fetchProgram)
  await compile('types', ['use-types.ts'])
})

const domProgram = `
import { createClient, RateLimitError } from 'outhook/client'
import { createVerifier, verifyRequest, webhookHandler } from 'outhook/verify'

const client = createClient({ url: 'http://127.0.0.1', fetch })
export async function use(request: Request): Promise<boolean> {
  for await (const endpoint of client.endpoints.list()) if (endpoint.uid === null) break
  const { replayed } = await client.send({ topic: 'a', payload: 1 }).catch((error) => {
    throw error instanceof RateLimitError ? error.retryAfterSeconds : error
  })
  const webhook = await verifyRequest(request, createVerifier({ secrets: () => 'whsec_AAAA' }))
  return replayed && webhook.id !== null
}
export const handle: (request: Request) => Promise<Response> = webhookHandler({ secrets: 'a' }, (webhook, request: Request) => new Response(webhook.text() + request.url))
`

test('our own client and verifier compile with the types of a browser alone', { timeout: 400_000 }, async ({
  skip,
}) => {
  if (npm.missing !== null) return skip(`not run: ${npm.missing}`)
  const root = resolve(import.meta.dirname, '../..')
  const target = join(npm.path, 'node_modules', 'outhook')
  mkdirSync(target)
  copyFileSync(join(root, 'package.json'), join(target, 'package.json'))
  for (const entry of ['client', 'verify']) {
    cpSync(join(root, 'dist', entry), join(target, 'dist', entry), { recursive: true })
  }
  writeFileSync(join(npm.path, 'use-dom.ts'), domProgram)
  await compile('dom', ['use-dom.ts'], { skipLibCheck: false, exactOptionalPropertyTypes: true })
})

test('every operation has an id that is a name, and every answer of JSON that is no plain value a named schema', () => {
  const { paths } = JSON.parse(readFileSync(document, 'utf8')) as {
    paths: Record<
      string,
      Record<
        string,
        {
          operationId: string
          responses: Record<string, { content?: Record<string, { schema: Record<string, unknown> }> }>
        }
      >
    >
  }
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const ids = operations.map(({ operationId }) => operationId)
  for (const id of ids) expect(id).toMatch(/^[a-z]+([A-Z][a-z]+)*$/)
  expect(new Set(ids).size).toBe(ids.length)
  const unnamed = operations.flatMap(({ operationId, responses }) =>
    Object.values(responses).flatMap(({ content = {} }) =>
      Object.values(content)
        .filter(({ schema }) => schema.type === 'object')
        .map(() => operationId),
    ),
  )
  expect(unnamed).toEqual([])
})
