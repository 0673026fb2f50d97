/** How many files an ordinary field of an event stands in: CONTRIBUTING.md lists them, and it is to become fewer. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../src')
const fieldInCodeOrSql = /\bproducerKeyId\b|\bproducer_key_id\b/

test('a field of an event that the API shows, such as its producer key, stands in no more files than it did', () => {
  const naming = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => fieldInCodeOrSql.test(readFileSync(join(src, name), 'utf8')))
  expect(naming.length).toBeGreaterThan(5)
  expect(naming.length, naming.join('\n')).toBeLessThanOrEqual(19)
})
