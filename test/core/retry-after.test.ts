import { expect, test } from 'vitest'
import { maxRetryAfterMs, retryAfterMs, secondsInBodyMs } from '../../src/core/retry-after.ts'

const now = Date.UTC(2030, 0, 1)

test.each([
  ['0', 0],
  ['7', 7000],
  [' 7 ', 7000],
  ['1.5', 1500],
  ['0.0001', 1],
  ['86401', maxRetryAfterMs],
  ['9'.repeat(400), maxRetryAfterMs],
  [`1.${'9'.repeat(400)}`, 2000],
  ['Tue, 01 Jan 2030 00:01:30 GMT', 90_000],
  ['tue, 01 jan 2030 00:01:30 gmt', 90_000],
  ['Tuesday, 01-Jan-30 00:01:30 GMT', 90_000],
  ['Tue Jan  1 00:01:30 2030', 90_000],
  ['Tue Jan 01 00:01:30 2030', 90_000],
  ['Wed, 31 Dec 2031 00:00:00 GMT', maxRetryAfterMs],
  ['Saturday, 01-Jan-60 00:00:00 GMT', maxRetryAfterMs],
  ['Tue, 01 Jan 2030 00:00:60 GMT', 60_000],
])('Retry-After: %s is a wait', (value, expected) => {
  expect(retryAfterMs(value, now)).toBe(expected)
})

test.each([
  null,
  undefined,
  '',
  'soon',
  '-1',
  '+5',
  '-0',
  '1e3',
  '1e999',
  'Infinity',
  'NaN',
  '0x10',
  '.5',
  '5.',
  '1,5',
  '5 s',
  '5, 10',
  '٣',
  'Tue, 01 Jan 2030 00:00:00 GMT',
  'Mon, 31 Dec 2029 23:59:59 GMT',
  'Thursday, 01-Jan-81 00:00:00 GMT',
  'Tue, 32 Jan 2030 00:00:00 GMT',
  'Sat, 30 Feb 2030 00:00:00 GMT',
  'Tue, 01 Foo 2030 00:01:30 GMT',
  'Tue, 01 Jan 2030 24:01:30 GMT',
  'Tue, 01 Jan 2030 00:01:30 CET',
  'Tue, 01 Jan 2030 00:01:30',
  '2030-01-01T00:01:30Z',
])('Retry-After: %s says nothing', (value) => {
  expect(retryAfterMs(value, now)).toBeNull()
})

test.each([
  [0, 0],
  [1.5, 1500],
  [1337, 1_337_000],
  [1e300, maxRetryAfterMs],
])('retry_after: %d in a body is a wait', (value, expected) => {
  expect(secondsInBodyMs(value)).toBe(expected)
})

test.each([Number.POSITIVE_INFINITY, Number.NaN, -1, '5', null, undefined, {}])(
  'retry_after: %s in a body says nothing',
  (value) => {
    expect(secondsInBodyMs(value)).toBeNull()
  },
)
