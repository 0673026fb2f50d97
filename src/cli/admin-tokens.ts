import { type Command, Option } from 'commander'
import type { AdminToken } from '../client/generated/types.ts'
import { type AdminRole, adminRoles } from '../core/model.ts'
import { addApiCommand } from './api-command.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import { addStoreOptions, createKeyInStore, type StoreOptions } from './key-in-store.ts'
import { type Expiry, expiry } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<AdminToken>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'ROLE', value: (row) => row.role },
  { title: 'LABEL', kind: 'text', value: (row) => row.label },
  { title: 'TENANT', kind: 'id', value: (row) => row.tenantId ?? 'all' },
  { title: 'USED', kind: 'age', value: (row) => row.lastUsedAt },
  { title: 'EXPIRES', kind: 'due', value: (row) => row.expiresAt },
  { title: 'REVOKED', kind: 'age', value: (row) => row.revokedAt },
]

interface CreateOptions extends StoreOptions {
  readonly role: AdminRole
  readonly expires?: Expiry
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <label>', 'make an admin token; it is shown once', io)
  create.addOption(
    new Option('--role <role>', 'viewer reads, operator also publishes and repairs, admin does everything')
      .choices(adminRoles)
      .makeOptionMandatory(),
  )
  create.option('--expires <when>', 'how long it is taken (90d), a time, or never', expiry)
  addStoreOptions(create)
  create.run<CreateOptions>(async (context, [label = ''], { role, expires, ...where }) => {
    const { print } = context
    const body = { role, label, ...expires }
    const made = await createKeyInStore(io, where, { route: 'admin-tokens', body })
    print.answer('CreatedAdminToken', made ?? (await context.client.adminTokens.create(body)))
    print.note('\nKeep the token now: it is not shown again.')
  })

  const list = addApiCommand(command, 'list', 'oldest first', io)
  addPageOptions(list).run<PageOptions>(async ({ client, print }, _args, options) => {
    print.page('AdminToken', await client.adminTokens.list(pageQuery(options)), columns)
  })

  addApiCommand(command, 'get <id>', 'one admin token; its text is not shown again', io).run(
    async ({ client, print }, [given = '']) => {
      print.answer(
        'AdminToken',
        await client.adminTokens.get(await resolveId(given, client.adminTokens.list)),
      )
    },
  )

  addIfMatch(addApiCommand(command, 'revoke <id>', 'refuse it from now on', io)).run<IfMatchOption>(
    async ({ client, print }, [given = ''], options) => {
      const id = await resolveId(given, client.adminTokens.list)
      await client.adminTokens.revoke(id, ifMatchIn(options))
      print.object({ id, revoked: true })
    },
  )
}
