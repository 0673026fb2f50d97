/** The parts of the dashboard's kit that need no browser. */
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../src/client/index.ts'
import { deliveryStates as statesOfServer } from '../../src/core/model.ts'
import { deliveryStates, hasEnded } from '../../src/dashboard/kit/delivery-states.ts'
import { durationText } from '../../src/dashboard/kit/duration-text.ts'
import { placeErrors } from '../../src/dashboard/kit/field-errors.ts'
import { readChanges } from '../../src/dashboard/kit/form-fields.ts'
import { matchPath, pathOf } from '../../src/dashboard/kit/match-path.ts'
import { nextWait } from '../../src/dashboard/kit/next-wait.ts'
import { refusalOf, refusalOfServer } from '../../src/dashboard/kit/role.ts'
import { flag, list, oneOf, readValues, text, writeValues } from '../../src/dashboard/kit/url-values.ts'
import { endpointFields } from '../../src/dashboard/pages/endpoints/endpoint-fields.ts'
import { tenantOptions } from '../../src/dashboard/tenant-options.ts'

test.each([
  ['', '', {}],
  ['endpoints', 'endpoints', {}],
  ['endpoints', 'endpoints/', {}],
  ['endpoints/:id', 'endpoints/ep_1', { id: 'ep_1' }],
  ['endpoints/:id', 'endpoints/a%2Fb%20c', { id: 'a/b c' }],
  ['endpoints/:id', 'endpoints', null],
  ['endpoints', 'endpoints/ep_1', null],
  ['endpoints/:id', 'endpoints/%E0%A4%A', null],
  ['tenants/:tenant/keys/:id', 'tenants/t1/keys/k1', { tenant: 't1', id: 'k1' }],
])('the path pattern "%s" takes "%s" as %j', (pattern, path, params) => {
  expect(matchPath(pattern, path)).toEqual(params)
})

test('a path is made of any text and read back as it was', () => {
  const id = 'a/b?c#d %é'
  expect(matchPath('endpoints/:id', pathOf('endpoints', id))).toEqual({ id })
})

describe('values in the address', () => {
  const shape = { state: oneOf(['any', 'paused']), topic: text, deleted: flag, ids: list }

  test('are read with their types, and what cannot be read is as if it were not there', () => {
    expect(readValues(shape, new URLSearchParams('state=paused&topic=a.*&deleted=true&ids=x,,y'))).toEqual({
      state: 'paused',
      topic: 'a.*',
      deleted: true,
      ids: ['x', 'y'],
    })
    const nothing = { state: 'any', topic: '', deleted: false, ids: [] }
    expect(readValues(shape, new URLSearchParams('state=nonsense&deleted=1'))).toEqual(nothing)
  })

  test('are written without what absence means, and leave other names alone', () => {
    const query = new URLSearchParams('tenant=acme&topic=old&state=paused')
    expect(writeValues(shape, query, { state: 'any', ids: ['x', 'y'] }).toString()).toBe(
      'tenant=acme&topic=old&ids=x%2Cy',
    )
    expect(writeValues(shape, query, { topic: '' }).toString()).toBe('tenant=acme&state=paused')
  })
})

test.each([
  ['url must be https', ['url', 'uid'], { url: 'url must be https' }, null],
  [
    'url must be https; max_in_flight must be at most 1000',
    ['url', 'max_in_flight'],
    { url: 'url must be https', max_in_flight: 'max_in_flight must be at most 1000' },
    null,
  ],
  // The longer name that begins at the same place is meant.
  [
    'rate_limit_rps must be a number',
    ['rate', 'rate_limit_rps'],
    { rate_limit_rps: 'rate_limit_rps must be a number' },
    null,
  ],
  [
    'the value of topics.0 is no pattern; use letters and dots',
    ['topics'],
    { topics: 'the value of topics.0 is no pattern; use letters and dots' },
    null,
  ],
  ['an endpoint is called so already', ['uid'], {}, 'an endpoint is called so already'],
])('the refusal "%s" is shown beside its field', (detail, fields, byField, rest) => {
  expect(placeErrors(detail, fields)).toEqual({ byField, rest })
})

test('what is asked for again and again is so after a failure too, as often as what came last says', () => {
  const whileOpen = (state: string) => (state === 'open' ? 2_000 : null)
  expect([nextWait(whileOpen, 'open'), nextWait(whileOpen, 'ended')]).toEqual([2_000, null])
  // Nothing has come yet.
  expect(nextWait(whileOpen, null)).toBe(5_000)
  expect([nextWait(3_000, null), nextWait(null, null), nextWait(null, 'open')]).toEqual([3_000, null, null])
})

test('a role may what a lesser one may, and is told which it lacks', () => {
  expect(refusalOf('admin', 'operator')).toBeNull()
  expect(refusalOf('operator', 'operator')).toBeNull()
  expect(refusalOf('viewer', 'operator')).toBe('Needs the role operator; you are signed in as viewer.')
  expect(refusalOf('operator', 'admin')).toBe('Needs the role admin; you are signed in as operator.')
})

