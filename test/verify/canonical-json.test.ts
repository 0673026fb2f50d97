import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toCanonicalJson } from '../../src/verify/forms/canonical-json.ts'
import { NoMatchError, verify } from '../../src/verify/index.ts'

const canonical = (text: string) => toCanonicalJson(Buffer.from(text))

/** Of pyfly: secret, a body as it may be sent, its signature. */
const vectors: readonly (readonly [secret: string, body: string, digest: string])[] = [
  ['mysecret', '{ "order_id": 99 }', '03010e58206f219569b7d27b0d294c2edb8e255a13bfcff8dc3f430f2d2800d7'],
  ['topsecret', '{"b":2,"a":1}', '2a9cb6b71d9c7fdb1202b32002aa6f765b584bddf1b1ed248800b3f5ea58f123'],
  ['topsecret', '{"～":1,"😀":2,"z":3}', '2f57aa6d6cb5a4a9e7dabdd9ba4ce220a8d0e76f7819668552b18a887c96257c'],
  [
    'topsecret',
    '{"sl":"a/b\u2028\u007f","ok":true,"none":null,"name":"José","n":[1,1.5,1.0,1e16,1e-7],"emoji":"😀","é":1}',
    '4e7c7952e00d74f2fef973eec0e4cec65eef14b3eb1c788b3d814f143ea8dbb4',
  ],
]

test.each(vectors)(
  'S4.14: pyfly’s vector verifies whatever way its JSON is written: %s, %s',
  async (secrets, body, digest) => {
    const headers = { 'x-pyfly-signature': `sha256=${digest}` }
    await verify({ headers, body }, { secrets, scheme: 'pyfly' })
    await verify(
      { headers: { 'x-pyfly-signature': digest }, body: canonical(body) ?? '' },
      { secrets, scheme: 'pyfly' },
    )
  },
)

describe('canonical JSON', () => {
  test.each([
    ['{"b":1,"a":[ ]}', '{"a":[],"b":1}'],
    [
      '[1.0, 1, -0, -0.0, 0.0, 1E5, 10000000000000000.0, 123456789012345680.0]',
      '[1.0,1,0,-0.0,0.0,100000.0,1e+16,1.2345678901234568e+17]',
    ],
    ['[0.0001, 0.00001, 1.5e-5, 1e400, -1e400, 5e-324]', '[0.0001,1e-05,1.5e-05,Infinity,-Infinity,5e-324]'],
    ['[123456789012345678901234567890]', '[123456789012345678901234567890]'],
    ['"\\u00e9\\/\\b\\f\\n\\r\\t\\u0000\\"\\\\"', '"\\u00e9/\\b\\f\\n\\r\\t\\u0000\\"\\\\"'],
    ['{"__proto__":1,"a":2}', '{"__proto__":1,"a":2}'],
    [' null ', 'null'],
  ])('%s', (text, expected) => {
    expect(canonical(text)).toBe(expected)
  })

  test.each([
    '',
    '{',
    '{"a":1,}',
    '[1,]',
    '[1 2]',
    '{"a" 1}',
    '01',
    '1.',
    '.5',
    '+1',
    "'a'",
    '"a',
    '"\n"',
    'nul',
    '1 2',
    '{1:2}',
    '"\\x"',
    '\ufeff1',
    '['.repeat(100_000),
  ])('is not made of what is no JSON: %s', (text) => {
    expect(canonical(text)).toBeNull()
  })

  test('is not made of bytes that are no UTF-8', () => {
    expect(toCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22))).toBeNull()
  })

  test('a key that stands twice cannot smuggle in what was not signed', async () => {
    const digest = createHmac('sha256', 's').update('{"a":1}').digest('hex')
    const request = { headers: { 'x-pyfly-signature': digest }, body: '{"a":2,"a":1}' }
    await expect(verify(request, { secrets: 's', scheme: 'pyfly' })).rejects.toThrow(NoMatchError)
  })
})

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.skipIf(!hasPython())(
  'Python writes the same bytes for any JSON (skipped where there is no python3)',
  () => {
    const values = fc.sample(fc.json({ maxDepth: 4, noUnicodeString: false, stringUnit: 'binary' }), {
      numRuns: 300,
      seed: 7,
    })
    const numbers = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), { numRuns: 500, seed: 7 })
    const texts = [
      ...values.filter((text) => !text.includes('\\ud')),
      ...numbers.map((value) => `[${value}]`),
    ]
    const program =
      'import json, sys\nfor line in sys.stdin.buffer.read().decode().split(chr(10)):\n' +
      '  print(json.dumps(json.loads(json.loads(line)), sort_keys=True, separators=(",", ":")))'
    const input = texts.map((text) => JSON.stringify(text)).join('\n')
    const output = execFileSync('python3', ['-c', program], { input, encoding: 'utf8' }).trimEnd().split('\n')
    expect(output).toHaveLength(texts.length)
    const differing = texts.flatMap((text, index) => {
      const own = canonical(text)
      return own === null || own === output[index] ? [] : [{ text, own, python: output[index] }]
    })
    expect(differing).toEqual([])
    expect(texts.filter((text) => canonical(text) !== null).length).toBeGreaterThan(600)
  },
)
