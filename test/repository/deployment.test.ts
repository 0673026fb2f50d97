/** compose.yaml and the Dockerfile, as far as they can be checked without a container engine. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'
import { parseDuration } from '../../src/core/duration.ts'
import { runToEnd } from '../cli/run-cli.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')

interface Service {
  readonly build?: string
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly networks: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly stop_grace_period: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<
    Record<string, { readonly ipam: { readonly config: readonly { subnet: string }[] } }>
  >
  readonly volumes: Readonly<Record<string, unknown>>
}

const compose = parse(read('compose.yaml'), { merge: true }) as Compose
const { services } = compose
const nodes = ['node-1', 'node-2'].map((name) => services[name] as Service)

const given: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: '0123456789abcdef'.repeat(4),
  OUTHOOK_MASTER_KEY: 'ab'.repeat(32),
  OUTHOOK_ADMIN_TOKEN: 'cd'.repeat(32),
}

/** As compose puts variables in. */
function interpolate(value: string): string {
  return value.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => given[name] ?? `no such variable ${name}`)
}

/** What stands behind a word of the Dockerfile, one entry for each line that begins with it. */
function instructions(word: string): readonly string[] {
  const joined = read('Dockerfile').replace(/\\\n\s*/g, '')
  return joined
    .split('\n')
    .flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
}

const imageEnvironment = Object.fromEntries(
  (instructions('ENV')[0] ?? '').split(/\s+/).map((pair) => pair.split('=') as [string, string]),
)

describe('compose.yaml', () => {
  test('has two nodes, PostgreSQL and the receiver', () => {
    expect(Object.keys(services).toSorted()).toEqual(['node-1', 'node-2', 'postgres', 'receiver'])
  })

  test('configures nodes with settings that the command line knows, and with the same key', () => {
    for (const node of nodes) {
      const own = Object.entries(node.environment ?? {}).map(([name, value]) => [name, interpolate(value)])
      const config = loadConfig({ env: { ...imageEnvironment, ...Object.fromEntries(own) } })
      expect(config).toMatchObject({
        store: {
          kind: 'postgres',
          url: `postgres://outhook:${given.POSTGRES_PASSWORD}@postgres:5432/outhook`,
        },
        host: '0.0.0.0',
        port: 8080,
        masterKey: given.OUTHOOK_MASTER_KEY,
        adminToken: given.OUTHOOK_ADMIN_TOKEN,
      })
      expect(config.allowNetworks).toEqual([compose.networks.hooks?.ipam.config[0]?.subnet])
      const graceMs = parseDuration(node.stop_grace_period) ?? 0
      expect(graceMs).toBeGreaterThanOrEqual(config.drainDeadlineMs + 15_000)
    }
  })

  test('takes every secret from the environment, and does not start without it', () => {
    const secrets = Object.values(services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|KEY|TOKEN|STORE/.test(name)),
    )
    expect(secrets).toHaveLength(7)
    for (const [name, value] of secrets) expect(value, name).toMatch(/\$\{\w+:\?[^}]+\}/)
    expect(read('.gitignore').split('\n')).toContain('.env')
    for (const name of Object.keys(given))
      expect(read('compose.yaml')).toMatch(new RegExp(`^#.*${name}`, 'm'))
  })

  test('runs commands and flags that the command line has', async () => {
    const [defaultCommand = ''] = JSON.parse(instructions('CMD')[0] ?? '[]')
    for (const { image, command = [defaultCommand] } of Object.values(services)) {
      if (image !== 'outhook') continue
      const [name = '', ...rest] = command
      const { code, out } = await runToEnd([name, '--help'])
      expect(code, name).toBe(0)
      for (const flag of rest.filter((word) => word.startsWith('--')))
        expect(out, flag).toContain(`${flag} <`)
    }
  })

  test('starts nodes once PostgreSQL is healthy, and each service has a health check', () => {
    for (const node of nodes) expect(node.depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
    expect(services.postgres?.healthcheck?.test.slice(0, 2)).toEqual(['CMD', 'pg_isready'])
    expect(services.receiver?.healthcheck?.test[0]).toBe('CMD')
    expect(instructions('HEALTHCHECK')).toHaveLength(1)
  })

  test('keeps the data in a volume, and publishes ports on the loopback only, each once', () => {
    const [mount = ''] = services.postgres?.volumes ?? []
    expect(Object.keys(compose.volumes)).toContain(mount.split(':')[0])
    // Where the image of PostgreSQL 18 and later keeps it.
    expect(mount.split(':')[1]).toBe('/var/lib/postgresql')
    const ports = Object.values(services).flatMap((service) => service.ports ?? [])
    expect(ports).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:8081:8080'])
    for (const [name, { networks }] of Object.entries(services)) expect(networks, name).toEqual(['hooks'])
  })
})

