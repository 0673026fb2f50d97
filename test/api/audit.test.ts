import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { aServer } from './a-server.ts'
import { describeAudit } from './both-stores/audit.ts'
import type { OpenServer } from './hookrail-rows.ts'

const directory = mkdtempSync(join(tmpdir(), 'outhook-audit-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let stores = 0

describeAudit((): OpenServer => {
  const store = `sqlite:${join(directory, `${++stores}.db`)}`
  return (options) =>
    aServer({ ...options, config: { store, masterKey: 'ab'.repeat(32), ...options?.config } })
})
