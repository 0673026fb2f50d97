/**
 * A real PostgreSQL for tests: the server that OUTHOOK_TEST_POSTGRES_URL names, or one of the binaries that
 * `npm test` puts into this folder, started on a free port of the loopback and on a data directory of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const postgresVersions = ['15', '18'] as const
export type PostgresVersion = (typeof postgresVersions)[number]

export interface PostgresServer {
  readonly url: string
  /** The server's process; null when it is somebody else's. */
  readonly pid: number | null
  /** Ends it at once, as a power cut would: no checkpoint, connections cut. */
  crash(): Promise<void>
  /** After a crash: the same data, the same port. */
  restart(): Promise<void>
  /** Another server with a copy of the data, which follows this one until it is promoted. Starts this one anew. */
  startStandby(): Promise<PostgresServer>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** Under which names suites run: every version that comes with us, or the one server that was named. */
export function testedServers(): readonly { readonly name: string; start(): Promise<PostgresServer> }[] {
  const url = process.env.OUTHOOK_TEST_POSTGRES_URL
  if (url !== undefined && url !== '') return [{ name: 'PostgreSQL', start: async () => borrowed(url) }]
  return postgresVersions.map((version) => ({
    name: `PostgreSQL ${version}`,
    start: () => startPostgres(version),
  }))
}

function borrowed(url: string): PostgresServer {
  const refuse = async (): Promise<never> => {
    throw new Error('the server of OUTHOOK_TEST_POSTGRES_URL is not ours to end')
  }
  return { url, pid: null, crash: refuse, restart: refuse, startStandby: refuse, stop: async () => {} }
}

const startLimitMs = 60_000
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'shared_buffers=64MB',
  'log_min_messages=fatal',
]

export async function startPostgres(version: PostgresVersion): Promise<PostgresServer> {
  const owner = serverUser()
  const installation = { owner, binaries: reachableBinaries(version, owner) }
  const directory = ownDirectory(owner)
  const data = join(directory, 'data')
  await promisify(execFile)(
    join(installation.binaries, executable('initdb')),
    [
      '--pgdata',
      data,
      '--username',
      'postgres',
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--no-locale',
      '--no-sync',
    ],
    { ...owner, env: serverEnvironment(), cwd: directory },
  )
  return startOn(directory, installation)
}

interface Installation {
  readonly owner: User | null
  readonly binaries: string
}

async function startOn(directory: string, installation: Installation): Promise<PostgresServer> {
  const { owner, binaries } = installation
  const data = join(directory, 'data')
  const port = await freePort()
  const run = (): Promise<ChildProcess> =>
    launch(
      join(binaries, executable('postgres')),
      ['-D', data, '-p', `${port}`, ...settings.flatMap((each) => ['-c', each])],
      { ...owner, env: serverEnvironment(), cwd: directory },
    )
  let child = await run()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return child.pid ?? null
    },
    crash: () => end(child, 'SIGQUIT'),
    async restart() {
      child = await run()
    },
    async startStandby() {
      await end(child, 'SIGINT')
      const copy = ownDirectory(owner)
      cpSync(data, join(copy, 'data'), { recursive: true })
      chmodSync(join(copy, 'data'), 0o700)
      const primary = `host=127.0.0.1 port=${port} user=postgres application_name=standby`
      appendFileSync(join(copy, 'data', 'postgresql.auto.conf'), `primary_conninfo = '${primary}'\n`)
      writeFileSync(join(copy, 'data', 'standby.signal'), '')
      if (owner !== null) {
        for (const name of ['', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })]) {
          chownSync(join(copy, name), owner.uid, owner.gid)
        }
      }
      child = await run()
      return startOn(copy, installation)
    },
    async stop() {
      await end(child, 'SIGINT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function ownDirectory(owner: User | null): string {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-postgres-'))
  if (owner !== null) chownSync(directory, owner.uid, owner.gid)
  return directory
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root, so then it runs as the user who owns nothing. */
function serverUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('nobody:'))
  if (line === undefined)
    throw new Error('there is no user "nobody" to run PostgreSQL as; run the tests as another user than root')
  const [, , uid, gid] = line.split(':').map(Number)
  return { uid: uid as number, gid: gid as number }
}

/** The folder of the executables; a copy of it when the other user cannot get to where they are installed. */
function reachableBinaries(version: PostgresVersion, user: User | null): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const installed = join(import.meta.dirname, 'node_modules', `postgres-${version}-${platform}`, 'native')
  if (!existsSync(installed)) {
    throw new Error(
      `PostgreSQL ${version} for ${platform} is not installed; run "npm test", or name a server in OUTHOOK_TEST_POSTGRES_URL`,
    )
  }
  if (user === null || isOpenToAll(installed)) return join(installed, 'bin')
  const copy = join(tmpdir(), `outhook-postgres-${version}-${process.pid}`)
  if (!existsSync(copy)) {
    cpSync(installed, copy, { recursive: true, verbatimSymlinks: true })
    chmodSync(copy, 0o755)
    process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
  }
  return join(copy, 'bin')
}

function isOpenToAll(path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
  }
  return true
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name
}

/** Nothing of the caller's own PostgreSQL settings, and messages in English. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PG') && !name.startsWith('LC_'),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}

type SpawnOptions = NonNullable<Parameters<typeof spawn>[2]>

/** Resolves once the server takes connections. */
function launch(file: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args, '-c', 'log_min_messages=log'], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const killAtExit = (): unknown => child.kill('SIGQUIT')
    process.once('exit', killAtExit)
    let log = ''
    const limit = setTimeout(() => fail('it did not get ready'), startLimitMs)
    const fail = (why: string): void => {
      clearTimeout(limit)
      child.kill('SIGQUIT')
      reject(new Error(`PostgreSQL could not be started: ${why}\n${log}`))
    }
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-8000)
      if (!/database system is ready to accept (read-only )?connections/.test(log)) return
      clearTimeout(limit)
      resolve(child)
    })
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code) => {
      process.off('exit', killAtExit)
      fail(`it ended with ${code}`)
    })
  })
}

function end(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
