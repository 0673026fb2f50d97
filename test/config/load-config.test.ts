import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConfigSources } from '../../src/config/load-config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { OuthookError } from '../../src/core/errors.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-config-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function aFile(content: unknown): string {
  const path = join(directory, 'outhook.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function messageOf(sources: ConfigSources): string {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof OuthookError && error.code === 'invalid_config') return error.message
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('where a value comes from', () => {
  test('without anything given, each setting has its default', () => {
    expect(loadConfig({})).toEqual({
      store: { kind: 'sqlite', path: join('.outhook', 'outhook.db') },
      dataDir: '.outhook',
      host: '127.0.0.1',
      port: 8080,
      role: 'all',
      processes: 1,
      portal: 'on',
      portalAccent: null,
      portalFont: 'system',
      portalFrameAncestors: [],
      portalLogo: null,
      portalMode: 'auto',
      portalName: null,
      publicUrl: null,
      masterKey: null,
      masterKeyOld: null,
      newStore: false,
      storeWaitMs: 60_000,
      orderedKeyBacklogMax: 10_000,
      outboxes: [],
      dashboard: 'on',
      eventTypesPage: 'private',
      adminToken: null,
      ingestRate: 0,
      allowHttp: false,
      allowNetworks: [],
      allowHosts: [],
      allowPorts: [],
      denyNetworks: [],
      denyHosts: [],
      outboundProxy: null,
      maxInFlight: 512,
      defaultRetryPolicy: 'standard',
      connectTimeoutMs: 3000,
      headersTimeoutMs: 10_000,
      totalTimeoutMs: 15_000,
      breakerThreshold: 5,
      breakerPauseMs: 30_000,
      breakerMaxPauseMs: 3_600_000,
      disableAfterMs: 432_000_000,
      failingAfter: 3,
      traceHeaders: 'pass',
      drainDeadlineMs: 25_000,
      idempotencyTtlMs: 86_400_000,
      retainPayloadsMs: 30 * 86_400_000,
      retryProfiles: {},
      retainAttemptsMs: 30 * 86_400_000,
      retainAuditMs: 90 * 86_400_000,
      retainDeadLettersMs: 90 * 86_400_000,
      retainEventsMs: 90 * 86_400_000,
      retainJobsMs: 30 * 86_400_000,
      alertChannels: null,
      alertMention: null,
      alertBacklog: 10_000,
      logLevel: 'info',
      logFormat: 'auto',
    })
  })

  test('a flag wins over the environment, that over the file, that over the default', () => {
    const file = aFile({ port: 1, max_in_flight: 1, host: 'file.test' })
    const env = { OUTHOOK_PORT: '2', OUTHOOK_MAX_IN_FLIGHT: '2' }
    expect(loadConfig({ flags: { port: '3' }, env, file })).toMatchObject({
      port: 3,
      maxInFlight: 2,
      host: 'file.test',
      logLevel: 'info',
    })
  })

  test('OUTHOOK_CONFIG names the file when no flag does', () => {
    expect(loadConfig({ env: { OUTHOOK_CONFIG: aFile({ port: 99 }) } }).port).toBe(99)
  })

  test('an empty variable counts as absent', () => {
    expect(loadConfig({ env: { OUTHOOK_PORT: '', OUTHOOK_ADMIN_TOKEN: '' } })).toMatchObject({
      port: 8080,
      adminToken: null,
      ingestRate: 0,
    })
  })

  test("the library's options have the names of the configuration without units", () => {
    const options = {
      totalTimeout: '20s',
      allowNetworks: ['10.0.0.0/8'],
      breakerThreshold: 0,
      store: 'memory:',
    }
    expect(loadConfig({ options })).toMatchObject({
      totalTimeoutMs: 20_000,
      allowNetworks: ['10.0.0.0/8'],
      breakerThreshold: 0,
      store: { kind: 'memory' },
    })
  })

  test('the default store lies in the data directory', () => {
    const { store } = loadConfig({ flags: { dataDir: directory } })
    expect(store).toEqual({ kind: 'sqlite', path: join(directory, 'outhook.db') })
  })

  test('what Kubernetes sets for a service called outhook is not taken for settings', () => {
    const env = {
      OUTHOOK_PORT: 'tcp://10.0.0.1:8080',
      OUTHOOK_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      OUTHOOK_PORT_8080_TCP_ADDR: '10.0.0.1',
      OUTHOOK_SERVICE_HOST: '10.0.0.1',
      OUTHOOK_SERVICE_PORT: '8080',
      OUTHOOK_SERVICE_PORT_HTTP: '8080',
    }
    expect(loadConfig({ env }).port).toBe(8080)
  })
})

describe('how values read', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['2h', 7_200_000],
    ['1500', 1500],
    [1500, 1500],
  ])('the duration %s is %i milliseconds', (idempotencyTtlMs, expected) => {
    expect(loadConfig({ flags: { idempotencyTtlMs } }).idempotencyTtlMs).toBe(expected)
  })

  test('address ranges come as repeated flags, as a comma list and as a JSON list', () => {
    const expected = ['127.0.0.0/8', '10.1.2.3/32', 'fd00::/8', '::1/128']
    const given = ['127.0.0.0/8', '10.1.2.3', 'fd00::/8', '::1']
    expect(loadConfig({ flags: { allowNetworks: given } }).allowNetworks).toEqual(expected)
    expect(loadConfig({ env: { OUTHOOK_ALLOW_NETWORK: given.join(', ') } }).allowNetworks).toEqual(expected)
    expect(loadConfig({ file: aFile({ allow_network: given }) }).allowNetworks).toEqual(expected)
  })

  test('hosts come as repeated flags, as a comma list and as a JSON list, and read as in a URL', () => {
    const given = ['Hooks.Internal', 'bücher.example.', 'a_b.test']
    const expected = ['hooks.internal', 'xn--bcher-kva.example', 'a_b.test']
    expect(loadConfig({ flags: { denyHosts: given } }).denyHosts).toEqual(expected)
    expect(loadConfig({ env: { OUTHOOK_DENY_HOST: given.join(', ') } }).denyHosts).toEqual(expected)
    expect(loadConfig({ file: aFile({ allow_host: given }) }).allowHosts).toEqual(expected)
    expect(loadConfig({ options: { allowHosts: given } }).allowHosts).toEqual(expected)
    expect(messageOf({ flags: { denyHosts: ['10.0.0.1'] } })).toContain(
      'deny-host: ["10.0.0.1"] from the flag --deny-host is not allowed; use names of hosts',
    )
  })

  test.each(['true', '1', true])('%j switches a switch on', (allowHttp) => {
    expect(loadConfig({ flags: { allowHttp } }).allowHttp).toBe(true)
  })

  test('a store on PostgreSQL is a URL, whose schema is ours and whose password is never shown', () => {
    expect(
      loadConfig({ flags: { store: 'postgres://u:p@db:5433/app?schema=hooks&sslmode=require' } }).store,
    ).toEqual({
      kind: 'postgres',
      url: 'postgres://u:p@db:5433/app?sslmode=require',
      schema: 'hooks',
    })
    expect(loadConfig({ flags: { store: 'postgresql://db/app' } }).store).toMatchObject({ schema: 'outhook' })
    expect(() => loadConfig({ flags: { store: 'postgre://u:secret@db/app' } })).toThrow(/postgre:\/\/u:…@db/)
  })

  test('a store is a SQLite file or memory', () => {
    expect(loadConfig({ flags: { store: 'sqlite:/data/a b.db' } }).store).toEqual({
      kind: 'sqlite',
      path: '/data/a b.db',
    })
    expect(loadConfig({ flags: { store: 'memory:' } }).store).toEqual({ kind: 'memory' })
  })
})

