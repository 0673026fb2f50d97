/** What the compiler lets a program write. */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

test('publish and publishMany of Outhook<Topics> take the payload of their topic and no other', () => {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const project = join(root, 'test', 'fixtures', 'types', 'tsconfig.json')
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', project, '--noEmit'], {
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
