/** That a client certificate runs out, as its tenant is told by a webhook, with as many servers as the store takes. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../../src/testing/receiver.ts'
import { patienceMs } from '../../patience.ts'
import type { TestServer } from '../a-server.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { aName } from './scene.ts'
import { loopback } from './sending-scene.ts'

const topic = 'credential.expiring'

/** @param nodes how many servers share the store: one on SQLite */
export function describeCertificateExpiry(newStore: () => OpenServer, nodes: 1 | 2): void {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-expiry-'))
  const servers: TestServer[] = []
  const closing: (() => Promise<void>)[] = []
  let receiver: Receiver
  beforeAll(async () => {
    receiver = await startReceiver()
    const open = newStore()
    const closeWith = (close: () => Promise<void>) => void closing.push(close)
    for (let node = 0; node < nodes; node++) {
      servers.push(await open({ dispatch: true, config: loopback, closeWith }))
    }
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await receiver?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const call = async (method: string, path: string, body?: object, server = servers[0] as TestServer) => {
    const answer = await server.call(method, path, { body })
    expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
    return answer.json
  }
  const aPair = (days: number) => {
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
        ...['-subj', '/CN=bank', '-days', String(days), '-keyout', key, '-out', certificate],
      ],
      { stdio: 'pipe' },
    )
    return { certificate: readFileSync(certificate, 'utf8'), private_key: readFileSync(key, 'utf8') }
  }
  const aTenant = async () => {
    const uid = aName('expiry')
    await call('POST', '/v1/tenants', { uid })
    return uid
  }
  const aCertificate = (tenant: string, days: number) =>
    call('POST', `/v1/credentials?tenant=${tenant}`, {
      name: aName('bank'),
      kind: 'client_certificate',
      ...aPair(days),
    })
  const anEndpoint = (tenant: string, path: string, topics: readonly string[], certificate: string) =>
    call('POST', `/v1/endpoints?tenant=${tenant}`, {
      url: receiver.url + path,
      topics,
      client_certificate_id: certificate,
    })
  const publish = (tenant: string, server?: TestServer) =>
    call('POST', `/v1/events?tenant=${tenant}`, { topic: 'a', payload: 1 }, server)
  const at = (path: string) => receiver.received.filter((request) => request.path === path)
  const arrived = async (path: string, count: number) => {
    await expect.poll(() => at(path).length, { timeout: patienceMs }).toBeGreaterThanOrEqual(count)
    return at(path)
  }
  const published = async (tenant: string) =>
    (await call('GET', `/v1/events?tenant=${tenant}`)).items.filter(
      (event: { topic: string }) => event.topic === topic,
    )

  describe('a client certificate that runs out', () => {
    test('is told of by one event from all processes, which is no reason for another one though it goes over that certificate', async () => {
      const tenant = await aTenant()
      const credential = await aCertificate(tenant, 6)
      const [used, watch] = [`/${aName('used')}`, `/${aName('watch')}`]
      await anEndpoint(tenant, watch, [topic], credential.id)
      await anEndpoint(tenant, used, ['a'], credential.id)
      for (const server of servers) await publish(tenant, server)
      await arrived(used, nodes)
      const [told] = await arrived(watch, 1)
      expect(told?.topic).toBe(topic)
      expect(JSON.parse(Buffer.from(told?.body ?? '').toString())).toEqual({
        type: topic,
        timestamp: expect.any(String),
        data: {
          credential_id: credential.id,
          credential_name: credential.name,
          part: 'certificate',
          fingerprint: credential.fingerprint,
          expires_at: credential.not_after,
          within_days: 7,
        },
      })
      // Each process has looked at it by then, and what waits for being published is published in order.
      for (const server of servers) await publish(tenant, server)
      await arrived(used, 2 * nodes)
      const other = await aTenant()
      const later = await aCertificate(other, 1)
      const otherWatch = `/${aName('watch')}`
      await anEndpoint(other, otherWatch, [topic, 'a'], later.id)
      for (const server of servers) await publish(other, server)
      await arrived(otherWatch, nodes + 1)
      expect(at(watch)).toHaveLength(1)
      expect(await published(tenant)).toHaveLength(1)
      const [last] = at(otherWatch).filter((request) => request.topic === topic)
      expect(JSON.parse(Buffer.from(last?.body ?? '').toString()).data).toMatchObject({
        credential_id: later.id,
        within_days: 1,
      })
      const shown = await call('GET', `/v1/credentials/${credential.id}?tenant=${tenant}`)
      expect(shown.version, 'it is no change of the credential').toBe(credential.version)
    })

    test('makes no event where nobody names the topic, and one that has long to go makes none', async () => {
      const [unheard, early] = [await aTenant(), await aTenant()]
      const paths = [`/${aName('used')}`, `/${aName('used')}`] as const
      await anEndpoint(unheard, paths[0], ['*', 'a'], (await aCertificate(unheard, 6)).id)
      await anEndpoint(early, paths[1], [topic, 'a'], (await aCertificate(early, 365)).id)
      for (const tenant of [unheard, early]) await publish(tenant)
      for (const path of paths) await arrived(path, 1)
      const told = await aTenant()
      const watch = `/${aName('watch')}`
      await anEndpoint(told, watch, [topic, 'a'], (await aCertificate(told, 6)).id)
      await publish(told)
      await arrived(watch, 2)
      for (const tenant of [unheard, early]) expect(await published(tenant)).toEqual([])
    })
  })
}
