import { describe, expect, it } from 'vitest'
import { parseCustomHeaders, parseStoredHeaders } from '../../src/core/custom-headers.ts'

const many = (count: number, value = 'x') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-h${index}`, value]))

describe('parseCustomHeaders', () => {
  it.each([undefined, null, {}])('is empty for %j', (value) => {
    expect(parseCustomHeaders(value)).toEqual({})
  })

  it('gives names in lower case and leaves values alone', () => {
    expect(parseCustomHeaders({ 'X-Env': 'Prod 1', Via: 'aB~' })).toEqual({
      'x-env': 'Prod 1',
      via: 'aB~',
    })
  })

  it('accepts 32 headers and 8 KiB', () => {
    expect(Object.keys(parseCustomHeaders(many(32)))).toHaveLength(32)
    expect(parseCustomHeaders({ a: 'x'.repeat(8191) })).toHaveProperty('a')
  })

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'connection',
    'keep-alive',
    'Upgrade',
    'TE',
    'trailer',
    'expect',
    'content-encoding',
    'proxy-authorization',
    'Proxy-Connection',
    'webhook-id',
    'Webhook-Signature',
    'hookrail-topic',
    'outhook-attempt',
    'Outhook-Meta-x',
    'x-hub-signature',
    'X-Hub-Signature-256',
    'X-Pyfly-Signature',
    'Transfer_Encoding',
    'webhook_id',
    'Outhook_Delivery-Id',
    'x_pyfly_signature',
  ])('refuses the reserved name %s', (name) => {
    expect(() => parseCustomHeaders({ [name]: 'x' })).toThrow(
      expect.objectContaining({
        code: 'unprocessable',
        message: expect.stringContaining(`headers["${name}"] is set by`),
      }),
    )
  })

  it.each([
    'Authorization',
    'X-Auth',
    'x-access-token',
    'X-Webhook-Secret',
    'X-PASSWORD',
    'x-passwd',
    'Cookie',
    'x-credentials',
    'X-Api-Key',
    'apikey',
    'api_key',
    'x-access-key',
  ])('refuses %s, which looks like a secret and would be shown in clear', (name) => {
    const refused = expect.objectContaining({
      code: 'unprocessable',
      message: expect.stringMatching(
        new RegExp(
          `^headers\\["${name.toLowerCase()}"\\] .*secret.* stored and shown in clear; make a credential`,
        ),
      ),
    })
    expect(() => parseStoredHeaders({ [name]: 'x' })).toThrow(refused)
    expect(parseCustomHeaders({ [name]: 'x' })).toEqual({ [name.toLowerCase()]: 'x' })
  })

  it.each(['key', 'X-Idempotency-Key', 'x-keyboard'])('accepts %s, whose key opens nothing', (name) => {
    expect(parseCustomHeaders({ [name]: 'x' })).toEqual({ [name.toLowerCase()]: 'x' })
  })

  it.each<[string, unknown, string]>([
    ['a list', [], 'headers must be an object'],
    ['a Headers', new Headers({ 'x-a': '1' }), 'of a Headers or Map use Object.fromEntries()'],
    ['a Map', new Map([['x-a', '1']]), 'headers must be an object'],
    ['text', 'a: b', 'headers must be an object'],
    ['33 headers', many(33), 'has 33 headers; at most 32'],
    ['more than 8 KiB', many(32, 'y'.repeat(300)), 'may have 8192'],
    ['names alike but for case', { 'X-A': '1', 'x-a': '2' }, 'headers["x-a"] stands there twice'],
    ['an empty name', { '': 'x' }, 'is not a header name'],
    ['a name with a space', { 'a b': 'x' }, 'is not a header name'],
    ['a name with a colon', { 'a:b': 'x' }, 'is not a header name'],
    ['a name with a line break', { 'a\r\nb': 'x' }, 'headers["a\\r\\nb"] is not a header name'],
    ['a name beyond ASCII', { é: 'x' }, 'is not a header name'],
    ['a number', { a: 1 }, 'headers["a"] must be a string'],
    ['an empty value', { a: '' }, 'must be visible ASCII'],
    ['a value with CR LF', { a: 'x\r\nevil: 1' }, 'must be visible ASCII'],
    ['a value with LF at the end', { a: 'x\n' }, 'must be visible ASCII'],
    ['a value with NUL', { a: 'x\0' }, 'must be visible ASCII'],
    ['a value beyond ASCII', { a: 'é' }, 'must be visible ASCII'],
    ['a value with a leading space', { a: ' x' }, 'must be visible ASCII'],
  ])('refuses %s', (_name, value, message) => {
    expect(() => parseCustomHeaders(value)).toThrow(
      expect.objectContaining({ code: 'unprocessable', message: expect.stringContaining(message) }),
    )
  })

  it('never repeats a value, which may be a secret', () => {
    for (const headers of [{ authorization: 'hunter2' }, { 'x-env': 'hunter2\n' }]) {
      expect(() => parseStoredHeaders(headers)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
      )
    }
  })
})
