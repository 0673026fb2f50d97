/** In how many files an ordinary field of an event stands: CONTRIBUTING.md lists those that a new one touches. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../src')
/** In code and in SQL, where SQLite has a number in place of the id. */
const field = /\bproducerKeyId\b|\bproducer_key_id\b|\bproducer_key integer\b/

test('a field of an event that the API shows, such as its producer key, stands in at most 10 files', () => {
  const naming = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => !name.startsWith(join('client', 'generated')))
    .filter((name) => field.test(withoutComments(readFileSync(join(src, name), 'utf8'))))
  expect(naming).toContain(join('core', 'event-fields.ts'))
  expect(naming.length, naming.join('\n')).toBeLessThanOrEqual(7)
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
