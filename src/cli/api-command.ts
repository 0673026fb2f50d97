/** A command that talks to a running server: finding it, its token, and the ways of printing what it said. */
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import type { NamedTypes } from '../client/generated/kept-names.ts'
import { toSnakeCase } from '../client/member-names.ts'
import type { Page } from '../client/resources.ts'
import { createCliClient } from './cli-client.ts'
import { readDevFile } from './dev-file.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { inFlags } from './member-flags.ts'
import type { Column } from './table.ts'
import { renderFields, renderTable } from './table.ts'

export interface ApiContext {
  /** Asking for it fails when no server is named. */
  readonly client: Client
  /** Which server that is. Asking for it fails when none is named. */
  readonly server: NamedServer
  readonly io: CliIo
  readonly print: Printer
}

export interface NamedServer {
  readonly url: string
  readonly token: string | undefined
  readonly tenant: string | undefined
}

export interface Printer {
  /** Of objects of this type of the API's. Programs get them with the names of its JSON, people a table. */
  page<K extends TypeName>(
    type: K,
    page: Page<NamedTypes[K]>,
    columns: readonly Column<NamedTypes[K]>[],
  ): void
  /** What the client gave: the whole object for programs, `fields` of it for people, with the names of the API's JSON. */
  answer<K extends TypeName>(type: K, value: NamedTypes[K], fields?: Readonly<Record<string, unknown>>): void
  /** What the command has put together itself. */
  object<T extends object>(value: T & InSnakeCase<T>, fields?: Readonly<Record<string, unknown>>): void
  /** Only for people. */
  note(line: string): void
  readonly json: boolean
}

type TypeName = keyof NamedTypes

/** Refuses what the client gave, which is in camel case. */
type InSnakeCase<T> = { readonly [K in keyof T]: K extends Lowercase<K & string> ? T[K] : never }

/** `O` is what the command's own options parse to. */
export type ApiAction<O> = (context: ApiContext, args: readonly string[], options: O) => Promise<void>

/** Adds `command <usage>` to `parent`; its `run` adds the connection's options. */
export function addApiCommand(parent: Command, usage: string, description: string, io: CliIo): ApiCommand {
  return finishApiCommand(parent.command(usage).description(description), io)
}

export type ApiCommand = Command & { run<O = Record<string, never>>(action: ApiAction<O>): void }

/** Gives an existing command a `run` in place of `action`, which adds the connection's options after its own. */
export function finishApiCommand(command: Command, io: CliIo): ApiCommand {
  const run = <O>(action: ApiAction<O>): void => {
    command
      .option('--json', 'print JSON for programs')
      .optionsGroup('Which server:')
      .option('--url <url>', 'address of the server (OUTHOOK_URL; else the one of "outhook dev")')
      .option('--token <token>', 'admin token, or a producer key where that is enough (OUTHOOK_TOKEN)')
      .option('--data-dir <directory>', 'where the dev.json of "outhook dev" is (OUTHOOK_DATA_DIR; .outhook)')
    if (command.parent?.name() !== 'tenants') {
      command.option('--tenant <tenant>', 'for the tenant with this id or uid (OUTHOOK_TENANT; default)')
    }
    command.action(async () => {
      const options = command.opts<O & ConnectionOptions>()
      const context = {
        io,
        print: createPrinter(options.json === true, io),
        get server() {
          return findServer(options, io)
        },
        get client() {
          return createCliClient(findServer(options, io))
        },
      }
      await action(context, command.args, options).catch((error) => {
        throw inFlags(error, command)
      })
    })
  }
  return Object.assign(command, { run })
}

interface ConnectionOptions {
  readonly url?: string
  readonly token?: string
  readonly dataDir?: string
  readonly tenant?: string
  readonly json?: boolean
}

/** Flag over environment over `dev.json`. A token from `dev.json` goes to the server of `dev.json` only. */
function findServer(options: ConnectionOptions, io: CliIo): NamedServer {
  const env = io.env
  const url = options.url ?? env.OUTHOOK_URL
  const token = options.token ?? env.OUTHOOK_TOKEN
  const dev = readDevFile(options.dataDir ?? env.OUTHOOK_DATA_DIR ?? '.outhook')
  const base = url ?? dev?.url
  if (base === undefined) {
    throw new UsageError(
      'no server named; give --url (or set OUTHOOK_URL), or run this where "outhook dev" runs',
    )
  }
  requireAddress(base)
  const isDev = dev !== null && sameOrigin(base, dev.url)
  return {
    url: base,
    token: token ?? (isDev ? dev.adminToken : undefined),
    tenant: options.tenant ?? env.OUTHOOK_TENANT,
  }
}

function requireAddress(url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return
  throw new UsageError(`"${url}" is no address; use one such as http://127.0.0.1:8080`)
}

function sameOrigin(a: string, b: string): boolean {
  return URL.canParse(b) && new URL(a).origin === new URL(b).origin
}

function createPrinter(json: boolean, io: CliIo): Printer {
  const printJson = (value: unknown): void => io.print(JSON.stringify(value, null, 2))
  return {
    json,
    page(type, page, columns) {
      const { items, ...rest } = page
      const { nextCursor } = page
      if (json) return printJson({ items: toSnakeCase(items, type), ...(toSnakeCase(rest) as object) })
      if (items.length === 0) return io.print('none')
      io.print(renderTable(columns, items, { colour: io.isTerminal, width: io.width }))
      if (nextCursor !== '') io.printError(`there are more: --cursor ${nextCursor}`)
    },
    answer(type, value, fields) {
      if (json) return printJson(toSnakeCase(value, type))
      io.print(renderFields(toSnakeCase(fields ?? value, type) as Record<string, unknown>))
    },
    object(value, fields) {
      if (json) return printJson(value)
      io.print(renderFields(fields ?? (value as Record<string, unknown>)))
    },
    note(line) {
      if (!json) io.print(line)
    },
  }
}
