import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const rows = readFileSync(join(root, 'docs/compatibility.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [SGF]\d/.test(line))
  .map((line) => ({
    ids: line.match(/\bS\d\.\d+|\b[GF]\d+\b/g) ?? [],
    paths: line.match(/test\/[\w./-]+\.ts/g) ?? [],
  }))

describe('docs/compatibility.md', () => {
  test('each row names tests that exist', () => {
    expect(rows.length).toBeGreaterThan(40)
    for (const { ids, paths } of rows) {
      expect(paths, ids.join()).not.toEqual([])
      for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true)
    }
  })

  test('no row stands there twice', () => {
    const ids = rows.flatMap((row) => row.ids)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  test('and one of them says the row’s id', () => {
    const unnamed = rows.flatMap(({ ids, paths }) => {
      const texts = paths.map((path) => readFileSync(join(root, path), 'utf8'))
      return ids.filter((id) => !texts.some((text) => new RegExp(`${id.replace('.', '\\.')}\\b`).test(text)))
    })
    expect(unnamed).toEqual([])
  })
})
