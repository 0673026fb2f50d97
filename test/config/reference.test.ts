import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { renderConfigReference } from '../../src/config/reference.ts'
import { settingList } from '../../src/config/schema.ts'

const page = resolve(import.meta.dirname, '../../docs/reference/configuration.md')

describe('the reference of the configuration', () => {
  test('is what the table of settings says; "npm run docs:reference" writes it again', () => {
    expect(readFileSync(page, 'utf8')).toBe(renderConfigReference())
  })

  test('its example is a valid file', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(renderConfigReference()) ?? []
    const directory = mkdtempSync(join(tmpdir(), 'outhook-reference-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'outhook.json')
    writeFileSync(file, json)
    expect(loadConfig({ file })).toMatchObject({ port: 8080, allowHttp: true, totalTimeoutMs: 15_000 })
  })

  test('every default is a value that the setting itself allows', () => {
    for (const [key, setting] of settingList) {
      if (setting.default === null) continue
      const written = setting.type.format(setting.default)
      if (written !== '') expect(setting.type.parse(written), key).toEqual(setting.default)
    }
  })
})
