/** Each usual reason why a receiver's verifier refuses what was signed, done to a real request and found again. */
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Diagnosis, diagnose } from '../../src/verify/diagnose.ts'
import type { SchemeName } from '../../src/verify/index.ts'
import { otherSecret, pair, publicKey, secret, signed, signedAt } from './a-signed-request.ts'

const text = '{"id":1,"name":"José & <b>😀</b>","path":"a/b","list":[1,2.5],"empty":{}}'
const spacedText = '{ "id": 1, "name": "José" }'

async function look(
  scheme: SchemeName,
  changes: {
    body?: string | Uint8Array
    secrets?: readonly string[]
    sent?: string
    originalBody?: string
  } = {},
): Promise<Diagnosis> {
  const { headers, body } = signed(scheme, [secret], changes.sent ?? text)
  return diagnose({
    headers,
    body: changes.body ?? body,
    secrets: changes.secrets ?? [secret],
    originalBody: changes.originalBody,
    receivedAtSeconds: signedAt + 2,
  })
}

const causes = ({ findings }: Diagnosis) => findings.map(({ cause }) => cause)

describe.each(['standard', 'hookrail', 'stripe', 'github', 'pyfly'] as const)('scheme %s', (scheme) => {
  test('is found by its headers, and what verifies has no finding', async () => {
    expect(await look(scheme)).toMatchObject({ scheme, verifies: true, isSigned: true, findings: [] })
  })

  test.each<[change: string, body: string | Uint8Array, words: RegExp]>([
    ['a line break behind it', `${text}\n`, /line break was added/],
    ['a line break of Windows behind it', `${text}\r\n`, /line break was added/],
    ['a byte order mark', `\ufeff${text}`, /byte order mark was put/],
    ['base64', Buffer.from(text).toString('base64'), /still base64/],
    ['percent-encoding', encodeURIComponent(text), /percent-encoded/],
    ['a string of JSON', JSON.stringify(text), /JSON string that holds/],
    [
      'UTF-8 read as Latin-1',
      Buffer.from(Buffer.from(text).toString('latin1')),
      /one encoding and written in another/,
    ],
  ])('a body with %s is told to be that', async (_change, body, words) => {
    const diagnosis = await look(scheme, { body })
    expect(causes(diagnosis)).toEqual(['body_encoding'])
    expect(diagnosis.findings[0]?.message).toMatch(words)
    expect(diagnosis.isSigned).toBe(false)
  })

  test('another secret cannot be told from changed content without what was sent, and can with it', async () => {
    expect(causes(await look(scheme, { secrets: [otherSecret] }))).toEqual(['wrong_secret_or_body'])
    expect(causes(await look(scheme, { body: '{"id":2}' }))).toEqual(['wrong_secret_or_body'])
    expect(causes(await look(scheme, { secrets: [otherSecret], originalBody: text }))).toEqual([
      'wrong_secret',
    ])
    const changed = await look(scheme, { body: text.replace('1', '2'), originalBody: text })
    expect(causes(changed)).toEqual(['body_changed'])
    expect(changed.findings[0]?.message).toContain('differs from byte 7 on')
    const both = await look(scheme, { body: '{}', secrets: [otherSecret], originalBody: text })
    expect(causes(both)).toEqual(['wrong_secret'])
    expect(both.findings[0]?.message).toContain('Besides, the body was changed')
  })

  test('any of several secrets is enough', async () => {
    expect(await look(scheme, { secrets: [otherSecret, secret] })).toMatchObject({ verifies: true })
  })

  test.each([['\n'], [' '], ['"']])('a secret with %j around it is told to be that', async (mark) => {
    const diagnosis = await look(scheme, { secrets: [`${mark}${secret}${mark}`] })
    expect(causes(diagnosis)).toEqual(['secret_form'])
    expect(diagnosis.findings[0]?.message).toMatch(/around it; cut them off/)
    expect(JSON.stringify(diagnosis)).not.toContain(secret)
  })

  test('two faults at once are both told', async () => {
    const diagnosis = await look(scheme, { body: `${text}\n`, secrets: [`${secret}\n`] })
    expect(causes(diagnosis)).toEqual(['secret_form', 'body_encoding'])
  })
})

