/** The commands, and which file holds each. A file is loaded only when its command is the one that was named. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { nearestName } from '../config/nearest-name.ts'
import { exitCodeHelp, exitCodeOf, exitCodes, FindingsError, UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { defaultWidth } from './table.ts'
import { wrap } from './wrap.ts'

interface CommandFile {
  register(command: Command, io: CliIo): void
}

interface CommandEntry {
  readonly name: string
  readonly description: string
  load(): Promise<CommandFile>
}

const commands: readonly CommandEntry[] = [
  {
    name: 'dev',
    description: 'a server to try things on, with a test receiver',
    load: () => import('./dev.ts'),
  },
  { name: 'serve', description: 'the server', load: () => import('./serve.ts') },
  {
    name: 'dashboard',
    description: 'print a link to the dashboard that signs a browser in, once and within a minute',
    load: () => import('./dashboard.ts'),
  },
  {
    name: 'receiver',
    description: 'a test receiver that fails in chosen ways',
    load: () => import('./receiver.ts'),
  },
  { name: 'publish', description: 'publish one event', load: () => import('./publish.ts') },
  {
    name: 'send',
    description: 'make one delivery to a URL or an endpoint, without a topic',
    load: () => import('./send.ts'),
  },
  {
    name: 'events',
    description: 'events: list, get, wait, payload, expunge',
    load: () => import('./events.ts'),
  },
  {
    name: 'tail',
    description: 'show what happens, as it happens',
    load: () => import('./tail.ts'),
  },
  {
    name: 'endpoints',
    description:
      'endpoints: create, upsert, list, get, update, enable, disable, pause, resume, delete, rotate-secret, backfill',
    load: () => import('./endpoints.ts'),
  },
  {
    name: 'subscriptions',
    description: 'subscriptions: create, list, get, update, enable, disable, delete',
    load: () => import('./subscriptions.ts'),
  },
  {
    name: 'deliveries',
    description: 'deliveries: list, get, resend, cancel, skip',
    load: () => import('./deliveries.ts'),
  },
  {
    name: 'ordered-keys',
    description: 'ordering keys whose deliveries wait for each other: list',
    load: () => import('./ordered-keys.ts'),
  },
  {
    name: 'stats',
    description: 'figures: now, over time, and endpoints in trouble',
    load: () => import('./stats.ts'),
  },
  { name: 'dlq', description: 'dead letters: list, replay', load: () => import('./dlq.ts') },
  {
    name: 'tenants',
    description: 'whose webhooks these are: create, upsert, list, get, update, delete',
    load: () => import('./tenants.ts'),
  },
  {
    name: 'portal-links',
    description: 'links by which the people of a tenant see to its webhooks: create, list, revoke',
    load: () => import('./portal-links.ts'),
  },
  {
    name: 'jobs',
    description: 'work on many deliveries: list, show, cancel',
    load: () => import('./jobs.ts'),
  },
  {
    name: 'credentials',
    description: 'what requests authenticate with: create, list, get, update, activate, deactivate, delete',
    load: () => import('./credentials.ts'),
  },
  {
    name: 'event-types',
    description: 'what is said of topics: create, list, get, update, deprecate, restore, import, delete',
    load: () => import('./event-types.ts'),
  },
  {
    name: 'keys',
    description: 'producer keys: create, list, get, update, rotate, revoke',
    load: () => import('./keys.ts'),
  },
  {
    name: 'admin-tokens',
    description: 'admin tokens with roles: create, list, get, revoke',
    load: () => import('./admin-tokens.ts'),
  },
  {
    name: 'audit',
    description: 'who changed what: list',
    load: () => import('./audit.ts'),
  },
  {
    name: 'seed',
    description: 'a producer key, an endpoint and a subscription, to begin with',
    load: () => import('./seed.ts'),
  },
  {
    name: 'import',
    description: 'make what was configured for another system: pyfly',
    load: () => import('./import.ts'),
  },
  {
    name: 'load-test',
    description: 'send events at a rate and say how soon, and whether, each arrived',
    load: () => import('./load-test.ts'),
  },
  {
    name: 'backup',
    description: 'copy the database into a file, while it is in use',
    load: () => import('./backup.ts'),
  },
  {
    name: 'outbox-sql',
    description: 'print the SQL of the outbox for a SQLite file of your own',
    load: () => import('./outbox-sql.ts'),
  },
  {
    name: 'migrate-store',
    description: 'copy a SQLite store into PostgreSQL',
    load: () => import('./migrate-store.ts'),
  },
  {
    name: 'migrate',
    description: "bring a store's schema up to date, or say what that would do",
    load: () => import('./migrate.ts'),
  },
  {
    name: 'retention',
    description: 'remove once what is past its retention',
    load: () => import('./retention.ts'),
  },
  {
    name: 'doctor',
    description: 'examine a store: settings, schema, vacuum, backlog, clocks',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'system',
    description: 'what a running server is, how it is set, and what is found in its store',
    load: () => import('./system.ts'),
  },
  {
    name: 'verify',
    description: 'say why a captured request does not verify',
    load: () => import('./verify.ts'),
  },
  {
    name: 'scan-secrets',
    description: 'find real webhook URLs in files, or in what git would commit',
    load: () => import('./scan-secrets.ts'),
  },
  {
    name: 'completion',
    description: 'completion for a shell: bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
]

/**
 * Runs one command line (without the program's name) and resolves with its exit code. Never rejects.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const program = await createProgram(args, io)
    refuseUnknownCommand(program, args)
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    }
    if (!(error instanceof FindingsError)) reportError(error, args.includes('--json'), io)
    return exitCodeOf(error)
  }
}

async function createProgram(args: readonly string[], io: CliIo): Promise<Command> {
  const program = new Command('outhook')
    .description('Outbound webhooks that arrive.')
    .version(readVersion(), '-V, --version')
    .addHelpText('after', exitCodeHelp)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.printError(text.trimEnd()),
      getOutHelpWidth: () => defaultWidth,
      getErrHelpWidth: () => defaultWidth,
      getOutHasColors: () => io.isTerminal,
      getErrHasColors: () => io.isTerminal,
    })
  const words = args.filter((arg) => !arg.startsWith('-'))
  const named = words[0] === 'help' ? words[1] : words[0]
  for (const { name, description, load } of commands) {
    const command = program.command(name).description(description)
    // A script of completion holds all commands.
    if (name === named || named === 'completion') (await load()).register(command, io)
  }
  return program
}

/** Before anything else: commander shows a help, and ends with 0, where an unknown command has `--help` behind it. */
function refuseUnknownCommand(program: Command, args: readonly string[]): void {
  let command = program
  for (const word of args[0] === 'help' ? args.slice(1) : args) {
    if (word.startsWith('-') || word === 'help' || command.commands.length === 0) return
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) throw unknownCommand(command, word)
    command = next
  }
}

function unknownCommand(parent: Command, word: string): UsageError {
  const names = parent.commands.map((one) => one.name())
  const nearest = nearestName(word, names)
  const advice = nearest === null ? `Commands are ${names.join(', ')}.` : `Did you mean ${nearest}?`
  const path = parent.parent === null ? '' : `${parent.name()} `
  return new UsageError(
    wrap(`unknown command '${path}${word.slice(0, 64)}'. ${advice}`, {
      width: defaultWidth - 'outhook: '.length,
    }),
  )
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

function reportError(error: unknown, json: boolean, io: CliIo): void {
  const { message, status, title, detail, code } = error as Error & Readonly<Record<string, unknown>>
  const forPrograms = JSON.stringify({ error: { message, status, title, detail, code } })
  io.printError(json ? forPrograms : `outhook: ${message}`)
}
