import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aDirectory } from '../delivery/an-app.ts'
import { aServer } from './a-server.ts'
import {
  aRotatingEndpoint,
  capture,
  describeHookrailRows,
  type OpenServer,
  verdicts,
} from './hookrail-rows.ts'

const newStore = (): OpenServer => {
  const store = `sqlite:${join(aDirectory(), 'outhook.db')}`
  return (options) =>
    aServer({ ...options, config: { store, masterKey: 'ab'.repeat(32), ...options?.config } })
}

describeHookrailRows(newStore)

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
