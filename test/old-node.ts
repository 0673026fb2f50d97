/** A Node that is too old for Outhook, where this machine has one outside of `node_modules`; null elsewhere. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

export const oldNode: string | null = findOldNode()

function findOldNode(): string | null {
  const candidates = ['/usr/bin/node', '/usr/local/bin/node']
  const isOld = (path: string) =>
    /^v(1\d|20)\./.test(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)
  return candidates.find((path) => existsSync(path) && isOld(path)) ?? null
}
