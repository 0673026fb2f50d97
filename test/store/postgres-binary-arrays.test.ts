import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { encodeParameter } from '../../src/store/postgres/connection/binary-arrays.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'

let server: PostgresServer
let client: Client

beforeAll(async () => {
  server = await startPostgres('15')
  client = new Client({ connectionString: server.url })
  await client.connect()
}, 120_000)
afterAll(async () => {
  await client.end()
  await server.stop()
})

const id = 'dlv_01kb5w2f3he4a9tt5gzpq7rjxm'
const digits = '0123456789abcdef0123456789abcdef'
const dashed = '01234567-89ab-cdef-0123-456789abcdef'

test.for([
  ['uuid[]', [digits, dashed, null, new Uint8Array(16).fill(7), id]],
  ['text[]', ['', 'a"b\\,{}', null, 'NULL', 'ü€😀']],
  ['boolean[]', [true, null, false]],
  ['integer[]', [0, -1, null, 2_147_483_647, -2_147_483_648]],
  [
    'bigint[]',
    [
      0,
      -1,
      2 ** 32,
      -(2 ** 32) - 1,
      null,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      Date.UTC(2030, 0),
    ],
  ],
  ['real[]', [1.5, null, -0.25]],
  ['double precision[]', [0.1, null, -1e300]],
] as const)('an array of type %s arrives as the driver’s own text would', async ([type, values]) => {
  const asText = values.map((value) => {
    const bytes = value === id ? idToBytes(id) : value
    return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : bytes
  })
  for (const [given, plain] of [
    [values, asText],
    [[], []],
    [[null], [null]],
  ] as const) {
    const encoded = encodeParameter(type, given)
    expect(encoded).toBeInstanceOf(Buffer)
    const statement = `select ($1::${type})::text as ours, ($2::${type})::text as theirs`
    const { rows } = await client.query(statement, [encoded, plain])
    expect(rows[0].ours).toBe(rows[0].theirs)
  }
})

test('what is no uuid or no 32-bit number is refused before anything is sent', () => {
  expect(() => encodeParameter('uuid[]', ['xyz'])).toThrow('"xyz" is no uuid')
  expect(() => encodeParameter('uuid[]', [digits.slice(0, 31)])).toThrow('is no uuid')
  expect(() => encodeParameter('integer[]', [2 ** 31])).toThrow(RangeError)
})
