import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describePlantedSecrets } from './both-stores/planted-secrets.ts'

const directory = mkdtempSync(join(tmpdir(), 'outhook-planted-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describePlantedSecrets(() => ({
  store: `sqlite:${join(directory, 'hooks.db')}`,
  async content() {
    const files = readdirSync(directory).filter((name) => !name.endsWith('.key'))
    return Buffer.concat(files.map((name) => readFileSync(join(directory, name))))
  },
}))
