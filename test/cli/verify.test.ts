import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { otherSecret, secret, signed, signedAt } from '../verify/a-signed-request.ts'
import { runToEnd } from './run-cli.ts'
import { startStubApi } from './stub-api.ts'

const folder = mkdtempSync(join(tmpdir(), 'outhook-verify-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function file(content: string | Uint8Array): string {
  const path = join(folder, String(files++))
  writeFileSync(path, content)
  return path
}

const good = signed('standard', [secret])
const lines = Object.entries(good.headers).map(([name, value]) => `${name}: ${value}`)
const raw = (body: Uint8Array | string = good.body, eol = '\r\n') =>
  Buffer.concat([
    Buffer.from(['POST /hooks HTTP/1.1', 'Host: a.example', ...lines, '', ''].join(eol)),
    Buffer.from(body),
  ])
const at = ['--received-at', new Date(signedAt * 1000).toISOString()]

describe('a captured request that verifies ends with 0', () => {
  const body = file(good.body)
  test.each<[what: string, args: readonly string[], input?: string]>([
    ['as a file of the wire', [file(raw())]],
    ['with line breaks of an editor', [file(raw(good.body, '\n'))]],
    ['on standard input', ['-'], raw().toString()],
    ['as JSON', [file(JSON.stringify({ headers: good.headers, body: Buffer.from(good.body).toString() }))]],
    [
      'as JSON with a body in base64',
      [
        file(
          JSON.stringify({ headers: good.headers, body_base64: Buffer.from(good.body).toString('base64') }),
        ),
      ],
    ],
    ['as two files', ['--headers', file(lines.join('\n')), '--body', body]],
    [
      'as curl shows headers',
      [
        '--headers',
        file(`> POST / HTTP/1.1\n${lines.map((line) => `> ${line}`).join('\n')}`),
        '--body',
        body,
      ],
    ],
    ['as flags', [...lines.flatMap((line) => ['-H', line]), '--body', body]],
  ])('%s', async (_what, args, input = '') => {
    const { code, out, err } = await runToEnd(['verify', ...args, '--secret', secret, ...at], { input })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/verifies +(yes|true)/)
  })

  test('takes the secret from the environment, and any of several', async () => {
    const args = ['verify', file(raw()), ...at]
    expect((await runToEnd(args, { env: { OUTHOOK_WEBHOOK_SECRET: secret } })).code).toBe(0)
    expect((await runToEnd([...args, '--secret', otherSecret, '--secret', secret])).code).toBe(0)
  })
})

describe('one that does not ends with 1 and says why, and never the secret', () => {
  test.each<[args: readonly string[], words: string]>([
    [[file(raw(`${Buffer.from(good.body)}\n`)), '--secret', secret, ...at], 'line break was added'],
    [[file(raw('{"test":5}')), '--secret', secret, ...at], 'content of the body was changed'],
    [[file(raw()), '--secret', otherSecret, ...at], 'secret is another endpoint’s'],
    [[file(raw()), '--secret', `"${secret}"`, ...at], 'quotation marks around it'],
    [[file(raw()), '--secret', secret], 'it was signed at 2021-02-25T15:02:10Z'],
    [[file(raw()), '--secret', secret, '--scheme', 'github'], 'no header x-hub-signature-256'],
    [[file('POST / HTTP/1.1\r\nhost: a\r\n\r\n{}'), '--secret', secret], 'no header holds a signature'],
    [
      [file(raw('{}')), '--secret', secret, '--original', file(good.body), ...at],
      'the body was changed on its way',
    ],
  ])('%o', async (args, words) => {
    const { code, out, err } = await runToEnd(['verify', ...args])
    expect(code).toBe(1)
    expect(out.replace(/\s+/g, ' ')).toContain(words)
    expect(out + err).not.toContain(secret)
  })

  test('for programs with causes', async () => {
    const { code, out } = await runToEnd(['verify', file(raw('{}')), '--secret', secret, '--json', ...at])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      verifies: false,
      scheme: 'standard',
      signature_matches: false,
      signed_at: '2021-02-25T15:02:10.000Z',
      findings: [{ cause: 'wrong_secret_or_body' }],
    })
  })
})

test('--fetch compares with what the server says that it sent', async () => {
  const api = await startStubApi(() => ({ body: good.body }))
  try {
    const connection = ['--fetch', '--url', api.url, '--token', 't']
    const wrongSecret = await runToEnd(['verify', file(raw()), '--secret', otherSecret, ...at, ...connection])
    expect(wrongSecret.out.replace(/\s+/g, ' ')).toContain('the body is what was sent')
    const changed = await runToEnd(['verify', file(raw('{}')), '--secret', secret, ...at, ...connection])
    expect(changed.out.replace(/\s+/g, ' ')).toContain('differs from byte 2 on (2 bytes, 20 were sent)')
    expect(api.requests.map(({ url }) => url)).toEqual(
      Array(2).fill('/v1/events/msg_p5jXN8AQM9LWM0D4loKWxJek/payload'),
    )
  } finally {
    await api.close()
  }
})

test.each<[args: readonly string[], words: string]>([
  [[], 'give a file with the whole request'],
  [['--body', file('{}')], 'or its headers'],
  [[file(raw()), '--body', file('{}')], 'not both'],
  [[join(folder, 'absent')], 'cannot read'],
  [[file('no request')], 'no empty line'],
  [[file('what is this\n\n')], 'is no header'],
  [[file('{"body":"x"}')], 'neither a request'],
  [[file('{"headers":{},"body":{}}')], 'parsed body'],
  [[file(raw())], 'no secret'],
  [[file(raw()), '--secret', ''], 'no secret'],
  [[file(raw()), '--secret', secret, '--scheme', 'svix'], 'Use one of standard'],
])('wrong usage %o ends with 2 and says what to give', async (args, words) => {
  const { code, err } = await runToEnd(['verify', ...args])
  expect(code).toBe(2)
  expect(err.replace(/\s+/g, ' ')).toContain(words)
})
