/** Names of other systems are explained wherever a user meets them. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { retryProfileNotes } from '../../src/core/retry-policy.ts'
import { runToEnd } from '../cli/run-cli.ts'

const root = resolve(import.meta.dirname, '../..')
const page = (name: string) => readFileSync(join(root, name), 'utf8')
const foreign = ['hookrail', 'dograh', 'pyfly'] as const

test('each profile has a note that says which system it is of', () => {
  expect(foreign.map((name) => retryProfileNotes[name])).toEqual([
    expect.stringContaining('the webhook server Hookrail'),
    expect.stringContaining('the voice platform Dograh'),
    expect.stringContaining('the Python framework PyFly'),
  ])
})

test.each([
  ['serve'],
  ['endpoints', 'create'],
  ['endpoints', 'upsert'],
  ['endpoints', 'update'],
  ['subscriptions', 'create'],
  ['subscriptions', 'update'],
])('the help of "%s %s" explains the profiles that it names', async (...words) => {
  const { out } = await runToEnd([...words.filter(Boolean), '--help'])
  const text = out.replace(/\s+/g, ' ')
  for (const name of foreign) expect(text).toContain(`${name} (${retryProfileNotes[name]})`)
})

test('the help of "endpoints create" explains the signing schemes', async () => {
  const { out } = await runToEnd(['endpoints', 'create', '--help'])
  expect(out.replace(/\s+/g, ' ')).toContain(
    'hookrail (for receivers that verify as those of the webhook server Hookrail',
  )
})

test('the OpenAPI document explains profiles, schemes and hookrail’s header', () => {
  const { components, paths } = JSON.parse(page('docs/reference/openapi.json'))
  for (const name of foreign) {
    expect(components.schemas.RetryPolicy.description).toContain(retryProfileNotes[name])
  }
  const schemes = components.schemas.SigningScheme
  expect(schemes.description).toContain('standard (Standard Webhooks), hookrail (for receivers')
  const headers: { name: string; description: string }[] = paths['/v1/events'].post.parameters
  expect(headers.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['outhook-ordering-key', 'x-hookrail-ordering-key']),
  )
  const theirs = headers.find(({ name }) => name === 'x-hookrail-ordering-key')
  expect(theirs?.description).toContain('the webhook server Hookrail')
})

test('the pages that name them say what they are', () => {
  expect(page('docs/guides/retries.md')).toMatch(/`hookrail` is a webhook server, `dograh` a voice platform/)
  expect(page('docs/guides/receiving.md')).toContain('as those of the webhook server Hookrail do')
  expect(page('docs/reference/configuration.md')).toContain(retryProfileNotes.dograh)
  expect(page('docs/compatibility.md')).toMatch(/hookrail \(a webhook server\).*pyfly \(a Python framework\)/)
})
