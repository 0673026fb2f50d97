import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkJsonBytes, parseBatchEnvelope, parseEventEnvelope } from '../../src/core/exact-json.ts'

const bytes = (text: string) => Buffer.from(text)
const textOf = (view: Uint8Array | null) => (view === null ? null : Buffer.from(view).toString())
const payloadOf = (text: string) => textOf(parseEventEnvelope(bytes(text)).payload)

/** JSON text of a value with odd spacing and escapes, as some producer might write it. */
const spacing = fc.constantFrom('', '', ' ', '\n\t', '\r\n  ')
const stringText = fc
  .string({ unit: 'binary', maxLength: 8 })
  .chain((text) => fc.boolean().map((escaped) => (escaped ? escapeAll(text) : JSON.stringify(text))))
const { value: valueText } = fc.letrec<{ value: string; list: string; object: string; member: string }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(
        'null',
        'true',
        'false',
        '0',
        '-0',
        '1e400',
        '12345678901234567890',
        '1.50',
        '-2E-3',
        '{}',
        '[]',
      ),
      stringText,
      fc.constantFrom('"}"', '"]\\""', '"\\\\"', '"{\\"payload\\":1}"', '","'),
      tie('list'),
      tie('object'),
    ),
    list: fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), spacing)
      .map(([items, space]) => `[${space}${items.join(`${space},${space}`)}${space}]`),
    object: fc
      .tuple(fc.array(tie('member'), { maxLength: 4 }), spacing)
      .map(([items, space]) => `{${space}${items.join(`${space},${space}`)}${space}}`),
    member: fc
      .tuple(fc.oneof(stringText, nameText()), spacing, tie('value'))
      .map(([name, space, value]) => `${name}${space}:${space}${value}`),
  }),
)

function nameText() {
  return fc.constantFrom(
    '"payload"',
    '"pay\\u006coad"',
    '"\\u0070ayload"',
    '"topic"',
    '"payloads"',
    '"Payload"',
    '"payloa\\\\"',
  )
}

function escapeAll(text: string): string {
  const codes = Array.from({ length: text.length }, (_, at) =>
    text.charCodeAt(at).toString(16).padStart(4, '0'),
  )
  return `"${codes.map((code) => `\\u${code}`).join('')}"`
}

const member = fc.tuple(nameText(), spacing, valueText)

describe('parseEventEnvelope', () => {
  it('cuts out exactly the bytes that the parsed payload was written with, the last of repeated ones', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), spacing, (list, space) => {
        const text = `${space}{${space}${list.map(([name, gap, value]) => `${name}${gap}:${gap}${value}`).join(`${space},`)}${space}}${space}`
        const { members, payload } = parseEventEnvelope(bytes(text))
        const written = list.filter(([name]) => JSON.parse(name) === 'payload').at(-1)
        expect(textOf(payload)).toBe(written === undefined ? null : written[2])
        if (payload !== null) expect(JSON.parse(textOf(payload) as string)).toEqual(members.payload)
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps big integers, key order, repeated keys, spacing and escapes', () => {
    const payload = '{ "b":12345678901234567890,"a" : 1.0, "a":2e0,\t"\\u00e9":"é\\/" }'
    expect(payloadOf(`{"topic":"t","payload":${payload} }`)).toBe(payload)
  })

  it('gives a view into the body, not a copy', () => {
    const body = bytes('{"payload":{"a":1}}')
    expect(parseEventEnvelope(body).payload?.buffer).toBe(body.buffer)
  })

  it('does not mistake a nested member or a text for the payload', () => {
    expect(payloadOf('{"x":{"payload":1},"y":"\\"payload\\":2","topic":"t"}')).toBeNull()
    expect(payloadOf('{"x":{"payload":1},"payload":3,"z":[{"payload":4}]}')).toBe('3')
  })

  it('tells a null payload from an absent one', () => {
    expect(payloadOf('{"payload":null}')).toBe('null')
    expect(payloadOf('{"topic":"t"}')).toBeNull()
    expect(payloadOf('{}')).toBeNull()
  })

  it('treats __proto__ as any other member', () => {
    const { members } = parseEventEnvelope(bytes('{"__proto__":{"topic":"x"},"payload":1}'))
    expect(members.topic).toBeUndefined()
  })

  it('survives nesting of a hundred thousand levels', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(payloadOf(`{"payload":${deep}}`)?.length).toBe(200_000)
  })

  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'it is empty'],
    ['spaces only', '  ', 'it is not JSON'],
    ['text', 'hello', 'it is not JSON'],
    ['a cut-off object', '{"topic":"t"', 'it is not JSON'],
    ['NaN', '{"payload":NaN}', 'it is not JSON'],
    ['Infinity', '{"payload":-Infinity}', 'it is not JSON'],
    ['single quotes', "{'topic':'t'}", 'it is not JSON'],
    ['a trailing comma', '{"topic":"t",}', 'it is not JSON'],
    ['a comment', '{/*x*/}', 'it is not JSON'],
    ['something after the object', '{} {}', 'it is not JSON'],
    ['a raw line break in a string', '{"topic":"a\nb"}', 'it is not JSON'],
    ['a byte order mark', '\ufeff{"topic":"t"}', 'byte order mark'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not UTF-8'],
    ['UTF-16', Buffer.from('{"topic":"é"}', 'utf16le'), 'it is not'],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'not UTF-8'],
    ['a list', '[]', 'the body is not a JSON object'],
    ['null', 'null', 'the body is not a JSON object'],
    ['a number', '5', 'the body is not a JSON object'],
    ['a string', '"payload"', 'the body is not a JSON object'],
  ])('refuses %s', (_name, body, message) => {
    expect(() => parseEventEnvelope(Buffer.from(body as string))).toThrow(
      expect.objectContaining({ code: 'invalid_body', message: expect.stringContaining(message) }),
    )
  })
})

