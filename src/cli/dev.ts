/**
 * `outhook dev`: everything that one needs to see a webhook arrive, in one process. The keys, the data and the
 * endpoint of the last run are taken up again.
 */
import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { Client } from '../client/client.ts'
import { ApiError } from '../client/errors.ts'
import { makeDirectory } from '../config/make-directory.ts'
import { type Config, settingList } from '../config/schema.ts'
import { changeConfig } from '../config/setting-sources.ts'
import { createSystemClock } from '../core/clock.ts'
import { renderAttempt } from './attempt-line.ts'
import { createCliClient } from './cli-client.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import { makeDashboardLink } from './dashboard.ts'
import type { DevFile } from './dev-file.ts'
import { readDevFile, writeDevFile } from './dev-file.ts'
import { EndpointNames } from './endpoint-names.ts'
import { UsageError } from './exit-codes.ts'
import { findFreePort } from './free-port.ts'
import type { AttemptLine, CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { createLogger } from './serve.ts'
import { shortenId } from './short-id.ts'
import { runUntilSignal } from './until-signal.ts'

const loopback = ['127.0.0.0/8', '::1/128']
const receiverUid = 'dev-receiver'
/** It is one process that does all. */
const devSettings = settingList.map(([key]) => key).filter((key) => key !== 'role' && key !== 'processes')

export function register(command: Command, io: CliIo): void {
  addConfigFlags(command, devSettings)
  // Refused with words of its own.
  for (const flag of ['--role <name>', '--processes <number>']) command.addOption(new Option(flag).hideHelp())
  addNotes(
    command,
    'Opens loopback addresses and http:// for endpoints, and nothing else. Not for production: use "serve" there.',
  )
  command.action(async () => {
    const ofDev = io.env.OUTHOOK_LOG_LEVEL === undefined ? { logLevel: 'error' } : {}
    const given = readConfig(command, io, ofDev)
    const known = readDevFile(given.dataDir)
    const config = await devConfig(given, known)
    await runUntilSignal(io, (signal) => startDev(config, known, { io, signal }))
  })
}

async function devConfig(given: Config, known: DevFile | null): Promise<Config> {
  if (given.processes > 1 || given.role !== 'all') {
    throw new UsageError(
      '"dev" is one process that does all; use "outhook serve" with --role and --processes',
    )
  }
  makeDirectory(given.dataDir)
  return changeConfig(given, {
    port: await findFreePort(given.host, given.port),
    adminToken: given.adminToken ?? known?.adminToken ?? `hkadm_${randomBytes(24).toString('hex')}`,
    allowHttp: true,
    allowNetworks: [...given.allowNetworks, ...loopback],
  })
}

async function startDev(
  config: Config,
  known: DevFile | null,
  { io, signal }: { readonly io: CliIo; readonly signal: AbortSignal },
) {
  const { startReceiver } = await import('../testing/receiver.ts')
  const app = await io.loadServer()
  // The same port at each start, so that endpoints which were made by hand find it again.
  const receiverPort = config.port === 0 ? 0 : await findFreePort('127.0.0.1', config.port + 1)
  const receiver = await startReceiver({ keepRequests: 0, port: receiverPort })
  const lines = new AttemptLines(io)
  const opened: { close(): Promise<void> }[] = [receiver]
  // The server first: what it has in flight still finds the receiver.
  const close = async () => {
    for (const one of opened.reverse()) await one.close()
  }
  try {
    const server = await app.startServer(config, {
      log: createLogger(app, config, io),
      signal,
      onMasterKeyCreated: (path) => io.print(`made a master key for endpoint secrets: ${path}`),
      onAttempt: (attempt) => lines.print(attempt),
    })
    opened.push(server)
    lines.begin(createCliClient({ url: server.url, token: config.adminToken ?? '' }))
    const dev = await prepare(server.url, config, known)
    await demonstrate(dev, receiver.url, {
      io,
      isFirstStart: known === null,
      hasDashboard: config.dashboard === 'on',
    })
    return { close, lost: server.lost }
  } catch (error) {
    await close()
    throw error
  }
}

/** One line per attempt, in the order in which they ended, with the name of the endpoint. */
class AttemptLines {
  readonly #io: CliIo
  #names: EndpointNames | null = null
  #last = Promise.resolve()

  constructor(io: CliIo) {
    this.#io = io
  }

  /** From now on there is a server to ask for names. */
  begin(client: Client): void {
    this.#names = new EndpointNames(client, createSystemClock())
  }

  print(attempt: AttemptLine): void {
    const { endpointId } = attempt
    const name = endpointId === null ? null : (this.#names?.nameOf(endpointId) ?? shortenId(endpointId))
    this.#last = Promise.all([name, this.#last]).then(([endpoint]) =>
      this.#io.print(renderAttempt(attempt, { colour: this.#io.isTerminal, endpoint })),
    )
  }
}

interface Demonstration {
  readonly io: CliIo
  readonly isFirstStart: boolean
  readonly hasDashboard: boolean
}

async function demonstrate(
  dev: DevFile,
  receiverUrl: string,
  { io, isFirstStart, hasDashboard }: Demonstration,
): Promise<void> {
  const client = createCliClient({ url: dev.url, token: dev.adminToken })
  await client.endpoints.create({
    uid: receiverUid,
    url: `${receiverUrl}/succeed`,
    topics: ['*'],
    description: 'the test receiver of "outhook dev"',
  })
  const link = hasDashboard ? (await makeDashboardLink(client, dev)).link : null
  for (const line of welcome(dev, receiverUrl, link)) io.print(line)
  if (isFirstStart) await client.send({ topic: 'demo.hello', body: '{"hello":"world"}' })
}

/** Makes sure of a producer key that works, and writes `dev.json`. */
async function prepare(url: string, config: Config, known: DevFile | null): Promise<DevFile> {
  const adminToken = config.adminToken ?? ''
  const admin = createCliClient({ url, token: adminToken })
  const isKeyGood = known !== null && (await isAccepted(createCliClient({ url, token: known.producerKey })))
  const producerKey = isKeyGood ? known.producerKey : await makeProducerKey(admin)
  const dev = { url, adminToken, producerKey }
  writeDevFile(config.dataDir, dev)
  return dev
}

async function makeProducerKey(admin: Client): Promise<string> {
  const { key } = await admin.keys.create({ name: 'dev' })
  return key
}

/** Asks for an event that does not exist: whoever may ask at all is told so. */
async function isAccepted(client: Client): Promise<boolean> {
  try {
    await client.events.get('evt_00000000000000000000000000')
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401 || error.status === 403) return false
    if (error.status === 404) return true
    throw error
  }
}

