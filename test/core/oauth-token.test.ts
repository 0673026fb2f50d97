/** What is taken from the answer of a token server, and what is told of it. */
import { expect, test } from 'vitest'
import { readTokenAnswer } from '../../src/core/oauth-token.ts'

const answer = (httpStatus: number, content: unknown, truncated = false) =>
  readTokenAnswer(httpStatus, { body: Buffer.from(JSON.stringify(content)), truncated })

test('a code that the standards know is told of a refusal', () => {
  expect(answer(400, { error: 'invalid_scope' })).toEqual({
    kind: 'refused',
    error: 'it answered HTTP 400 (invalid_scope)',
  })
})

test.each([
  ['a secret in the place of the code', { error: 'my_client_secret', error_description: 'wrong' }],
  ['a code that is none', { error: ['invalid_client'] }],
  ['no object', 'invalid_client'],
])('nothing is told but the status of %s', (_what, content) => {
  expect(answer(401, content)).toEqual({ kind: 'refused', error: 'it answered HTTP 401' })
})

test.each([
  ['with a line break', { access_token: 'a\r\nx-evil: 1' }],
  ['that is empty', { access_token: '' }],
  ['that is a number', { access_token: 5 }],
  ['of another type', { access_token: 'abc', token_type: 'mac' }],
])('a token %s is none', (_what, content) => {
  expect(answer(200, content).kind).toBe('refused')
})

test.each([
  ['in seconds', 3600, 3_600_000],
  ['as text', '3600', 3_600_000],
  ['none', undefined, 300_000],
  ['less than nothing', -5, 300_000],
  ['nothing', 0, 1000],
  ['a century', 1e300, 86_400_000],
])('its life is %s', (_what, expires_in, lifeMs) => {
  expect(answer(200, { access_token: 'abc', expires_in })).toEqual({ kind: 'token', token: 'abc', lifeMs })
})
