/** The client's types and calls are those of the OpenAPI document, which is made from the schemas that the server validates with. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  renderClientResources,
  renderClientTypes,
  renderEndpointKinds,
  renderKeptNames,
} from '../../scripts/client-source.mjs'
import { createClient } from '../../src/client/index.ts'
import { kinds } from '../../src/destinations/kinds.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const document = JSON.parse(read('docs/reference/openapi.json'))

describe('what is generated', () => {
  test.each([
    ['src/client/generated/types.ts', renderClientTypes],
    ['src/client/generated/resources.ts', renderClientResources],
    ['src/client/generated/kept-names.ts', renderKeptNames],
  ])('%s is what "npm run docs:reference" writes', (file, render) => {
    expect(read(file)).toBe(render(document))
  })

  test('the kinds of endpoints are those of the one list', () => {
    expect(read('src/client/generated/endpoint-kinds.ts')).toBe(renderEndpointKinds(kinds))
    const more = renderEndpointKinds({ ...kinds, queue: { title: 'a queue' } })
    expect(more).toContain("  queue: 'a queue',\n")
  })

  test('a change of a schema or a route changes it', () => {
    const changed = structuredClone(document)
    changed.components.schemas.Endpoint.properties.colour_name = {
      type: ['string', 'null'],
      enum: ['red', null],
    }
    changed.components.schemas.Endpoint.properties.own_tags = { type: 'object' }
    changed.paths['/v1/endpoints/{id}/paint'] = {
      post: {
        operationId: 'paintEndpoint',
        tags: ['endpoints'],
        summary: 'Paint it',
        responses: { 204: {} },
      },
    }
    expect(renderClientTypes(changed)).toContain("  readonly colourName?: 'red' | null | undefined\n")
    expect(renderKeptNames(changed)).toMatch(/\n {2}Endpoint: \{ headers: true, .*own_tags: true \},\n/)
    expect(renderClientResources(changed)).toContain(
      'paint: (id: string, options?: CallOptions): Promise<void> =>',
    )
  })
})

test('every operation of the API is a method of the client, and asks for its route', async () => {
  const asked: string[] = []
  const client = createClient({
    url: 'http://a.example',
    retry: { maxRetries: 0 },
    fetch: async (url, init) => {
      asked.push(`${init?.method} ${new URL(String(url)).pathname}`)
      if (String(url).endsWith('/v1/stream')) throw new Error('it does not end')
      return Response.json({ items: [], next_cursor: '' })
    },
  })
  const resources = Object.values(client).filter((part) => typeof part === 'object') as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >[]
  for (const methods of resources) {
    for (const call of Object.values(methods)) await call('x', 'x')
  }
  // Its answer does not end, so it is no method of a resource.
  const reading = client.stream()[Symbol.asyncIterator]()
  await reading.next().catch(() => undefined)
  const operations = Object.entries<Record<string, { tags: string[] }>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => !tags.includes('operations'))
        .map(([method]) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, 'x')}`),
  )
  expect(operations.length).toBeGreaterThan(20)
  expect(asked.sort()).toEqual(operations.sort())
})
