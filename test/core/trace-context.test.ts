import { expect, test } from 'vitest'
import { readTraceContext, traceIdOf } from '../../src/core/trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const parent = `00-${traceId}-${spanId}-01`

test('a trace context is read as it came, and says of which trace it is', () => {
  const context = readTraceContext(parent, 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE')
  expect(context).toEqual({ traceparent: parent, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' })
  expect(traceIdOf({ traceparent: parent })).toBe(traceId)
  expect(readTraceContext(` ${parent} `)).toEqual({ traceparent: parent })
})

test('a newer version is read as far as it is known', () => {
  expect(readTraceContext(`01-${traceId}-${spanId}-03-more`)).toEqual({
    traceparent: `00-${traceId}-${spanId}-03`,
  })
})

test.each([
  ['none', undefined],
  ['empty', ''],
  ['null', null],
  ['a number', 1],
  ['another text', 'x'],
  ['upper case', parent.toUpperCase().replace('F', 'f')],
  ['version ff', `ff-${traceId}-${spanId}-01`],
  ['more of version 00', `${parent}-more`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a short trace id', `00-${traceId.slice(1)}-${spanId}-01`],
  ['no flags', `00-${traceId}-${spanId}`],
  ['two of them', `${parent}, ${parent}`],
  ['a line break', `${parent}\r\nx: y`],
])('%s counts as no trace context', (_, text) => {
  expect(readTraceContext(text, 'a=1')).toBeNull()
})

test.each([
  ['empty', ''],
  ['too long', `a=${'1'.repeat(511)}`],
  ['of other characters', 'a=ä'],
  ['with a line break', 'a=1\r\nx: y'],
  ['no text', 7],
])('a tracestate that is %s is left out, and the traceparent stays', (_, tracestate) => {
  expect(readTraceContext(parent, tracestate)).toEqual({ traceparent: parent })
})

test('a tracestate of 512 characters is passed on', () => {
  const tracestate = `a=${'1'.repeat(510)}`
  expect(readTraceContext(parent, tracestate)).toEqual({ traceparent: parent, tracestate })
})
