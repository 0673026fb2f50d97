/** `dev.json`: what `outhook dev` keeps for the next start and for the other commands. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../config/make-directory.ts'

export interface DevFile {
  readonly url: string
  readonly adminToken: string
  readonly producerKey: string
}

function devFilePath(dataDir: string): string {
  return join(dataDir, 'dev.json')
}

/** Null when there is none, or none that can be read. */
export function readDevFile(dataDir: string): DevFile | null {
  try {
    const { url, admin_token, producer_key } = JSON.parse(readFileSync(devFilePath(dataDir), 'utf8'))
    const all = [url, admin_token, producer_key]
    if (!all.every((value) => typeof value === 'string' && value !== '')) return null
    return { url, adminToken: admin_token, producerKey: producer_key }
  } catch {
    return null
  }
}

/** Only the user may read it. Written aside and renamed, so that no reader sees half of it. */
export function writeDevFile(dataDir: string, content: DevFile): void {
  makeDirectory(dataDir)
  const path = devFilePath(dataDir)
  const draft = `${path}.${process.pid}.tmp`
  const json = { url: content.url, admin_token: content.adminToken, producer_key: content.producerKey }
  writeFileSync(draft, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, path)
}
