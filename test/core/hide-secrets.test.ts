import { expect, it } from 'vitest'
import { hideInResponse, hideInText, secretForms } from '../../src/core/hide-secrets.ts'

const secret = 'p&ss "w<rd" é/+1234'

it.each([
  ['as it is', secret],
  ['in JSON', JSON.stringify({ secret })],
  ['in a URL', `?token=${encodeURIComponent(secret)}`],
  ['in a form', new URLSearchParams({ secret }).toString().replaceAll('%C3%A9', '%C3%A9')],
  ['in HTML', '<p>p&amp;ss &quot;w&lt;rd&quot; é/+1234</p>'],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in hexadecimal digits', Buffer.from(secret).toString('hex')],
])('a secret that comes back %s is hidden', (_how, text) => {
  const body = new Uint8Array(Buffer.from(`before ${text} after`))
  const response = { headers: [['x-echo', text]] as const, body, truncated: false }
  const hidden = hideInResponse(response, secretForms([secret]))
  const shown = Buffer.from(hidden.body).toString()
  expect(shown).toContain('[hidden]')
  expect(shown).toMatch(/^before .*after$/s)
  expect(shown).not.toContain('1234')
  expect(hidden.headers[0]?.[1]).not.toContain('1234')
})

it('the beginning of a secret at the end of a capture that was cut off is hidden', () => {
  const body = new Uint8Array(Buffer.from(`your token is ${'abcdefghij0123456789'.slice(0, 15)}`))
  const hidden = hideInResponse({ headers: [], body, truncated: true }, secretForms(['abcdefghij0123456789']))
  expect(Buffer.from(hidden.body).toString()).toBe('your token is ')
})

it('a response without the secret is as it was, byte for byte', () => {
  const body = Uint8Array.from({ length: 256 }, (_, index) => index)
  const hidden = hideInResponse({ headers: [], body, truncated: true }, secretForms(['abcdefghij0123456789']))
  expect(hidden.body).toEqual(body)
})

it('what is too short to be a secret is left alone', () => {
  expect(hideInText('a cat', secretForms(['cat']))).toBe('a cat')
})
