/** What a receiver repeats of the request is not kept, where it was secret. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { HiddenSecrets } from '../../src/core/hidden-secrets.ts'
import { generateSecret, prepareSecret } from '../../src/core/signing-secrets.ts'
import { redactCapture, redactResult } from '../../src/sender/capture-redaction.ts'
import { answering, aRawReceiver, aRequest, aSender, responseFrom } from './raw-receiver.ts'

const signature = 'K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4='
const other = 'zzzzfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN+H+pI4='
const hex = '5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'

const cases: readonly (readonly [what: string, headers: Record<string, string>, planted: string])[] = [
  ['a signature', { 'webhook-signature': `v1,${signature}` }, signature],
  ['the second of two signatures', { 'webhook-signature': `v1,${signature} v1,${other}` }, other],
  ['a signature in hexadecimal', { 'x-hub-signature-256': `sha256=${hex}` }, hex],
  ['the signature of hookrail', { 'hookrail-signature': `t=1700000000,v1=${hex}` }, hex],
  ['a bearer token', { authorization: 'Bearer tok-en.123' }, 'tok-en.123'],
  ['basic credentials', { authorization: 'Basic dXNlcjpwYTU1d29yZA==' }, 'dXNlcjpwYTU1d29yZA=='],
  ['the password in basic credentials', { authorization: 'Basic dXNlcjpwYTU1d29yZA==' }, 'pa55word'],
  ['an API key', { 'x-api-key': 'k_12345' }, 'k_12345'],
  ['a cookie', { cookie: 'session=abcdef123' }, 'abcdef123'],
]

const written = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const request = (headers: Record<string, string>, path = '/') =>
  aRequest(`https://a.test${path}`, { headers })
const capture = (body: string, truncated = false) => ({
  headers: [['x-echo', body.slice(0, 200)] as const],
  body: Buffer.from(body),
  truncated,
})

test.each(cases)('G11 %s that is repeated is taken out of body and headers', (_what, headers, planted) => {
  const body = `<p>expected ${planted}, and ${planted} again; the rest stays</p>`
  const kept = redactCapture(capture(body), request(headers))
  expect(written(kept.body)).toBe('<p>expected [hidden], and [hidden] again; the rest stays</p>')
  expect(kept.headers).toEqual([['x-echo', '<p>expected [hidden], and [hidden] again; the rest stays</p>']])
})

test.each([
  ['as JSON with escaped slashes', signature.replaceAll('/', '\\/')],
  ['as in a URL', encodeURIComponent(signature)],
])('a secret %s is found', (_what, form) => {
  const kept = redactCapture(
    capture(`{"got":"${form}"}`),
    request({ 'webhook-signature': `v1,${signature}` }),
  )
  expect(written(kept.body)).toBe('{"got":"[hidden]"}')
})

test.each([
  ['/api/webhooks/1234567/aB3dEfGhIjKlMnOpQrStUvWxYz0123456789', 'aB3dEfGhIjKlMnOpQrStUvWxYz0123456789'],
  ['/hook?token=s3cret', 's3cret'],
  ['/hook?api_key=%73%33cret', 's3cret'],
  ['/hook?v=1&code=aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa'],
])('the secret in the URL %s is taken out', (path, planted) => {
  expect(written(redactCapture(capture(`no ${planted}.`), request({}, path)).body)).toBe('no [hidden].')
})

test.each([
  ['an ordinary path', '/orders/created', '/orders/created'],
  ['an ordinary parameter', '/hook?tenant=acme', 'acme'],
  ['the time of a signature', '/', '1700000000'],
  ['the scheme of a credential', '/', 'Bearer v1'],
])('%s stays, and the same object with it', (_what, path, text) => {
  const headers = { 'hookrail-signature': `t=1700000000,v1=${hex}`, authorization: 'Bearer tok-en.123' }
  const before = capture(`no ${text} here`)
  expect(redactCapture(before, request(headers, path))).toBe(before)
})

test('the beginning of a secret at the end of what was cut off is taken out', () => {
  const headers = { 'webhook-signature': `v1,${signature}` }
  const cut = `got ${signature.slice(0, 20)}`
  expect(written(redactCapture(capture(cut, true), request(headers)).body)).toBe('got [hidden]')
  expect(written(redactCapture(capture(cut), request(headers)).body)).toBe(cut)
})

test('signatures in headers of any name are taken out, and ids that a scheme repeats stay', () => {
  const id = 'evt_01k0000000000000000000000a'
  const asked = {
    ...request({ 'outhook-event-id': id, 'x-acme': hex }),
    signatures: { 'x-acme': hex, 'webhook-id': id },
  }
  expect(written(redactCapture(capture(`${hex} of ${id}`), asked).body)).toBe(`[hidden] of ${id}`)
})

test.each([
  ['content-encoding', 'gzip', gzipSync],
  ['content-encoding', 'BR', brotliCompressSync],
  ['transfer-encoding', 'deflate, chunked', deflateSync],
] as const)(
  'of a body that is compressed (%s: %s) nothing is kept, since nobody could find a secret in it',
  (name, coding, pack) => {
    const body = pack(`expected ${signature}`)
    const answer = {
      headers: [[name, coding] as const, ['x-echo', signature] as const],
      body,
      truncated: false,
    }
    const kept = redactCapture(answer, request({ 'webhook-signature': `v1,${signature}` }))
    expect(written(kept.body)).toBe('[hidden]')
    expect(kept.headers).toEqual([
      [name, coding],
      ['x-echo', '[hidden]'],
    ])
    expect(redactCapture(answer, request({}))).toBe(answer)
  },
)

test.each(['utf16le', 'utf16be'])('a secret that is repeated in %s takes the body with it', (form) => {
  const bytes = Buffer.from(`expected ${signature}, got none`, 'utf16le')
  const body = form === 'utf16le' ? bytes : bytes.swap16()
  const kept = (text: Buffer) =>
    redactCapture(
      { headers: [], body: text, truncated: false },
      request({ 'webhook-signature': `v1,${signature}` }),
    ).body
  expect(written(kept(body))).toBe('[hidden]')
  const others = Buffer.from('nothing of it', 'utf16le')
  expect(kept(others)).toBe(others)
})

test('bytes that are no text stay as they are', () => {
  const body = Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from('tok-en.123'), Buffer.from([128, 10])])
  const kept = redactCapture(
    { headers: [], body, truncated: false },
    request({ authorization: 'Bearer tok-en.123' }),
  )
  expect([...kept.body]).toEqual([0, 255, 254, ...Buffer.from('[hidden]'), 128, 10])
})

test('a secret that is named with the request is taken out, whatever its header is called', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 200 OK\r\nx-you: plain-123\r\ncontent-length: 9\r\n\r\nplain-123'),
  )
  const asked = aRequest(receiver.url, {
    headers: { 'x-partner': 'plain-123' },
    secrets: [new HiddenSecrets(['plain-123'])],
  })
  const kept = await responseFrom(aSender({ redactsCaptures: true }), asked)
  expect([written(kept.response.body), kept.response.headers[0]]).toEqual(['[hidden]', ['x-you', '[hidden]']])
  const raw = await responseFrom(aSender(), asked)
  expect(written(raw.response.body)).toBe('plain-123')
})

const signingSecret = generateSecret((size) => Buffer.alloc(size, 0xa5))
const { hidden: ofSigning } = prepareSecret(signingSecret)

test.each([
  ['its text', signingSecret],
  ['its text without the prefix', signingSecret.slice(6)],
  ['its key in base64url', Buffer.from(signingSecret.slice(6), 'base64').toString('base64url')],
  ['its key in hexadecimal digits', Buffer.from(signingSecret.slice(6), 'base64').toString('hex')],
  ['its text in base64', Buffer.from(signingSecret).toString('base64')],
  ['its text in a URL', encodeURIComponent(signingSecret)],
  ['its text in JSON', `{"secret":"${signingSecret.replaceAll('/', '\\/')}"}`],
])(
  'a signing secret that comes back as %s, in chunks, headers and the status line, is not kept',
  async (_what, text) => {
    const half = Math.trunc(text.length / 2)
    const chunks = [`expected ${text.slice(0, half)}`, `${text.slice(half)} here`]
    const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
    const header = encodeURIComponent(text) === text ? text : JSON.stringify(text)
    const head = `HTTP/1.1 400 ${header}\r\nX-Expected: ${header}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const receiver = await aRawReceiver(answering(`${head}${body}0\r\n\r\n`))
    const asked = aRequest(receiver.url, { secrets: [ofSigning] })
    const kept = await responseFrom(aSender({ redactsCaptures: true }), asked)
    const shown = JSON.stringify({ ...kept, body: written(kept.response.body) })
    expect(shown).toContain('[hidden]')
    expect(shown).not.toContain(text.slice(-12))
    expect(written(kept.response.body)).toMatch(/^expected .*here$/)
  },
)

test('an error that names a secret does not keep it, such as the names in a certificate', () => {
  const failed = {
    kind: 'failure',
    errorClass: 'tls',
    error: `TLS failed: altnames: DNS:${signingSecret}: a.test:443`,
    httpStatus: null,
    latencyMs: 1,
  } as const
  const asked = { ...request({}), secrets: [ofSigning] }
  expect(redactResult(failed, asked)).toMatchObject({
    error: 'TLS failed: altnames: DNS:[hidden]: a.test:443',
  })
})

test('a password that is a word of every answer blots out neither its dates nor its lengths', () => {
  const before = {
    headers: [
      ['date', 'Sat, 28 Nov 2026 10:00:00 GMT'],
      ['content-length', '2026'],
      ['content-type', 'application/json'],
      ['x-year', '2026'],
    ],
    body: Buffer.from('{"year":"2026","order":20261}'),
    truncated: false,
  } as const
  const kept = redactCapture(before, { ...request({}), secrets: [new HiddenSecrets(['2026'])] })
  expect(kept.headers).toEqual([...before.headers.slice(0, 3), ['x-year', '[hidden]']])
  expect(written(kept.body)).toBe('{"year":"[hidden]","order":20261}')
})

test('an answer that is read at once is as it came', async () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nplain-123'
  const receiver = await aRawReceiver(answering(answer))
  const secrets = [new HiddenSecrets(['plain-123'])]
  const asked = { ...aRequest(receiver.url, { secrets }), answerIsRead: true }
  const kept = await responseFrom(aSender({ redactsCaptures: true }), asked)
  expect(written(kept.response.body)).toBe('plain-123')
})

test('a body that grows by what is hidden in it does not grow without bounds', () => {
  const body = Buffer.from('pass '.repeat(4000))
  const asked = { ...request({}), secrets: [new HiddenSecrets(['pass'])] }
  const kept = redactCapture({ headers: [], body, truncated: false }, asked)
  expect(kept.body.length).toBeLessThanOrEqual(body.length)
  expect(kept.truncated).toBe(true)
  expect(written(kept.body)).not.toContain('pass')
})