describe('JSON that was parsed and written again', () => {
  const value: unknown = JSON.parse(text)
  test.each([
    ['without spaces', spacedText, JSON.stringify(JSON.parse(spacedText)), false],
    ['with two spaces', text, JSON.stringify(value, null, 2), true],
    ['with four', text, JSON.stringify(value, null, 4), true],
    [
      'as Python does',
      text,
      JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "').replace('1,2.5', '1, 2.5'),
      true,
    ],
    [
      'in ASCII only',
      text,
      text.replace(/[^\0-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      true,
    ],
    ['as PHP does', text, text.replaceAll('/', '\\/'), true],
    ['as Go does', text, text.replace(/[<>&]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`), true],
  ])('%s', async (_how, sent, body, isFound) => {
    const diagnosis = await look('standard', { sent, body })
    expect(causes(diagnosis)).toEqual([isFound ? 'body_encoding' : 'wrong_secret_or_body'])
    if (isFound) expect(diagnosis.findings[0]?.message).toContain('parsed as JSON and written again')
  })

  test('whose original had other spaces is found where what was sent is known', async () => {
    const body = JSON.stringify(JSON.parse(spacedText))
    expect(causes(await look('standard', { sent: spacedText, body, originalBody: spacedText }))).toEqual([
      'body_changed',
    ])
  })
})

describe('a secret that was made a key the wrong way', () => {
  const bare = secret.replace('whsec_', '')

  test.each<[SchemeName, string, RegExp]>([
    ['hookrail', bare, /"whsec_" included/],
    ['stripe', bare, /"whsec_" included/],
    ['standard', secret.replace(/.$/, (last) => `${last}=`), /"=" at its end/],
  ])('%s with %s', async (scheme, given, words) => {
    const diagnosis = await look(scheme, { secrets: [given] })
    expect(causes(diagnosis)).toEqual(['secret_form'])
    expect(diagnosis.findings[0]?.message).toMatch(words)
  })

  test('base64url in place of base64', async () => {
    const special = `whsec_${Buffer.alloc(30, 0xfb).toString('base64')}`
    const { headers, body } = signed('standard', [special])
    const secrets = [special.replaceAll('+', '-').replaceAll('/', '_')]
    const diagnosis = await diagnose({ headers, body, secrets, receivedAtSeconds: signedAt })
    expect(diagnosis.findings).toEqual([
      { cause: 'secret_form', message: expect.stringContaining('base64url') },
    ])
  })

  test.each([
    ['the whole text', secret],
    ['the text behind the prefix', bare],
  ])('a sender that takes %s for the key of the standard', async (_what, key) => {
    const { headers, body } = signed('standard', [secret])
    const message = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${signedAt}.`), body])
    const signature = `v1,${createHmac('sha256', key).update(message).digest('base64')}`
    const diagnosis = await diagnose({
      headers: { ...headers, 'webhook-signature': signature },
      body,
      secrets: [secret],
      receivedAtSeconds: signedAt,
    })
    expect(diagnosis.findings).toEqual([
      { cause: 'secret_form', message: expect.stringContaining('the text of the secret') },
    ])
  })

  test('ed25519 verifies with the public key', async () => {
    const { headers, body } = signed('standard', [pair])
    const request = { headers, body, receivedAtSeconds: signedAt }
    expect(await diagnose({ ...request, secrets: [publicKey] })).toMatchObject({ verifies: true })
    expect(causes(await diagnose({ ...request, secrets: [secret] }))).toEqual(['wrong_secret_or_body'])
  })
})

describe('the clock', () => {
  test.each([
    [signedAt + 300, []],
    [signedAt + 301, ['clock']],
    [signedAt - 301, ['clock']],
  ])('at %i', async (receivedAtSeconds, expected) => {
    const diagnosis = await diagnose({
      ...signed('standard', [secret]),
      secrets: [secret],
      receivedAtSeconds,
    })
    expect(causes(diagnosis)).toEqual(expected)
    expect(diagnosis).toMatchObject({
      isSigned: true,
      verifies: expected.length === 0,
      timestampSeconds: signedAt,
    })
  })

  test('says which of the two is ahead', async () => {
    const request = { ...signed('standard', [secret]), secrets: [secret] }
    const late = await diagnose({ ...request, receivedAtSeconds: signedAt + 7200 })
    expect(late.findings[0]?.message).toMatch(/^it was signed at 2021-02-25T15:02:10Z, 7200 s before/)
    const early = await diagnose({ ...request, receivedAtSeconds: signedAt - 7200 })
    expect(early.findings[0]?.message).toContain('7200 s in the future')
  })
})

test.each([
  [{}, 'not_signed', 'webhook-signature (standard)'],
  [{ 'webhook-signature': 'v1,AAAA' }, 'not_signed', 'webhook-id'],
  [
    { 'webhook-signature': 'x', 'webhook-id': 'a', 'webhook-timestamp': '1' },
    'malformed_header',
    'webhook-signature',
  ],
])('headers %o are told to be %s', async (headers, cause, words) => {
  const diagnosis = await diagnose({ headers, body: '{}', secrets: [secret] })
  expect(diagnosis).toMatchObject({
    verifies: false,
    findings: [{ cause, message: expect.stringContaining(words) }],
  })
})

test('a body of many bytes is looked at as well', async () => {
  const large = JSON.stringify({ text: 'é'.repeat(200_000) })
  expect(causes(await look('standard', { sent: large, body: `${large}\n` }))).toEqual(['body_encoding'])
})