/** With a uid, so that it can be pasted twice. */
function failingEndpoint(receiverUrl: string): string {
  return JSON.stringify({
    uid: 'fails-twice',
    url: `${receiverUrl}/fail/2`,
    topics: ['retry.*'],
    retry_policy: { delays: ['1s'], max_attempts: 5, jitter: 'none' },
  })
}

function welcome(dev: DevFile, receiverUrl: string, dashboardLink: string | null): readonly string[] {
  return [
    '',
    `Outhook is running at ${dev.url}   (API page: ${dev.url}/docs)`,
    '',
    `  admin token    ${dev.adminToken}`,
    `  producer key   ${dev.producerKey}`,
    `  test receiver  ${receiverUrl}   (its endpoint "${receiverUid}" gets every topic)`,
    '',
    ...(dashboardLink === null
      ? []
      : [
          'Open the dashboard; the link signs in once and within a minute, and "outhook dashboard" prints another:',
          '',
          `  ${dashboardLink}`,
          '',
        ]),
    'Copy these to publish an event, and to see what became of it:',
    '',
    `  curl -s ${dev.url}/v1/events -H 'Authorization: Bearer ${dev.producerKey}' -d '{"topic":"orders.created","payload":{"id":1}}'`,
    `  curl -s '${dev.url}/v1/deliveries?limit=5' -H 'Authorization: Bearer ${dev.adminToken}'`,
    '',
    'Add an endpoint that fails twice, publish for it, and watch it being retried:',
    '',
    `  curl -s ${dev.url}/v1/endpoints -H 'Authorization: Bearer ${dev.adminToken}' -d '${failingEndpoint(receiverUrl)}'`,
    `  curl -s ${dev.url}/v1/events -H 'Authorization: Bearer ${dev.producerKey}' -d '{"topic":"retry.me","payload":{"id":2}}'`,
    '',
    'Each attempt from now on, one line; Ctrl-C ends:',
    '',
  ]
}
