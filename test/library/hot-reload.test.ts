/** The guide for servers that load code anew: its module, loaded twice by one process, opens the store once. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { aDirectory } from '../delivery/an-app.ts'
import { sourceFlags } from '../source-flags.ts'

const root = resolve(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/guides/hot-reload.md'), 'utf8')

test('a module that keeps Outhook on globalThis can be loaded again: both copies publish into the same store', async () => {
  const directory = aDirectory()
  const code = /```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? ''
  const store = join(directory, 'hooks.db').replaceAll('\\', '/')
  writeFileSync(
    join(directory, 'hooks.ts'),
    code
      .replace("'outhook'", JSON.stringify(pathToFileURL(join(root, 'src/index.ts')).href))
      .replace('sqlite:hooks.db', `sqlite:${store}`),
  )
  writeFileSync(
    join(directory, 'main.ts'),
    `const [first, again] = [await import('./hooks.ts?1'), await import('./hooks.ts?2')]
     const hooks = [await first.hooks(), await again.hooks()]
     for (const one of hooks) await one.publish({ topic: 'a', payload: 1 })
     const { items } = await hooks[0].events.list()
     await hooks[0].close()
     console.log(first !== again, hooks[0] === hooks[1], items.length)`,
  )
  const args = [...sourceFlags, join(directory, 'main.ts')]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory })
  expect(stdout.trim()).toBe('true true 2')
})
