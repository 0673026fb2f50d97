/** Secrets and signing schemes on the command line, on a real server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'

const closing: (() => Promise<void>)[] = []
const directory = mkdtempSync(join(tmpdir(), 'outhook-secrets-'))
let api: TestServer
beforeAll(async () => {
  api = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => void closing.push(close),
  })
})
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
  rmSync(directory, { recursive: true })
})

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', adminToken])
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)

test('an endpoint is given schemes by name and as an object, and a secret from a file', async () => {
  const file = join(directory, 'secret')
  writeFileSync(file, 'a-secret-of-old\n')
  const own = '{"type":"hmac","header":"x-acme"}'
  const made = await json(
    ...['endpoints', 'create', 'https://127.0.0.1/', '--topic', 'a'],
    ...['--scheme', 'github', '--scheme', own, '--secret-file', file],
  )
  expect(made).toMatchObject({
    secret: 'a-secret-of-old',
    signing_schemes: ['github', { type: 'hmac', header: 'x-acme', message: '{body}' }],
  })
  const refused = await run('endpoints', 'update', made.id, '--scheme', 'standard')
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--scheme do not fit') })
  expect((await run('endpoints', 'update', made.id, '--scheme', '{')).code).toBe(2)
  const absent = await run('endpoints', 'rotate-secret', made.id, '--secret-file', join(directory, 'none'))
  expect(absent).toMatchObject({ code: 2, err: expect.stringContaining('cannot read') })
})

test('secrets are rotated, listed, made primary and shown', async () => {
  const made = await json(
    'endpoints',
    'create',
    'https://127.0.0.1/',
    '--topic',
    'a',
    '--key-type',
    'ed25519',
  )
  expect(made).toMatchObject({
    secret: expect.stringMatching(/^whsk_/),
    public_key: expect.stringMatching(/^whpk_/),
  })
  const rotated = await json('endpoints', 'rotate-secret', made.id, '--grace', '7d')
  expect(rotated).toEqual({ secret: expect.stringMatching(/^whsec_/), public_key: null })
  const list = async () => (await json('endpoints', 'secrets', made.id)).items
  const [newest, oldest] = await list()
  expect([newest.primary, oldest.primary]).toEqual([false, true])
  const table = (await run('endpoints', 'secrets', made.id)).out
  expect(table).toContain(made.public_key)
  expect(table).not.toContain(rotated.secret)
  const { keys } = await json('endpoints', 'public-keys', made.id)
  expect(keys).toMatchObject([{ kty: 'OKP', kid: oldest.id, public_key: made.public_key }])
  expect((await run('endpoints', 'public-keys', made.id)).out).toMatch(
    new RegExp(`ID +EXPIRES +PUBLIC KEY\\n${oldest.id} .*${made.public_key.replaceAll('+', '\\+')}`),
  )
  await run('endpoints', 'primary-secret', made.id, newest.id)
  expect(await list()).toMatchObject([{ primary: true }, { primary: false }])
  expect(await json('endpoints', 'reveal-secret', made.id, newest.id)).toEqual({
    id: newest.id,
    secret: rotated.secret,
  })
  expect(await list()).toMatchObject([{ reveals: 1 }, { reveals: 0 }])
  const over = await run('endpoints', 'rotate-secret', made.id, '--grace', '8d')
  expect(over).toMatchObject({ code: 2, err: expect.stringContaining('--grace must be') })
})