describe('what is refused, and how', () => {
  const refused: readonly [name: string, value: unknown, allowed: RegExp][] = [
    ['OUTHOOK_STORE', 'postgres:hooks', /"sqlite:PATH".*"postgres:.*"memory:"/],
    ['OUTHOOK_STORE', 'sqlite:', /"sqlite:PATH"/],
    ['OUTHOOK_PORT', '65536', /a whole number from 0 to 65535/],
    ['OUTHOOK_PORT', '-1', /a whole number from 0 to 65535/],
    ['OUTHOOK_PORT', '80.5', /a whole number/],
    ['OUTHOOK_PORT', 'http', /a whole number/],
    ['OUTHOOK_PORT', '0x50', /a whole number/],
    ['OUTHOOK_MAX_IN_FLIGHT', '0', /a whole number from 1/],
    ['OUTHOOK_ALLOW_HTTP', 'yes', /true or false/],
    ['OUTHOOK_ALLOW_NETWORK', '127.0.0.0/33', /address ranges such as 127\.0\.0\.0\/8/],
    ['OUTHOOK_ALLOW_NETWORK', 'loopback', /address ranges/],
    ['OUTHOOK_ALLOW_NETWORK', '10.0.0.0/8,', /address ranges/],
    ['OUTHOOK_ALLOW_NETWORK', '127.1/8', /address ranges/],
    ['OUTHOOK_TOTAL_TIMEOUT', '15 seconds', /a duration such as "500ms"/],
    ['OUTHOOK_TOTAL_TIMEOUT', '0', /more than zero/],
    ['OUTHOOK_TOTAL_TIMEOUT', '-5s', /a duration/],
    [
      'OUTHOOK_DEFAULT_RETRY_POLICY',
      'exponential',
      /profiles are standard .*hookrail .*dograh .*pyfly .*retry-profiles adds your own/,
    ],
    ['OUTHOOK_LOG_LEVEL', 'verbose', /one of debug, info, warn, error, silent/],
    ['OUTHOOK_LOG_FORMAT', 'xml', /one of auto, json, pretty/],
    ['OUTHOOK_HOST', ' ', /text that is not empty/],
    ['OUTHOOK_OUTBOX', 'app.db', /SQLite files of your own such as sqlite:app\.db/],
    ['OUTHOOK_OUTBOX', 'sqlite:a.db,memory:', /SQLite files/],
    ['OUTHOOK_OUTBOX', 'postgres://localhost/app', /SQLite files/],
  ]
  test.each(refused)('%s=%s', (name, value, allowed) => {
    const message = messageOf({ env: { [name]: String(value) } })
    expect(message).toContain(JSON.stringify(value))
    expect(message).toContain(`from the variable ${name}`)
    expect(message).toMatch(allowed)
  })

  test.each([
    ['OUTHOOK_MASTER_KEY', 'not-a-key-7f3a', /64 hexadecimal digits/],
    ['OUTHOOK_ADMIN_TOKEN', 'short-7f3a', /at least 16 printable characters/],
  ])('the value of %s is never shown', (name, value, allowed) => {
    const message = messageOf({ env: { [name]: value } })
    expect(message).not.toContain('7f3a')
    expect(message).toMatch(allowed)
  })

  test('outboxes are files, given once or several times, and none of them is the store', () => {
    const given = ['sqlite:a.db', 'sqlite:b.db', 'sqlite:a.db']
    const expected = ['a.db', 'b.db']
    expect(loadConfig({ flags: { outboxes: given } }).outboxes).toEqual(expected)
    expect(loadConfig({ env: { OUTHOOK_OUTBOX: given.join(', ') } }).outboxes).toEqual(expected)
    expect(loadConfig({ file: aFile({ outbox: given }) }).outboxes).toEqual(expected)
    const options = { store: 'sqlite:app.db', outboxes: ['sqlite:./app.db'] }
    expect(messageOf({ options })).toContain('outboxes: sqlite:app.db is the store')
    expect(messageOf({ flags: { store: 'sqlite:app.db', outboxes: ['sqlite:app.db'] } })).toContain(
      'outbox: sqlite:app.db',
    )
  })

  test('a bad value is named with the place in the file that it came from', () => {
    const file = aFile({ port: '8080 ' })
    expect(messageOf({ file })).toContain(`port: "8080 " from "port" in ${file} is not allowed`)
  })

  test('a bad value that a better source overrides is not looked at', () => {
    expect(loadConfig({ flags: { port: '1' }, env: { OUTHOOK_PORT: 'x' } }).port).toBe(1)
  })

  test('an unknown variable is refused with the one that was meant', () => {
    expect(messageOf({ env: { OUTHOOK_MAX_INFLIGHT: '1' } })).toContain(
      'OUTHOOK_MAX_INFLIGHT: no such environment variable; did you mean OUTHOOK_MAX_IN_FLIGHT?',
    )
  })

  test('an unknown variable that is near to none gets no guess', () => {
    const message = messageOf({ env: { OUTHOOK_XYZ_QQQQQQ: '1' } })
    expect(message).toContain('OUTHOOK_XYZ_QQQQQQ: no such environment variable')
    expect(message).not.toContain('did you mean')
  })

  test('an unknown member of the file is refused with the one that was meant', () => {
    expect(messageOf({ file: aFile({ prot: 1 }) })).toMatch(
      /"prot" in .*: no such setting; did you mean port\?/,
    )
  })

  test('an unknown option of the library is refused with the one that was meant', () => {
    expect(messageOf({ options: { allowNetwork: [] } })).toContain('did you mean allowNetworks?')
  })

  test.each([
    ['{"port": }', /is not JSON/],
    ['[1]', /must hold one JSON object/],
    ['null', /must hold one JSON object/],
  ])('the file %s is refused', (content, reason) => {
    expect(messageOf({ file: aFile(content) })).toMatch(reason)
  })

  test('a file that is not there is named', () => {
    const file = join(directory, 'absent.json')
    expect(messageOf({ file })).toContain(`${file}: cannot be read (ENOENT)`)
  })

  test('timeouts and pauses that contradict each other are refused', () => {
    const flags = { connectTimeoutMs: '20s', headersTimeoutMs: '30s', breakerPauseMs: '2h' }
    const message = messageOf({ flags })
    expect(message).toContain('connect-timeout: is longer than total-timeout')
    expect(message).toContain('headers-timeout: is longer than total-timeout')
    expect(message).toContain('breaker-pause: is longer than breaker-max-pause')
  })

  test('several processes, and one that does half of the work, need PostgreSQL', () => {
    const flags = { processes: '4', role: 'api' }
    for (const store of [undefined, 'sqlite:hooks.db', 'memory:']) {
      const message = messageOf({ flags: { ...flags, store } })
      expect(message).toContain('processes: 4 need a PostgreSQL store')
      expect(message).toContain('role: api needs a PostgreSQL store')
    }
    expect(loadConfig({ flags: { ...flags, store: 'postgres://db/hooks' } })).toMatchObject({
      processes: 4,
      role: 'api',
    })
  })

  test('events must be kept for as long as idempotency keys answer with them', () => {
    const flags = { idempotencyTtlMs: '48h', retainEventsMs: '47h' }
    expect(messageOf({ flags })).toContain('retain-events: is shorter than idempotency-ttl')
    expect(loadConfig({ flags: { ...flags, retainEventsMs: '0' } }).retainEventsMs).toBe(0)
  })

  test('all mistakes come in one error', () => {
    const message = messageOf({
      flags: { port: 'x' },
      env: { OUTHOOK_ALLOW_HTTP: 'maybe', OUTHOOK_PROT: '1' },
      file: aFile({ hots: 'a' }),
    })
    expect(message.split('\n')).toHaveLength(5)
  })
})