describe('the Dockerfile', () => {
  test('copies what there is, and what .dockerignore lets in', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const sources = instructions('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1))
    expect(sources.length).toBeGreaterThan(5)
    for (const source of sources) {
      expect(existsSync(join(root, source)), source).toBe(true)
      expect(allowed, source).toContain(source)
    }
  })

  test('starts from a Node that is new enough, and from one release', () => {
    const { engines } = JSON.parse(read('package.json'))
    const oldest = Number(/\d+/.exec(engines.node)?.[0])
    const majors = new Set(instructions('FROM').map((line) => /^node:(\d+)-slim@/.exec(line)?.[1]))
    expect(majors.size).toBe(1)
    expect(Number([...majors][0])).toBeGreaterThanOrEqual(oldest)
  })

  test('runs a command that there is, with settings that there are, not as root', async () => {
    expect(loadConfig({ env: imageEnvironment })).toMatchObject({ host: '0.0.0.0', port: 8080 })
    const [, script = ''] = JSON.parse(instructions('ENTRYPOINT')[0] ?? '[]')
    expect(existsSync(join(root, script))).toBe(true)
    const command = JSON.parse(instructions('CMD')[0] ?? '[]')
    expect((await runToEnd([...command, '--help'])).code).toBe(0)
    expect(instructions('USER')).toEqual(['node'])
  })

  test.each([
    [200, 0],
    [503, 1],
  ])('has a health check that ends with the right code when the server answers %i', async (status, code) => {
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(status).end()
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void server.close())
    const [, json = ''] = (instructions('HEALTHCHECK')[0] ?? '').split('CMD ')
    const [, ...args] = JSON.parse(json) as string[]
    const port = String((server.address() as AddressInfo).port)
    const run = promisify(execFile)(process.execPath, args, { env: { OUTHOOK_PORT: port } })
    expect(
      await run.then(
        () => 0,
        (error: { readonly code: number }) => error.code,
      ),
    ).toBe(code)
    expect(asked).toEqual(['/healthz'])
  })
})

describe('the systemd unit', () => {
  const unit = read('deploy/outhook.service')
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value)

  test('runs a command that there is, not as root, with settings that there are', () => {
    const [, script = ''] = /outhook\/(bin\/\S+) serve$/.exec(values('ExecStart')[0] ?? '') ?? []
    expect(existsSync(join(root, script))).toBe(true)
    expect(values('User')).toEqual(['outhook'])
    const env = Object.fromEntries(values('Environment').map((pair = '') => pair.split('=', 2)))
    expect(loadConfig({ env })).toMatchObject({
      store: { kind: 'sqlite', path: '/var/lib/outhook/outhook.db' },
    })
    expect(values('StateDirectory')).toEqual(['outhook'])
  })

  test('gives a drain its time, starts again what failed, and holds no secret', () => {
    const config = loadConfig({ env: {} })
    expect(Number(values('TimeoutStopSec')[0]) * 1000).toBeGreaterThanOrEqual(config.drainDeadlineMs + 15_000)
    expect(values('Restart')).toEqual(['on-failure'])
    expect(values('Environment').join()).not.toMatch(/KEY|TOKEN|PASSWORD/)
    expect(values('EnvironmentFile')).toHaveLength(1)
  })

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).error === undefined
  test.skipIf(!hasSystemd)('is one that systemd takes (skipped without systemd)', () => {
    const file = join(root, 'deploy/outhook.service')
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    expect(stdout + stderr).not.toContain('outhook.service:')
  })
})
