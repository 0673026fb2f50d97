import { expect, test } from 'vitest'
import { expectDocumented } from './expect-documented.ts'

const headers = new Headers({ 'content-type': 'application/json; charset=utf-8' })
const whoami = { role: 'viewer', tenant_id: null, key_id: null }
const answer = (body: object, status = 200) => ({ status, headers, text: JSON.stringify(body) })

test('an answer as the document has it passes', () => {
  expectDocumented('GET', '/v1/whoami', answer(whoami))
  expectDocumented('GET', '/v1/endpoints?limit=1', answer({ items: [], next_cursor: '' }))
})

test.each([
  ['a status that it does not name', '/v1/whoami', answer(whoami, 418), 'not in the document'],
  ['a value of another type', '/v1/whoami', answer({ ...whoami, role: 7 }), 'must be string'],
  ['a member that is missing', '/v1/whoami', answer({ role: 'viewer' }), 'required property'],
  ['a member that it does not name', '/v1/whoami', answer({ ...whoami, colour: 'red' }), 'the member colour'],
  ['a wrong item of a page', '/v1/endpoints', answer({ items: [{}], next_cursor: '' }), 'required property'],
  ['a problem without its content type', '/v1/whoami', answer({}, 400), 'content type'],
  ['a missing header', '/v1/whoami', { ...answer({}, 429), headers: new Headers() }, 'lacks Retry-After'],
])('%s does not', (_what, path, seen, words) => {
  expect(() => expectDocumented('GET', path, seen)).toThrow(words)
})
