import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { aServer } from './a-server.ts'
import { describeMasterKey } from './both-stores/master-key.ts'
import { describeObserving } from './both-stores/observing.ts'
import { describePyflyImport } from './both-stores/pyfly-import.ts'
import { describeSecretsAtRest } from './both-stores/secrets-at-rest.ts'
import { describeSending } from './both-stores/sending.ts'
import {
  aRotatingEndpoint,
  capture,
  describeHookrailRows,
  type OpenServer,
  verdicts,
} from './hookrail-rows.ts'

const directory = mkdtempSync(join(tmpdir(), 'outhook-rows-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let stores = 0
const aFile = (): string => join(directory, `${++stores}.db`)
const openOn =
  (file: string): OpenServer =>
  (options) => {
    const config = { store: `sqlite:${file}`, masterKey: 'ab'.repeat(32), ...options?.config }
    return aServer({ ...options, config })
  }
const newStore = () => openOn(aFile())

describeHookrailRows(newStore)
describeSending(newStore)
describeMasterKey(newStore)
describeObserving(newStore)
describePyflyImport(newStore)
describeSecretsAtRest(() => {
  const file = aFile()
  const read = (name: string) => readFileSync(join(directory, name))
  const isOfIt = (name: string) => name.startsWith(basename(file))
  return {
    open: openOn(file),
    content: async () => Buffer.concat(readdirSync(directory).filter(isOfIt).map(read)),
  }
})

// Not on PostgreSQL, where a process believes no clock for its first half minute.
test('S1.19 the overlap ends with its grace: from then on the new secret alone signs', async () => {
  const { server, receiver, endpoint } = await aRotatingEndpoint(newStore())
  const path = `/v1/endpoints/${endpoint.id}/rotate-secret`
  const { secret } = (await server.call('POST', path, { body: { grace: '100ms' } })).json
  for (;;) {
    const { headers } = await capture(server, receiver)
    if (headers['hookrail-signature']?.split('v1=').length === 2) break
  }
  const found = verdicts(await capture(server, receiver), { old: endpoint.secret, new: secret })
  for (const each of Object.values(found)) expect(each).toEqual({ old: false, new: true, both: true })
  await receiver.close()
})
