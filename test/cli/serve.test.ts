import { describe, expect, test } from 'vitest'
import type { ServerModule } from '../../src/cli/io.ts'
import { createLogger } from '../../src/observability/log.ts'
import { noServer, startCli } from './run-cli.ts'

function aServer(adminToken: string | null = null) {
  const drained = Promise.withResolvers<void>()
  const configs: unknown[] = []
  const server: ServerModule = {
    ...noServer,
    createLogger,
    backupStore: async (config, file) => {
      configs.push({ config, file })
      return { bytes: 4096 }
    },
    createKey: async (config, request) => {
      configs.push(config, request)
      return { id: 'key_1', ...request.body, key: 'hk_made' }
    },
    startServer: async (config) => {
      configs.push(config)
      return { url: 'http://127.0.0.1:8080', adminToken, close: () => drained.promise }
    },
  }
  return { server, drained, configs }
}

describe('outhook serve', () => {
  test('logs its address, and on a signal ends with 0 once the drain is done', async () => {
    const { server, drained } = aServer()
    const run = startCli(['serve'], { server })
    await run.waitForOutput('"listening"')
    run.signal('SIGTERM')
    drained.resolve()
    expect(await run.exitCode).toBe(0)
    expect(
      run
        .out()
        .split('\n')
        .map((line) => JSON.parse(line).message),
    ).toEqual(['listening', 'stopped'])
  })

  test('does not end before the drain is done', async () => {
    const { server, drained } = aServer()
    const run = startCli(['serve'], { server })
    await run.waitForOutput('"listening"')
    run.signal('SIGTERM')
    const first = await Promise.race([
      run.exitCode,
      new Promise((resolve) => setImmediate(resolve, 'draining')),
    ])
    expect(first).toBe('draining')
    drained.resolve()
    await run.exitCode
  })

  test('shows a generated admin token once, and not among the log lines on standard output', async () => {
    const { server, drained } = aServer('hkadm_generated')
    const run = startCli(['serve'], { server })
    await run.waitForOutput('"listening"')
    expect(run.err()).toBe('admin token (shown this once): hkadm_generated')
    expect(run.out()).not.toContain('hkadm_')
    drained.resolve()
    run.signal()
    await run.exitCode
  })

  test('reads flags over the environment', async () => {
    const { server, drained, configs } = aServer()
    const env = { OUTHOOK_PORT: '1', OUTHOOK_HOST: 'a.test' }
    const flags = [
      '--port',
      '2',
      '--allow-network',
      '10.0.0.0/8',
      '--allow-network',
      'fd00::/8',
      '--allow-http',
    ]
    const run = startCli(['serve', ...flags], { server, env })
    await run.waitForOutput('"listening"')
    expect(configs[0]).toMatchObject({
      port: 2,
      host: 'a.test',
      allowHttp: true,
      allowNetworks: ['10.0.0.0/8', 'fd00::/8'],
    })
    drained.resolve()
    run.signal()
    await run.exitCode
  })
})

describe('outhook backup', () => {
  test('copies the configured store and says how large the copy is', async () => {
    const { server, configs } = aServer()
    const run = startCli(['backup', 'copy.db', '--store', 'sqlite:live.db', '--json'], { server })
    expect(await run.exitCode).toBe(0)
    expect(JSON.parse(run.out())).toEqual({ file: 'copy.db', bytes: 4096 })
    expect(configs).toMatchObject([
      { file: 'copy.db', config: { store: { kind: 'sqlite', path: 'live.db' } } },
    ])
  })
})

describe('outhook keys create --store', () => {
  test('makes the first key of a store on which no server runs', async () => {
    const { server, configs } = aServer()
    const run = startCli(['keys', 'create', 'checkout', '--store', 'sqlite:first.db', '--json'], { server })
    expect(await run.exitCode).toBe(0)
    expect(configs).toMatchObject([
      { store: { kind: 'sqlite', path: 'first.db' } },
      { route: 'keys', body: { name: 'checkout', kind: 'producer' } },
    ])
    expect(JSON.parse(run.out())).toMatchObject({
      id: 'key_1',
      kind: 'producer',
      name: 'checkout',
      key: 'hk_made',
    })
  })
})
