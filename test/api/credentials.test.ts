import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { aServer } from './a-server.ts'
import { describeCertificateExpiry } from './both-stores/certificate-expiry.ts'
import { describeCredentials } from './both-stores/credentials.ts'
import { describeOAuth2 } from './both-stores/oauth2.ts'
import type { ReadableStore } from './both-stores/secrets-at-rest.ts'

const directory = mkdtempSync(join(tmpdir(), 'outhook-credentials-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const newStore = (name: string) => (): ReadableStore => ({
  open: (options) => {
    const config = {
      store: `sqlite:${join(directory, name)}`,
      masterKey: 'ab'.repeat(32),
      ...options?.config,
    }
    return aServer({ ...options, config })
  },
  content: async () =>
    Buffer.concat(
      readdirSync(directory)
        .filter((file) => file.startsWith(name))
        .map((file) => readFileSync(join(directory, file))),
    ),
})

describeCredentials(newStore('credentials.db'))
describeOAuth2(newStore('oauth2.db'), 1)
describeCertificateExpiry(() => newStore('expiry.db')().open, 1)
