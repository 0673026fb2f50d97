/** What the guides, the help and the types must not leave out, and must not promise. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderOpenApi } from '../../src/api/reference.ts'
import { renderMetricsReference } from '../../src/observability/metric-table.ts'
import { runToEnd } from '../cli/run-cli.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && !name.startsWith('decisions'))
  .map((name) => join('docs', name))

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

describe('what does not work yet is promised nowhere', () => {
  /** Words of ordered subscriptions, as values or members; prose may use them for other things. */
  const promised = /[`"'](ordered|skipped|behind_head)[`"']|\bbehind_head\b|, (cancelled )?(or )?skipped\b/

  test.each(pages)('in %s', (page) => {
    expect(read(page)).not.toMatch(promised)
  })

  test('in the OpenAPI document and the list of metrics', async () => {
    const { components, ...document } = JSON.parse(await renderOpenApi('0'))
    // Jobs skip deliveries, and that works.
    const { Job: _job, DryRun: _dryRun, ...schemas } = components.schemas
    expect(JSON.stringify([document, schemas])).not.toMatch(promised)
    expect(renderMetricsReference()).not.toMatch(promised)
  })

  test('in types', () => {
    const types = read('src/core/model.ts').replace(/\/\*[\s\S]*?\*\//g, '')
    expect(types).not.toMatch(/\b(ordered|skipped|behind_head)\b/)
  })

  test('in help', async () => {
    for (const command of ['deliveries', 'events', 'subscriptions', 'dlq', 'publish', 'endpoints']) {
      for (const args of [[command], [command, 'list'], [command, 'create']]) {
        const { out } = await runToEnd([...args, '--help'])
        expect(out, args.join(' ')).not.toMatch(/\b(ordered|skipped|behind_head)\b/)
      }
    }
  })
})
