import { afterAll, beforeAll, describe, test } from 'vitest'
import { aServer, type CallOptions, type TestServer } from './a-server.ts'
import { type ExpectedProblem, expectProblem } from './expect-problem.ts'
import { type Case, checkCase, invalidBody } from './hostile-case.ts'

let server: TestServer

beforeAll(async () => {
  server = await aServer({ closeWith: () => undefined })
})
afterAll(() => server.close())

describe('URLs of endpoints', () => {
  const rejected = (detail: string | RegExp = /./): ExpectedProblem => ({
    status: 422,
    title: 'url rejected',
    detail,
  })
  const flag = '--allow-network'
  const urls: readonly (readonly [url: string, expected: ExpectedProblem])[] = [
    ['', rejected()],
    ['example', rejected()],
    ['//example.com', rejected()],
    ['ftp://example.com/', rejected()],
    ['file:///etc/passwd', rejected()],
    ['javascript:alert(1)', rejected()],
    ['http://93.184.216.34/', rejected('--allow-http')],
    ['https://user:pass@93.184.216.34/', rejected()],
    ['https://', rejected()],
    ['https://93.184.216.34:99999/', rejected()],
    ['https://127.0.0.1/', rejected(flag)],
    ['https://2130706433/', rejected(flag)],
    ['https://0x7f000001/', rejected(flag)],
    ['https://0177.0.0.1/', rejected(flag)],
    ['https://127.1/', rejected(flag)],
    ['https://0/', rejected(flag)],
    ['https://10.0.0.1/', rejected(flag)],
    ['https://172.16.0.1/', rejected(flag)],
    ['https://192.168.1.1/', rejected(flag)],
    ['https://169.254.169.254/latest/meta-data', rejected(flag)],
    ['https://100.64.0.1/', rejected(flag)],
    ['https://198.18.0.1/', rejected(flag)],
    ['https://240.0.0.1/', rejected(flag)],
    ['https://255.255.255.255/', rejected(flag)],
    ['https://[::1]/', rejected(flag)],
    ['https://[::]/', rejected(flag)],
    ['https://[::ffff:127.0.0.1]/', rejected(flag)],
    ['https://[::ffff:7f00:1]/', rejected(flag)],
    ['https://[64:ff9b::7f00:1]/', rejected(flag)],
    ['https://[2002:7f00:1::]/', rejected(flag)],
    ['https://[fe80::1]/', rejected(flag)],
    ['https://[fd00::1]/', rejected(flag)],
    ['https://[ff02::1]/', rejected(flag)],
    ['https://１２７.０.０.１/', rejected(flag)],
    ['https://localhost/', rejected(flag)],
  ]
  test.each(urls)('%s is refused', async (url, expected) => {
    expectProblem(await server.call('POST', '/v1/endpoints', { body: { url } }), expected)
  })
})

