import { type Command, Option } from 'commander'
import type { CreatedKey, KeyResource } from '../client/resources.ts'
import { loadConfig } from '../config/load-config.ts'
import { addApiCommand } from './api-command.ts'
import { errorLines } from './error-lines.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<KeyResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'CREATED', kind: 'age', value: (row) => row.created_at },
  { title: 'REVOKED', kind: 'age', value: (row) => row.revoked_at },
]

interface CreateOptions {
  readonly admin?: true
  readonly store?: string
  readonly storeWait?: string
  readonly tenant?: string
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <name>', 'make a producer key; it is shown once', io)
  create.option('--admin', 'an admin token instead')
  create.option(
    '--store <location>',
    'make it in this store, on which no server runs now, such as sqlite:hooks.db',
  )
  create.option(
    '--store-wait <duration>',
    'with --store: how long PostgreSQL is waited for while it does not answer; default 60s (OUTHOOK_STORE_WAIT)',
  )
  create.run<CreateOptions>(async (context, [name = ''], { admin, store, storeWait, tenant }) => {
    if (store === undefined && storeWait !== undefined) {
      throw new UsageError(
        '--store-wait goes with --store: only a store that this command opens is waited for',
      )
    }
    const kind = admin ? 'admin' : 'producer'
    const key =
      store === undefined
        ? await context.client.keys.create({ name, kind })
        : await createKeyInStore(io, {
            store,
            storeWait,
            name,
            kind,
            tenant: tenant ?? io.env.OUTHOOK_TENANT,
          })
    context.print.object(key)
    context.print.note('\nKeep the key now: it is not shown again.')
  })

  const list = addApiCommand(command, 'list', 'newest first', io)
  list.addOption(new Option('--kind <kind>', 'of this kind').choices(['producer', 'admin']))
  addPageOptions(list).run<PageOptions & { kind?: KeyResource['kind'] }>(
    async ({ client, print }, _args, options) => {
      print.page(await client.keys.list({ ...pageQuery(options), kind: options.kind }), columns)
    },
  )

  addApiCommand(command, 'revoke <id>', 'refuse it from now on', io).run(
    async ({ client, print }, [given = '']) => {
      const id = await resolveId(given, client.keys.list)
      await client.keys.revoke(id)
      print.object({ id, revoked: true })
    },
  )
}

interface StoredKey {
  readonly store: string
  readonly storeWait: string | undefined
  readonly tenant: string | undefined
  readonly name: string
  readonly kind: 'producer' | 'admin'
}

async function createKeyInStore(
  io: CliIo,
  { store, storeWait, name, kind, tenant }: StoredKey,
): Promise<Pick<CreatedKey, 'id' | 'kind' | 'name' | 'created_at' | 'revoked_at' | 'key'>> {
  const server = await io.loadServer()
  const config = loadConfig({ flags: { store, storeWaitMs: storeWait }, env: io.env })
  const { key, token } = await server.createKey(config, { name, kind, tenant }, errorLines(io))
  const { id, createdAt } = key
  return {
    id,
    kind,
    name: key.name,
    created_at: new Date(createdAt).toISOString(),
    revoked_at: null,
    key: token,
  }
}
