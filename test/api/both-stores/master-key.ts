/** The exchange of the master key, as an operator does it. */
import { describe, expect, test } from 'vitest'
import { startReceiver } from '../../../src/testing/receiver.ts'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import { capture, type OpenServer, verdicts } from '../hookrail-rows.ts'

const oldKey = 'a1'.repeat(32)
const newKey = 'b2'.repeat(32)
const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
const withOld = { ...loopback, masterKey: oldKey }
const withBoth = { ...loopback, masterKey: newKey, masterKeyOld: oldKey }
const withNew = { ...loopback, masterKey: newKey }

type Server = Awaited<ReturnType<OpenServer>>

async function untilDone(server: Server): Promise<void> {
  const replacing = async () => (await server.call('GET', '/v1/master-key')).json.replacing
  await expect.poll(replacing, { timeout: patienceMs, interval: 50 }).toBeNull()
}

export function describeMasterKey(newStore: () => OpenServer): void {
  describe('the exchange of the master key', () => {
    test('everything that the old key sealed is sealed by the new one, which then is all that a server needs', async () => {
      const open = newStore()
      const receiver = await startReceiver()
      const first = await open({ config: withOld })
      const bearer = { name: 'theirs', kind: 'bearer', token: 'a-token-of-theirs' }
      const credential = (await first.call('POST', '/v1/credentials', { body: bearer })).json
      const request = {
        body: {
          url: receiver.url,
          topics: ['*'],
          signing_schemes: ['standard', 'hookrail'],
          credential_id: credential.id,
        },
        headers: { 'idempotency-key': 'made-before' },
      }
      const endpoint = (await first.call('POST', '/v1/endpoints', request)).json
      await first.call('POST', '/v1/endpoints', { body: { url: receiver.url } })
      const { next_cursor: cursor } = (await first.call('GET', '/v1/endpoints?limit=1')).json
      const alone = (await first.call('GET', '/v1/master-key')).json
      expect(alone).toMatchObject({ replacing: null, remaining: 0, given: [alone.fingerprint] })
      const refused = await first.call('POST', '/v1/master-key/rotate')
      expectProblem(refused, { status: 409, title: 'conflict' })
      expect(refused.json.detail).toContain('OUTHOOK_MASTER_KEY_OLD')
      await first.close()

      // With both keys the old one goes on sealing until it is told otherwise.
      const both = await open({ config: withBoth, dispatch: true })
      const before = (await both.call('GET', '/v1/master-key')).json
      expect(before).toMatchObject({ fingerprint: alone.fingerprint, replacing: null, remaining: 0 })
      const started = (await both.call('POST', '/v1/master-key/rotate')).json
      expect(started).toMatchObject({ replacing: alone.fingerprint })
      expect(started.fingerprint).not.toBe(alone.fingerprint)
      expect((await both.call('POST', '/v1/master-key/rotate')).json).toMatchObject({
        replacing: alone.fingerprint,
      })
      const kept = await capture(both, receiver)
      const { secret } = endpoint
      expect(verdicts(kept, { old: secret, new: 'whsec_x' }).standard.old).toBe(true)
      expect((await both.call('GET', `/v1/endpoints?limit=1&cursor=${cursor}`)).json.items).toMatchObject([
        { id: endpoint.id },
      ])
      await untilDone(both)
      const done = (await both.call('GET', '/v1/master-key')).json
      expect(done).toEqual({ ...started, replacing: null, remaining: 0 })
      await both.close()

      const after = await open({ config: withNew, dispatch: true })
      const last = await capture(after, receiver)
      expect(verdicts(last, { old: secret, new: 'whsec_x' }).hookrailOwn.old).toBe(true)
      expect(last.headers.authorization).toBe('Bearer a-token-of-theirs')
      const again = await after.call('POST', '/v1/endpoints', request)
      expect([again.json.secret, again.headers.get('idempotent-replay')]).toEqual([secret, 'true'])
      await after.close()
      await expect(open({ config: withOld })).rejects.toMatchObject({
        code: 'wrong_master_key',
        message: expect.stringMatching(new RegExp(`${done.fingerprint}.*${alone.fingerprint}`)),
      })
      await receiver.close()
    })

    test('a server that stops amid it is followed by the next one; with one of the two keys none starts meanwhile', async () => {
      const open = newStore()
      const first = await open({ config: withOld })
      const made: string[] = []
      for (let index = 0; index < 3; index++) {
        const body = { url: 'https://127.0.0.1/' }
        made.push((await first.call('POST', '/v1/endpoints', { body })).json.id)
      }
      await first.close()
      const second = await open({ config: withBoth })
      const { fingerprint, replacing } = (await second.call('POST', '/v1/master-key/rotate')).json
      await second.close()
      for (const config of [withNew, withOld]) {
        await expect(open({ config })).rejects.toMatchObject({
          code: 'wrong_master_key',
          message: expect.stringContaining(fingerprint),
        })
      }
      await expect(open({ config: withNew })).rejects.toThrow(
        `at the exchange of master key ${replacing} for ${fingerprint}`,
      )
      const third = await open({ config: withBoth })
      await untilDone(third)
      expect((await third.call('GET', '/v1/master-key')).json).toMatchObject({ fingerprint, remaining: 0 })
      for (const id of made) {
        expect((await third.call('GET', `/v1/endpoints/${id}/secrets`)).json.items).toHaveLength(1)
      }
      const bound = (await third.call('POST', '/v1/tenants', { body: { uid: 'acme' } })).json
      const { token } = (
        await third.call('POST', '/v1/admin-tokens', {
          body: { role: 'admin', label: 'x', tenant_id: bound.id },
        })
      ).json
      expect((await third.call('GET', '/v1/master-key', { token })).status).toBe(403)
      expect((await third.call('POST', '/v1/master-key/rotate', { token })).status).toBe(403)
    })
  })
}