describe('members of bodies', () => {
  const url = 'https://93.184.216.34/hook'
  const endpoint = (members: object): CallOptions => ({ body: { url, ...members } })
  const unprocessable = (detail: string | RegExp): ExpectedProblem => ({ status: 422, detail })
  const badRate = unprocessable('rate_limit_rps must be a number from 0.01 to 1000000, or null')
  const subscription = (members: object): CallOptions => ({
    body: { endpoint_id: 'ep_01arz3ndektsv4rrffq69g5fav', topic_patterns: ['*'], ...members },
  })
  const backoff = (value: unknown) => subscription({ backoff_policy: value })
  const badBackoff: ExpectedProblem = { status: 422, title: 'invalid backoff_policy' }
  const cases: readonly Case[] = [
    ['an endpoint without body', 'POST', '/v1/endpoints', {}, invalidBody('the body is empty')],
    ['an endpoint that is no JSON', 'POST', '/v1/endpoints', { body: '{"url":' }, invalidBody('not JSON')],
    ['an endpoint as list', 'POST', '/v1/endpoints', { body: [] }, invalidBody('the body must be an object')],
    [
      'an endpoint without url',
      'POST',
      '/v1/endpoints',
      { body: {} },
      invalidBody('url is required: where requests go; or urls, for a pool'),
    ],
    ['a url as number', 'POST', '/v1/endpoints', { body: { url: 5 } }, invalidBody('url must be a string')],
    [
      'an unknown member',
      'POST',
      '/v1/endpoints',
      endpoint({ topic: 'a' }),
      invalidBody('topic is not known; allowed: url,'),
    ],
    [
      'a member of the prototype',
      'POST',
      '/v1/endpoints',
      { body: `{"url":"${url}","__proto__":{"admin":true}}` },
      invalidBody('__proto__ is not known'),
    ],
    [
      'topics as text',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: '*' }),
      invalidBody('topics must be an array'),
    ],
    [
      'a topic as number',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: ['a', 1] }),
      invalidBody('topics[1] must be a string'),
    ],
    [
      'no topics',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: [] }),
      unprocessable('topics must be a list of 1 to'),
    ],
    [
      'a topic with a space',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: ['a b'] }),
      unprocessable('topics[0]'),
    ],
    [
      'a limit of 0',
      'POST',
      '/v1/endpoints',
      endpoint({ max_in_flight: 0 }),
      invalidBody('max_in_flight must be from 1 to 1000'),
    ],
    [
      'a limit of 1.5',
      'POST',
      '/v1/endpoints',
      endpoint({ max_in_flight: 1.5 }),
      invalidBody('max_in_flight must be an integer'),
    ],
    [
      'a limit as text',
      'POST',
      '/v1/endpoints',
      endpoint({ max_in_flight: '5' }),
      invalidBody('max_in_flight must be an integer'),
    ],
    ['a rate of 0', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: 0 }), badRate],
    ['a negative rate', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: -1 }), badRate],
    ['a rate below one in 100 s', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: 0.0099 }), badRate],
    ['a rate beyond a million', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: 1e7 }), badRate],
    ['a rate as text', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: '5' }), badRate],
    ['a rate as list', 'POST', '/v1/endpoints', endpoint({ rate_limit_rps: [5] }), badRate],
    [
      'an unknown scheme',
      'POST',
      '/v1/endpoints',
      endpoint({ signing_schemes: ['md5'] }),
      unprocessable('signing_schemes[0] must be one of standard'),
    ],
    [
      'schemes that exclude each other',
      'POST',
      '/v1/endpoints',
      endpoint({ signing_schemes: ['standard', 'none'] }),
      unprocessable('signing_schemes'),
    ],
    ['a broken secret', 'POST', '/v1/endpoints', endpoint({ secret: 'secret' }), unprocessable('whsec_')],
    [
      'a header with a line break',
      'POST',
      '/v1/endpoints',
      endpoint({ headers: { 'x-a': 'b\r\nx-c: d' } }),
      unprocessable('headers["x-a"]'),
    ],
    [
      'a header name with a line break',
      'POST',
      '/v1/endpoints',
      endpoint({ headers: { 'x-a\r\nx-b': 'c' } }),
      unprocessable('is not a header name'),
    ],
    [
      'a header of the sender',
      'POST',
      '/v1/endpoints',
      endpoint({ headers: { 'Content-Length': '0' } }),
      unprocessable('set by the sender itself'),
    ],
    [
      'a header as number',
      'POST',
      '/v1/endpoints',
      endpoint({ headers: { 'x-a': 1 } }),
      invalidBody('headers.x-a must be a string'),
    ],
    [
      'an unknown profile',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: ['*'], retry_policy: 'never' }),
      unprocessable('profiles are standard'),
    ],
    [
      'an unknown member of a policy',
      'POST',
      '/v1/endpoints',
      endpoint({ topics: ['*'], retry_policy: { attempts: 3 } }),
      unprocessable('retry_policy.attempts is not known'),
    ],
    [
      'a body beyond 64 KiB',
      'POST',
      '/v1/endpoints',
      endpoint({ description: 'x'.repeat(65_536) }),
      { status: 413, title: 'payload too large' },
    ],
    [
      'a deeply nested value',
      'POST',
      '/v1/endpoints',
      { body: `{"url":${'['.repeat(20_000)}${']'.repeat(20_000)}}` },
      invalidBody('url must be a string'),
    ],
    [
      'a subscription to nothing',
      'POST',
      '/v1/subscriptions',
      subscription({}),
      { status: 409, title: 'endpoint not available' },
    ],
    [
      'a subscription without patterns',
      'POST',
      '/v1/subscriptions',
      { body: { endpoint_id: 'x' } },
      invalidBody('topic_patterns is required'),
    ],
    [
      'both spellings of patterns',
      'POST',
      '/v1/subscriptions',
      subscription({ topic_pattern: 'a' }),
      invalidBody('cannot stand beside'),
    ],
    ['a backoff without cap', 'POST', '/v1/subscriptions', backoff({ base_ms: 1 }), badBackoff],
    [
      'a backoff with more in it',
      'POST',
      '/v1/subscriptions',
      backoff({ base_ms: 1, cap_ms: 2, x: 3 }),
      badBackoff,
    ],
    ['a backoff of 0', 'POST', '/v1/subscriptions', backoff({ base_ms: 0, cap_ms: 1 }), badBackoff],
    [
      'a backoff whose cap is less',
      'POST',
      '/v1/subscriptions',
      backoff({ base_ms: 2, cap_ms: 1 }),
      badBackoff,
    ],
    [
      'a backoff beyond 7 days',
      'POST',
      '/v1/subscriptions',
      backoff({ base_ms: 1, cap_ms: 604_800_001 }),
      badBackoff,
    ],
    [
      '101 attempts',
      'POST',
      '/v1/subscriptions',
      subscription({ max_attempts: 101 }),
      { status: 422, title: 'invalid subscription' },
    ],
    [
      'a policy beside attempts',
      'POST',
      '/v1/subscriptions',
      subscription({ max_attempts: 3, retry_policy: 'standard' }),
      invalidBody('give one or the other'),
    ],
    ['a key without name', 'POST', '/v1/keys', { body: {} }, invalidBody('name is required')],
    [
      'a key of an unknown kind',
      'POST',
      '/v1/keys',
      { body: { name: 'x', kind: 'root' } },
      invalidBody('kind must be "producer" or "admin"'),
    ],
    [
      'a key with an empty name',
      'POST',
      '/v1/keys',
      { body: { name: ' ' } },
      unprocessable('name must be 1 to 200'),
    ],
  ]
  test.each(cases)('%s is refused', (...args) => checkCase(server, args))
})
