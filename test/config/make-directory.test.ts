import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeDirectory } from '../../src/config/make-directory.ts'

function aDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'outhook-directory-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('makes every missing level, for the user alone, and may be called again', () => {
  const top = aDirectory()
  makeDirectory(join(top, 'a', 'b'))
  makeDirectory(join(top, 'a', 'b'))
  for (const path of [join(top, 'a'), join(top, 'a', 'b')]) {
    if (process.platform === 'win32') expect(existsSync(path)).toBe(true)
    else expect(statSync(path).mode & 0o777).toBe(0o700)
  }
})

test('a file in its place or on the way is named', () => {
  const file = join(aDirectory(), 'file')
  writeFileSync(file, '')
  expect(() => makeDirectory(file)).toThrow(`${file} is not a directory`)
  expect(() => makeDirectory(join(file, 'below'))).toThrow(file)
})

test.skipIf(!existsSync('/proc/self'))('where nothing can be made the path and the cause are named', () => {
  expect(() => makeDirectory('/proc/outhook/data')).toThrow(
    '/proc/outhook cannot be made or entered (ENOENT)',
  )
})
