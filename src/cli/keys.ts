import { type Command, Option } from 'commander'
import type { KeyResource } from '../client/resources.ts'
import type { KeyAbility } from '../core/model.ts'
import { addApiCommand } from './api-command.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import { addStoreOptions, createKeyInStore, type StoreOptions } from './key-in-store.ts'
import { collect, durationMs, type Expiry, expiry, rateLimit } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { registerRotateMaster } from './rotate-master.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<KeyResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'SCOPES', kind: 'text', value: (row) => row.scopes },
  { title: 'USED', kind: 'age', value: (row) => row.lastUsedAt },
  { title: 'EXPIRES', kind: 'due', value: (row) => row.expiresAt },
  { title: 'REVOKED', kind: 'age', value: (row) => row.revokedAt },
]

interface KeyOptions {
  readonly name?: string
  readonly scope?: readonly string[]
  readonly ability?: readonly KeyAbility[]
  readonly rateLimit?: number | 'none'
  readonly expires?: Expiry
}

interface CreateOptions extends KeyOptions, StoreOptions {
  readonly admin?: true
}

export function register(command: Command, io: CliIo): void {
  registerCreate(command, io)

  const list = addApiCommand(command, 'list', 'newest first', io)
  list.addOption(new Option('--kind <kind>', 'of this kind').choices(['producer', 'admin']))
  addPageOptions(list).run<PageOptions & { kind?: KeyResource['kind'] }>(
    async ({ client, print }, _args, options) => {
      print.page('Key', await client.keys.list({ ...pageQuery(options), kind: options.kind }), columns)
    },
  )

  addApiCommand(command, 'get <id>', 'one producer key; its text is not shown again', io).run(
    async ({ client, print }, [given = '']) => {
      print.answer('Key', await client.keys.get(await resolveId(given, client.keys.list)))
    },
  )

  const update = addApiCommand(command, 'update <id>', 'change what is given, leave the rest', io)
  addKeyOptions(addIfMatch(update).option('--name <text>', 'whose key it is'))
  update.run<KeyOptions & IfMatchOption>(async ({ client, print }, [given = ''], options) => {
    const id = await resolveId(given, client.keys.list)
    const body = { name: options.name, ...bodyOf(options) }
    print.answer('Key', await client.keys.update(id, body, ifMatchIn(options)))
  })

  const rotate = addApiCommand(command, 'rotate <id>', 'give it another text; it is shown once', io)
  rotate.option('--grace <duration>', 'how long what it was before is taken too (default 24h)', durationMs)
  rotate.run<{ grace?: number }>(async ({ client, print }, [given = ''], { grace }) => {
    const id = await resolveId(given, client.keys.list)
    print.answer('RotatedKey', await client.keys.rotate(id, { grace }))
    print.note('\nKeep the key now: it is not shown again.')
  })

  registerRotateMaster(command, io)

  addIfMatch(addApiCommand(command, 'revoke <id>', 'refuse it from now on', io)).run<IfMatchOption>(
    async ({ client, print }, [given = ''], options) => {
      const id = await resolveId(given, client.keys.list)
      await client.keys.revoke(id, ifMatchIn(options))
      print.object({ id, revoked: true })
    },
  )
}

function registerCreate(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <name>', 'make a producer key; it is shown once', io)
  create.option('--admin', 'an admin token of role admin instead')
  addKeyOptions(create)
  addStoreOptions(create)
  create.run<CreateOptions>(async (context, [name = ''], { admin, store, storeWait, tenant, ...rest }) => {
    const body = { name, kind: admin ? 'admin' : 'producer', ...bodyOf(rest) } as const
    const made = await createKeyInStore(io, { store, storeWait, tenant }, { route: 'keys', body })
    context.print.answer('CreatedKey', made ?? (await context.client.keys.create(body)))
    context.print.note('\nKeep the key now: it is not shown again.')
  })
}

function addKeyOptions(command: Command): Command {
  return command
    .option('--scope <pattern>', 'topics that it may publish: "orders.*" (repeatable; default all)', collect)
    .addOption(
      new Option(
        '--ability <ability>',
        'publish, read: all events of its tenant, or send: to URLs and endpoints (repeatable)',
      ).argParser(collect),
    )
    .option('--rate-limit <rps>', 'events per second: 0.01 to 1000000, or none', rateLimit)
    .option('--expires <when>', 'how long it is taken (90d), a time, or never', expiry)
}

/** Absent members disappear in JSON, and so stay as they are. */
function bodyOf({ scope, ability, rateLimit, expires }: KeyOptions) {
  return {
    scopes: scope,
    abilities: ability,
    rateLimitRps: rateLimit === 'none' ? null : rateLimit,
    ...expires,
  }
}
