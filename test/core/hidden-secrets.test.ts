import { describe, expect, it, test } from 'vitest'
import { HiddenSecrets, hideSecrets } from '../../src/core/hidden-secrets.ts'
import { generateSecret, prepareSecret } from '../../src/core/signing-secrets.ts'

const secret = 'p&ss "w<rd" é/+1234'
const hide = (text: string, ...secrets: string[]) => hideSecrets(text, [new HiddenSecrets(secrets)])
const escapeEach = (text: string, write: (code: number) => string) =>
  Array.from(text, (each) => (/[A-Za-z0-9]/.test(each) ? each : write(each.codePointAt(0) ?? 0))).join('')

describe('a secret that comes back', () => {
  it.each([
    ['as it is', secret],
    ['in UTF-8, read byte by byte', Buffer.from(secret).toString('latin1')],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    [
      'in JSON without anything but ASCII',
      escapeEach(secret, (code) => `\\u${code.toString(16).padStart(4, '0')}`),
    ],
    ['in JSON with escaped slashes', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    ['in a URL', encodeURIComponent(secret)],
    ['in a URL with small digits', encodeURIComponent(secret).replace(/%../g, (each) => each.toLowerCase())],
    ['in a form', new URLSearchParams({ secret }).toString().slice('secret='.length)],
    ['in HTML', 'p&amp;ss &quot;w&lt;rd&quot; é/+1234'],
    ['in HTML as numbers', escapeEach(secret, (code) => `&#${code};`)],
    ['in HTML as hexadecimal numbers', escapeEach(secret, (code) => `&#x${code.toString(16)};`)],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in base64 in a URL', encodeURIComponent(Buffer.from(secret).toString('base64'))],
    ['in hexadecimal digits', Buffer.from(secret).toString('hex')],
    ['in large hexadecimal digits', Buffer.from(secret).toString('hex').toUpperCase()],
  ])('%s is hidden, and what stands around it stays', (_how, text) => {
    expect(hide(`before ${text} after, ${text}`, secret)).toBe('before [hidden] after, [hidden]')
  })

  it.each([0, 1, 2, 3, 4, 5])('in base64 of a longer text, behind %i characters, is hidden', (before) => {
    const long = 'correct-horse-battery-staple'
    const text = Buffer.from(`${'x'.repeat(before)}${long} and more`).toString('base64')
    const shown = hide(text, long)
    expect(shown).toContain('[hidden]')
    const rest = shown.split('[hidden]').map((part) => Buffer.from(part, 'base64').toString('latin1'))
    // But for some bits at its ends.
    expect(rest.join('')).not.toMatch(/rrect|staple|attery|horse/)
  })
})

describe('a signing secret is hidden', () => {
  const text = generateSecret((size) => Buffer.alloc(size, 0xfb))
  const encoded = text.slice('whsec_'.length)
  it.each([
    ['with its prefix', text],
    ['without its prefix', encoded],
    ['in base64url', Buffer.from(encoded, 'base64').toString('base64url')],
    ['as the digits of its key', Buffer.from(encoded, 'base64').toString('hex')],
    ['in base64 once more', Buffer.from(text).toString('base64')],
    ['in base64 once more without its prefix', Buffer.from(encoded).toString('base64')],
    ['in a URL', encodeURIComponent(text)],
    ['in JSON with escaped slashes', text.replaceAll('/', '\\/')],
  ])('%s', (_how, written) => {
    expect(hideSecrets(`key ${written}.`, [prepareSecret(text).hidden])).toBe('key [hidden].')
  })

  it('of ed25519 too, while its public key, which receivers have, stays', () => {
    const pair = generateSecret((size) => Buffer.alloc(size, 7), 'ed25519')
    const { hidden } = prepareSecret(pair)
    const bytes = Buffer.from(pair.slice('whsk_'.length), 'base64')
    for (const written of [pair, pair.slice(5), bytes.subarray(0, 32).toString('hex')])
      expect(hideSecrets(`key ${written}.`, [hidden])).toBe('key [hidden].')
    const shown = `key whpk_${bytes.subarray(32).toString('base64')}.`
    expect(hideSecrets(shown, [hidden])).toBe(shown)
  })
})

describe('a short secret is hidden as a word of its own alone', () => {
  test.each([
    ['order 12345678 of 1234', '1234', 'order 12345678 of [hidden]'],
    ['this is a test; testing attests', 'test', 'this is a [hidden]; testing attests'],
    ['{"a":"test","b":"test2"}', 'test', '{"a":"[hidden]","b":"test2"}'],
    ['a\\ntest\\tb%3Dtest\\u0022test\\"', 'test', 'a\\n[hidden]\\tb%3D[hidden]\\u0022[hidden]\\"'],
    ['dGVzdA== and adGVzdAb', 'test', '[hidden] and adGVzdAb'],
    ['testing a password1', 'password', 'testing a [hidden]1'],
    ['a cat', 'cat', 'a cat'],
  ])('%s with the secret %s', (text, short, shown) => {
    expect(hide(text, short)).toBe(shown)
  })
})

test('of secrets within each other none is left half', () => {
  expect(hide('user:hunter2hunter2, hunter2hunter2', 'hunter2hunter2', 'user:hunter2hunter2')).toBe(
    '[hidden], [hidden]',
  )
})

test.each([
  ['as it is', 'abcdefghij0123456789'],
  ['in the middle of an escape', 'abcdefghij%2'],
  ['in base64', Buffer.from('abcdefghij/123456789').toString('base64').slice(0, 12)],
])('the beginning of a secret at the end of what was cut off is hidden: %s', (_how, written) => {
  const secrets = [new HiddenSecrets(['abcdefghij/123456789', 'abcdefghij0123456789ABC'])]
  expect(hideSecrets(`your token is ${written}`, secrets, { isCut: true })).toBe('your token is [hidden]')
  expect(hideSecrets(`your token is ${written}`, secrets)).toBe(`your token is ${written}`)
})

test('a text without a secret is the same text', () => {
  const text = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('latin1')
  expect(hideSecrets(text, [new HiddenSecrets(['abcdefghij0123456789'])], { isCut: true })).toBe(text)
})

test('a text that is made to take long is hidden whole', () => {
  const secrets = [new HiddenSecrets([`${'a/'.repeat(2000)}b`])]
  expect(hideSecrets('a/'.repeat(8000), secrets)).toBe('[hidden]')
})
