/** What the server says of itself, and that no secret of its settings is in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'
import { settingList } from '../../../src/config/schema.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { StoreExaminer } from '../../../src/engine/store-examiner.ts'
import * as serverModule from '../../../src/server.ts'
import { version } from '../../../src/version.ts'
import { runToEnd } from '../../cli/run-cli.ts'
import { expectDocumented } from '../expect-documented.ts'

const word = 'plantedInSettings'
const adminToken = `hkadm_${word}0123456789`
const masterKey = 'c0ffee11'.repeat(8)
const masterKeyOld = 'deadbea7'.repeat(8)
const secretSettings = {
  adminToken,
  masterKey,
  masterKeyOld,
  outboundProxy: `http://${word}User:${word}@127.0.0.1:9`,
  alertChannels: `alerts=http://127.0.0.1:9/api/webhooks/123456789012345678/${word}`,
}
const planted = [word, masterKey, masterKeyOld]

interface SystemSubject {
  readonly kind: 'sqlite' | 'postgres'
  /** Without a password. */
  readonly store: string
  /** The same store, with passwords in all the places that one can stand in. */
  readonly storeWithPasswords: string
  /** Checks that find something in every store of the kind. */
  readonly checks: readonly string[]
  readonly lengthyChecks: readonly string[]
}

/** Does what the tests of the API do with each answer: it is held against the document. */
async function ask(url: string, path: string, token = adminToken) {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  const answer = { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
  expectDocumented('GET', path, answer)
  return answer
}

export function describeSystem(openSubject: () => SystemSubject): void {
  describe('the system', () => {
    afterEach(() => {
      vi.restoreAllMocks()
    })

    /** Settings of each source, and a secret in each setting that takes one. */
    async function start(store: string) {
      const folder = mkdtempSync(join(tmpdir(), 'outhook-system-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const file = join(folder, 'settings.json')
      writeFileSync(file, JSON.stringify({ max_in_flight: 99 }))
      const { outboundProxy, ...others } = secretSettings
      const flags = { ...others, store, port: '0' }
      const env = { OUTHOOK_DISABLE_AFTER: '2d', OUTHOOK_OUTBOUND_PROXY: outboundProxy }
      const server = await serverModule.startServer(loadConfig({ flags, env, file }), { log: silentLogger })
      onTestFinished(() => server.close())
      return { url: server.url, file }
    }

    test('version, role, store, and each setting with its value and who has said it', async () => {
      const { kind, storeWithPasswords, store } = openSubject()
      const { url, file } = await start(storeWithPasswords)
      const { json } = await ask(url, '/v1/system')
      expect(json).toMatchObject({
        outhook_version: version,
        node_version: process.versions.node,
        role: 'all',
        store: { kind, location: store, schema_version: expect.any(Number) },
      })
      const named = Object.fromEntries(json.settings.map((each: { name: string }) => [each.name, each]))
      expect(Object.keys(named).toSorted()).toEqual(settingList.map(([, { name }]) => name).toSorted())
      const shown = (name: string) => {
        const { value, is_set, source } = named[name]
        return [value, is_set, source.kind, source.name]
      }
      expect(shown('port')).toEqual(['0', true, 'flag', '--port'])
      expect(shown('disable-after')).toEqual(['2d', true, 'environment', 'OUTHOOK_DISABLE_AFTER'])
      expect(shown('max-in-flight')).toEqual(['99', true, 'file', `"max_in_flight" in ${file}`])
      expect(shown('total-timeout')).toEqual(['15s', false, 'default', null])
      expect(named['portal-name']).toMatchObject({ value: null, meaning: 'the name of the tenant' })
      expect(named['outbound-proxy']).toMatchObject({ value: null, is_secret: true, is_set: true })
    })

    test('no secret of any setting is in it, for programs, on the command line, or in an error', async () => {
      const { storeWithPasswords } = openSubject()
      const secret = settingList.flatMap(([key, each]) => (each.secret === true ? [key] : []))
      expect(secret.toSorted()).toEqual(Object.keys(secretSettings).toSorted())
      const { url } = await start(storeWithPasswords)
      const env = { OUTHOOK_URL: url, OUTHOOK_TOKEN: adminToken }
      const printed = [await runToEnd(['system'], { env }), await runToEnd(['system', '--json'], { env })]
      for (const { code, out, err } of printed) expect([code, err, out]).toEqual([0, '', expect.any(String)])
      const { text } = await ask(url, '/v1/system')
      expect(text).toContain('outbound-proxy')
      expect(printed[0]?.out).toContain('outbound-proxy')
      for (const each of [text, ...printed.map(({ out }) => out)]) {
        expect(planted.filter((one) => each.includes(one))).toEqual([])
      }
    })

    test('what is found in the store, without what would read all of it, and the server works on', async () => {
      const { checks, lengthyChecks, storeWithPasswords } = openSubject()
      const { url } = await start(storeWithPasswords)
      const { json } = await ask(url, '/v1/system')
      const found = json.findings.map(({ check }: { check: string }) => check)
      expect(found).toEqual(expect.arrayContaining([...checks]))
      expect(json.lengthy_checks).toEqual(lengthyChecks)
      for (const check of lengthyChecks) expect(found).not.toContain(check)
      const of = (check: string) => json.findings.find((each: { check: string }) => each.check === check)
      expect(of('schema')).toMatchObject({
        level: 'ok',
        found: `version ${json.store.schema_version}`,
        advice: null,
      })
      expect(of('master key')).toMatchObject({ found: expect.stringContaining('the one that was given') })
      // Whoever asks soon after gets what was found then; and the store still takes events.
      expect((await ask(url, '/v1/system')).json.examined_at).toBe(json.examined_at)
      const body = JSON.stringify({ topic: 'a', payload: 1 })
      const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
      expect((await fetch(`${url}/v1/events`, { method: 'POST', headers, body })).status).toBe(202)
    })

    test('a server that closes gives up an examination that is under way, and answers whoever waits for it', async () => {
      const config = loadConfig({
        flags: { ...secretSettings, store: openSubject().storeWithPasswords, port: '0' },
        env: {},
      })
      const server = await serverModule.startServer(config, { log: silentLogger })
      const began = vi.spyOn(StoreExaminer.prototype, 'read')
      const asked = ask(server.url, '/v1/system')
      await vi.waitFor(() => expect(began).toHaveBeenCalled())
      await server.close()
      expect((await asked).status).toBe(200)
    })

    test('a token of one tenant is refused, whatever its role', async () => {
      const { url } = await start(openSubject().storeWithPasswords)
      const post = async (path: string, sent: object) => {
        const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
        const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(sent) })
        return (await answer.json()) as { readonly id: string; readonly token: string }
      }
      const tenant = await post('/v1/tenants', {})
      const sent = { role: 'admin', label: 'bound', tenant_id: tenant.id }
      const { token } = await post('/v1/admin-tokens', sent)
      expect((await ask(url, '/v1/system', token)).status).toBe(403)
    })
  })
}
