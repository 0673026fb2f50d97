import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settingList } from '../../src/config/schema.ts'
import { metricTable } from '../../src/observability/metric-table.ts'
import { runToEnd } from '../cli/run-cli.ts'

const directory = resolve(import.meta.dirname, '../../docs/operations')
const pages = readdirSync(directory).map((name) => ({
  name,
  text: readFileSync(join(directory, name), 'utf8'),
}))

describe.each(pages)('docs/operations/$name', ({ text }) => {
  test('names metrics that there are', () => {
    const schemaNames = ['outhook_owner', 'outhook_node']
    for (const [name] of text.matchAll(/\bouthook_[a-z_]+/g)) {
      if (!schemaNames.includes(name)) expect(Object.keys(metricTable)).toContain(name)
    }
  })

  test('names variables that there are', () => {
    const known = settingList.map(([, { name }]) => `OUTHOOK_${name.toUpperCase().replaceAll('-', '_')}`)
    for (const [name] of text.matchAll(/\bOUTHOOK_[A-Z_]+/g)) expect(known).toContain(name)
  })

  test('names commands and flags that there are', async () => {
    for (const [, command = '', part, rest = ''] of text.matchAll(
      /(?:^|`)outhook ([a-z-]+)(?: ([a-z][a-z-]*))?([^\n`]*)/gm,
    )) {
      // Connections to PostgreSQL are named so too.
      if (['publish', 'claim', 'record', 'config', 'read', 'hints', 'probe'].includes(command)) continue
      const { code, out } = await runToEnd([command, ...(part === undefined ? [] : [part]), '--help'])
      expect(code, command).toBe(0)
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(out, `outhook ${command}`).toContain(flag)
    }
  })
})
