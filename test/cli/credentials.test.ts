/** The commands for credentials, on a real server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { runToEnd } from './run-cli.ts'

const secret = 'a-secret-of-the-partner-9876'
const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => void closing.push(close),
  })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const run = (args: readonly string[], input?: string) =>
  runToEnd([...args, '--url', api.url, '--token', adminToken], input === undefined ? {} : { input })
const json = async (args: readonly string[], input?: string) => {
  const { code, out, err } = await run([...args, '--json'], input)
  expect([code, err]).toEqual([0, ''])
  expect(out).not.toContain(secret)
  return JSON.parse(out)
}

test('a credential is made with a secret of standard input or a file, listed, changed, switched off and deleted', async () => {
  const path = join(aDirectory(), 'secret')
  writeFileSync(path, `${secret}\n`)
  const made = await json(
    ['credentials', 'create', 'partner', '--kind', 'bearer', '--secret-file', '-'],
    `${secret}\n`,
  )
  expect(made).toMatchObject({ name: 'partner', kind: 'bearer', active: true, secret_hint: '9876' })
  const list = await run(['credentials', 'list'])
  expect(list.out).toMatch(/ID +NAME +KIND +STATE +SECRET +HOSTS +USED/)
  expect(list.out).toContain('…9876')
  const changed = await json([
    'credentials',
    'update',
    'partner',
    '--secret-file',
    path,
    '--description',
    'theirs',
  ])
  expect(changed).toMatchObject({ id: made.id, description: 'theirs', secret_hint: '9876' })
  expect(await json(['credentials', 'deactivate', 'partner'])).toMatchObject({ active: false })
  expect(await json(['credentials', 'activate', made.id])).toMatchObject({ active: true })

  const endpoint = ['endpoints', 'create', 'https://127.0.0.1/hook', '--credential', 'partner']
  const { id, credential_id } = await json(endpoint)
  expect(credential_id).toBe(made.id)
  const refused = await run(['credentials', 'delete', 'partner'])
  expect([refused.code === 0, refused.err]).toEqual([false, expect.stringContaining(id)])
  expect(await json(['endpoints', 'update', id, '--credential', 'none'])).toMatchObject({
    credential_id: null,
  })
  expect(await json(['credentials', 'delete', 'partner'])).toEqual({ id: made.id, deleted: true })
})

test('OAuth2 has its settings as flags, and its client secret in a file', async () => {
  const settings = ['--token-url', 'https://127.0.0.1/token', '--client-id', 'shop', '--scope', 'a b']
  const kind = ['--kind', 'oauth2_client_credentials', '--auth-style', 'body', '--secret-file', '-']
  const made = await json(['credentials', 'create', 'login', ...kind, ...settings], secret)
  expect(made).toMatchObject({
    token_url: 'https://127.0.0.1/token',
    client_id: 'shop',
    scope: 'a b',
    auth_style: 'body',
  })
})

test.each([
  [['credentials', 'create', 'x', '--kind', 'bearer'], '--secret-file is missing'],
  [['credentials', 'create', 'x', '--kind', 'none', '--secret-file', '-'], 'has no such secret'],
  [['credentials', 'create', 'x', '--kind', 'basic', '--secret-file', '-'], '--username is missing'],
  [['credentials', 'get', 'nobody'], 'no credential has the id or name nobody'],
  [
    ['endpoints', 'create', 'https://127.0.0.1/', '--credential', 'nobody'],
    'no credential has the id or name',
  ],
  [
    ['credentials', 'create', 'x', '--kind', 'client_certificate', '--certificate-file', '/no'],
    'cannot read /no',
  ],
])('%j says what is wrong', async (args, message) => {
  const { code, err } = await run(args, secret)
  expect([code === 0, err]).toEqual([false, expect.stringContaining(message)])
  expect(err).not.toContain(secret)
})

test('a credential is kept with its hosts, which are listed, changed and taken back', async () => {
  const hosts = ['--authorized-host', 'partner.example', '--authorized-host', '127.0.0.1']
  const create = ['credentials', 'create', 'kept', '--kind', 'bearer', '--secret-file', '-', ...hosts]
  expect(await json(create, secret)).toMatchObject({ authorized_hosts: ['partner.example', '127.0.0.1'] })
  expect((await run(['credentials', 'list'])).out).toMatch(/kept .* partner\./)
  const refused = await run(['endpoints', 'create', 'https://127.0.0.2/', '--credential', 'kept'])
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringMatching(/the credential "kept" .* may not be sent to 127\.0\.0\.2/),
  })
  const wrong = await run(['credentials', 'update', 'kept', '--authorized-host', 'a/b'])
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--authorized-host must be a host') })
  expect(await json(['credentials', 'update', 'kept', '--authorized-host', 'any'])).toMatchObject({
    authorized_hosts: null,
  })
  expect((await run(['credentials', 'list'])).out).toMatch(/kept .* any /)
})

test('an endpoint is given a client certificate beside its credential, by name, and loses it by none', async () => {
  // What is no certificate is refused by the server, in the words of the flag.
  await json(['credentials', 'create', 'header', '--kind', 'bearer', '--secret-file', '-'], secret)
  const flags = ['--credential', 'header', '--client-certificate', 'header']
  const refused = await run(['endpoints', 'create', 'https://127.0.0.1/', ...flags])
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('no client certificate') })
  const unknown = await run(['endpoints', 'create', 'https://127.0.0.1/', '--client-certificate', 'nobody'])
  expect(unknown.err).toContain('no credential has the id or name nobody')
  const { id } = await json(['endpoints', 'create', 'https://127.0.0.1/', '--credential', 'header'])
  expect(await json(['endpoints', 'update', id, '--client-certificate', 'none'])).toMatchObject({
    client_certificate_id: null,
  })
  const sent = await run(['send', 'https://127.0.0.1/', '1', '--client-certificate', 'header'])
  expect(sent).toMatchObject({ code: 2, err: expect.stringContaining('no client certificate') })
})