describe('parseBatchEnvelope', () => {
  it('gives each item’s value and exact payload, in order', () => {
    const item = fc.oneof(
      fc
        .array(member, { maxLength: 3 })
        .map((list) => `{${list.map(([name, gap, value]) => `${name}:${gap}${value}`).join(' , ')}}`),
      valueText,
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), spacing, (list, space) => {
        const text = `{"x":[1],"events"${space}:${space}[${space}${list.join(`${space},${space}`)}${space}],"y":{}}`
        const { items } = parseBatchEnvelope(bytes(text))
        expect(items.map((one) => one.value)).toEqual(list.map((one) => JSON.parse(one)))
        const alone = list.map((one) => (one.startsWith('{') ? payloadOf(one) : null))
        expect(items.map((one) => textOf(one.payload))).toEqual(alone)
      }),
      { numRuns: 1000 },
    )
  })

  it('takes the last of repeated event lists, as the parser does', () => {
    const { items } = parseBatchEnvelope(
      bytes('{"events":[{"payload":1}],"\\u0065vents":[{"payload":2},{"payload":3}]}'),
    )
    expect(items.map((item) => textOf(item.payload))).toEqual(['2', '3'])
  })

  it('takes an empty list', () => {
    expect(parseBatchEnvelope(bytes('{"events":[ ]}')).items).toEqual([])
  })

  it.each([
    ['no events', '{}', '"events" must be a list'],
    ['events that are no list', '{"events":{"0":{}}}', '"events" must be a list'],
    ['a bare list', '[{}]', 'the body is not a JSON object'],
    ['broken JSON', '{"events":[}', 'it is not JSON'],
  ])('refuses %s', (_name, body, message) => {
    expect(() => parseBatchEnvelope(bytes(body))).toThrow(
      expect.objectContaining({ code: 'invalid_body', message: expect.stringContaining(message) }),
    )
  })
})

describe('checkJsonBytes', () => {
  it('keeps the text as it is', () => {
    expect(textOf(checkJsonBytes(' {"é":1.0}\n').bytes)).toBe(' {"é":1.0}\n')
    expect(textOf(checkJsonBytes(bytes('[1 ,2]')).bytes)).toBe('[1 ,2]')
  })

  it('gives the parsed value too', () => {
    expect(checkJsonBytes('{"a":[1]}').value).toEqual({ a: [1] })
  })

  it('copies, so that later changes by the caller change nothing', () => {
    const given = bytes('{"a":1}')
    const { bytes: kept } = checkJsonBytes(given)
    given.fill(0x20)
    expect(textOf(kept)).toBe('{"a":1}')
  })

  it.each([
    ['nothing', ''],
    ['broken JSON', '{"a":'],
    ['NaN', 'NaN'],
    ['half a surrogate pair', '"\ud800"'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('refuses %s', (_name, body) => {
    expect(() => checkJsonBytes(body)).toThrow(expect.objectContaining({ code: 'invalid_payload' }))
  })
})
