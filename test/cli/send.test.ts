import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { type CliSetting, runToEnd } from './run-cli.ts'

let server: TestServer
let directory: string
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => closers.push(close),
  })
  directory = mkdtempSync(join(tmpdir(), 'outhook-send-'))
  closers.push(() => rmSync(directory, { recursive: true }))
  return () => Promise.all(closers.map((close) => close()))
})

const run = (args: string[], setting: CliSetting = {}) =>
  runToEnd(['send', ...args, '--url', server.url, '--token', adminToken], setting)
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

test('sends exactly what is given to a URL, waits for it, and shows what became of it', async () => {
  const receiver = await aReceiver()
  const { code, out } = await run([
    ...[`${receiver.url}/x`, '{"n": 12345678901234567890 }', '--method', 'PUT', '--header', 'x-a: 1'],
    ...['--meta', 'run=7', '--timeout', '5s', '--retry', '{"max_attempts":2}', '--wait'],
  ])
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('succeeded') })
  const [request] = receiver.received
  expect(request).toMatchObject({
    method: 'PUT',
    path: '/x',
    headers: { 'x-a': '1', 'outhook-meta-run': '7' },
  })
  expect(textOf(request?.body)).toBe('{"n": 12345678901234567890 }')
})

test('sends to an endpoint by its uid, once for each idempotency key, and prints ids for programs', async () => {
  const receiver = await aReceiver()
  await server.call('POST', '/v1/endpoints', { body: { uid: 'crm', url: receiver.url, topics: ['x'] } })
  const args = ['crm', '1', '--idempotency-key', 'ключ', '--json']
  const first = JSON.parse((await run(args)).out)
  const again = JSON.parse((await run(args)).out)
  expect(first).toMatchObject({ delivery_id: expect.stringMatching(/^dlv_/), replayed: false })
  expect(again).toEqual({ ...first, replayed: true })
  await receiver.waitFor(1)
  expect(receiver.received[0]?.headers).toHaveProperty('webhook-signature')
})

test.each<[string, () => string[], string, string | undefined]>([
  [
    'a file',
    () => ['--file', aFile(Buffer.from([0, 255])), '--content-type', 'application/octet-stream'],
    '00ff',
    'application/octet-stream',
  ],
  [
    'text of its own type',
    () => ['a=1', '--content-type', 'application/x-www-form-urlencoded'],
    '613d31',
    'application/x-www-form-urlencoded',
  ],
  ['standard input', () => ['-'], '5b325d', 'application/json'],
  ['nothing', () => [], '', undefined],
])('takes the body from %s', async (_from, args, hex, type) => {
  const receiver = await aReceiver()
  const { code, err } = await run([receiver.url, ...args()], { input: '[2]' })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const [request] = await receiver.waitFor(1)
  expect(Buffer.from(request?.body ?? []).toString('hex')).toBe(hex)
  expect(request?.headers['content-type']).toBe(type)
})

function aFile(content: Uint8Array): string {
  const path = join(directory, 'payload')
  writeFileSync(path, content)
  return path
}

test.each<[string, string[], number, string]>([
  ['text that is no JSON', ['http://127.0.0.1:1/', 'x'], 2, 'say by --content-type what it is'],
  ['payload and file', ['http://127.0.0.1:1/', '1', '--file', 'x'], 2, 'give a payload or --file, not both'],
  ['a file that is not there', ['http://127.0.0.1:1/', '--file', '/nowhere/x'], 2, 'cannot be read (ENOENT)'],
  [
    'another method',
    ['http://127.0.0.1:1/', '--method', 'HEAD'],
    2,
    'Use one of POST, PUT, PATCH, GET, DELETE',
  ],
  ['a private address', ['http://10.0.0.1/', '1'], 2, '<url-or-endpoint>: '],
  [
    'a header of ours',
    ['http://127.0.0.1:1/', '1', '--header', 'outhook-x: 1'],
    2,
    '--header (outhook-x) is set by the sender itself',
  ],
  [
    'a type that is none',
    ['http://127.0.0.1:1/', '1', '--content-type', 'x'],
    2,
    '--content-type must be a media type',
  ],
  ['a timeout that is too long', ['http://127.0.0.1:1/', '1', '--timeout', '1h'], 2, '--timeout must be'],
  ['an endpoint that is not there', ['nobody', '1'], 3, 'no endpoint has the id or uid nobody'],
])('refuses %s, in the words of the command line', async (_what, args, exitCode, message) => {
  const { code, err } = await run(args)
  expect({ code, err }).toMatchObject({ code: exitCode, err: expect.stringContaining(message) })
})
