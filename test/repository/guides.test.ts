/** What the guides must not leave out, and must not promise. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')

test('every program of the guide on transactions closes what it opens, so that it ends', () => {
  const blocks = [...read('docs/guides/transactional-publish.md').matchAll(/```js\n([\s\S]*?)```/g)]
  expect(blocks.length).toBeGreaterThan(3)
  const ends: readonly (readonly [RegExp, string])[] = [
    [/await Outhook\.open\(/, 'await hooks.close()'],
    [/^const pool = new pg\.Pool\((?![\s\S]*new Kysely)/m, 'await pool.end()'],
    [/= (new Kysely|knex)\(/, 'await db.destroy()'],
    [/= new PrismaClient\(/, 'await prisma.$disconnect()'],
  ]
  for (const [, code = ''] of blocks) {
    for (const [opens, closes] of ends) if (opens.test(code)) expect(code).toContain(closes)
  }
})

test('the guide on receiving says what a rotation means for hookrail’s own verifier', () => {
  const [, section = ''] =
    /### While a secret is rotated\n([\s\S]*?)\n## /.exec(read('docs/guides/receiving.md')) ?? []
  expect(section).toContain('v1=<new>,v1=<old>')
  expect(section).toMatch(/takes the \*last\* `v1`/)
})

test('the page on backups recommends roles for PostgreSQL alone', () => {
  const lines = read('docs/operations/backup.md').split('\n')
  const withRole = lines.filter((line) => line.includes('--role'))
  expect(withRole.length).toBeGreaterThan(0)
  for (const line of withRole) expect(line).toMatch(/^- On PostgreSQL/)
  expect(lines.some((line) => line.startsWith('- On SQLite'))).toBe(true)
})