test('who has a token of one tenant is told that what is of the whole server needs another', () => {
  expect(refusalOfServer({ tenantId: null })).toBeNull()
  expect(refusalOfServer({ tenantId: 'ten_1' })).toMatch(/^Needs a token of all tenants; /)
})

describe('fields of a form', () => {
  const endpoint = {
    urls: ['https://a.example/', 'https://b.example/'],
    topics: ['orders.*'],
    uid: null,
    description: 'of the shop',
    method: 'POST',
    headers: { 'x-team': 'shop: north' },
    contentType: null,
    timeout: '20s',
    failOver: false,
    signingSchemes: ['standard', 'hookrail'],
    credentialId: null,
    clientCertificateId: null,
    maxInFlight: 8,
    rateLimitRps: null,
    filter: { total: { $gte: 100 } },
    retryPolicy: 'standard',
    breakerThreshold: 0,
    breakerPause: null,
    breakerMaxPause: null,
    disableAfter: null,
    settings: null,
  } as unknown as Endpoint
  const shown = (name: string) => endpointFields.find((one) => one.name === name)?.read(endpoint) ?? ''
  const changed = (texts: Readonly<Record<string, string>>) =>
    readChanges(endpointFields, endpoint, (name) => texts[name] ?? shown(name))

  test('that nobody touched are not sent, however browsers write their lines', () => {
    expect(changed({ urls: 'https://a.example/\r\nhttps://b.example/' })).toEqual({})
  })

  test.each([
    [{ urls: 'https://c.example/' }, { urls: ['https://c.example/'] }],
    [
      { uid: 'crm', description: '' },
      { uid: 'crm', description: '' },
    ],
    [{ topics: 'a.*, b.c\nd' }, { topics: ['a.*', 'b.c', 'd'] }],
    [{ headers: 'x-team: a: b\nx-other:c' }, { headers: { 'x-team': 'a: b', 'x-other': 'c' } }],
    [{ timeout: '' }, { timeout: null }],
    [{ fail_over: 'true' }, { failOver: true }],
    [{ signing_schemes: 'none' }, { signingSchemes: ['none'] }],
    [{ signing_schemes: '[{"type":"hmac"}]' }, { signingSchemes: [{ type: 'hmac' }] }],
    [
      { max_in_flight: '16', rate_limit_rps: '0.5' },
      { maxInFlight: 16, rateLimitRps: 0.5 },
    ],
    [{ filter: '' }, { filter: null }],
    [{ retry_policy: '{"maxAttempts":3}' }, { retryPolicy: { maxAttempts: 3 } }],
    [
      { retry_policy: '', breaker_threshold: '' },
      { retryPolicy: null, breakerThreshold: null },
    ],
  ])('with the texts %j change %j', (texts, change) => {
    expect(changed(texts)).toEqual(change)
  })

  test.each([
    [{ filter: '{' }, /^filter is not JSON: /],
    [{ headers: 'nonsense' }, 'headers has to have "Name: value" on each line; one is "nonsense"'],
    [{ max_in_flight: 'many' }, 'max_in_flight has to be a number; it is "many"'],
  ])('with the texts %j are refused before anything is sent', (texts, why) => {
    expect(() => changed(texts)).toThrow(why)
  })
})

describe('the choice of a tenant', () => {
  const tenants = [
    { id: 'ten_1', uid: 'default' },
    { id: 'ten_2', uid: 'acme' },
    { id: 'ten_3', uid: null },
  ]
  const chosen = (tenant: string | undefined, isOfAll: boolean) => {
    const { options, value } = tenantOptions(tenants, tenant, isOfAll)
    return options.filter(([one]) => one === value).map(([, name]) => name)
  }

  test.each([
    [undefined, 'default', 'all tenants'],
    ['default', 'default', 'default'],
    ['ten_1', 'default', 'default'],
    ['acme', 'acme', 'acme'],
    ['ten_2', 'acme', 'acme'],
    ['ten_3', 'ten_3', 'ten_3'],
    ['not listed', 'not listed', 'not listed'],
  ])('where the address says %s is of %s, and on a page of all tenants of %s', (tenant, own, together) => {
    expect([chosen(tenant, false), chosen(tenant, true)]).toEqual([[own], [together]])
  })

  test('offers default beside all tenants where the two are not the same, before tenants are read too', () => {
    expect(tenantOptions([], undefined, false).options).toEqual([['', 'default']])
    expect(tenantOptions([], 'default', true)).toEqual({
      options: [
        ['', 'all tenants'],
        ['default', 'default'],
      ],
      value: 'default',
    })
  })
})

test.each([
  [0, '0 s'],
  [900, '1 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [86_399_000, '23 h 59 min'],
  [7 * 86_400_000, '7 d'],
])('%d ms are said as "%s"', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('states of deliveries are those of the server, and what has ended can be sent again', () => {
  expect(deliveryStates.toSorted()).toEqual(statesOfServer.toSorted())
  expect(deliveryStates.filter((state) => hasEnded({ state }))).toEqual([
    'succeeded',
    'dead_lettered',
    'cancelled',
    'skipped',
  ])
})
