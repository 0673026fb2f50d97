import { type Command, Option } from 'commander'
import type { PortalLink } from '../client/generated/types.ts'
import { type PortalAbility, portalAbilities } from '../core/portal.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { durationMs } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'
import { resolveTenant } from './tenant-id.ts'

const columns: readonly Column<PortalLink>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'LABEL', kind: 'text', value: (row) => row.label },
  { title: 'ABILITIES', kind: 'text', value: (row) => row.abilities },
  { title: 'CREATED', kind: 'age', value: (row) => row.createdAt },
  { title: 'EXPIRES', kind: 'due', value: (row) => row.expiresAt },
  { title: 'REVOKED', kind: 'age', value: (row) => row.revokedAt },
]

interface CreateOptions {
  readonly ability?: readonly PortalAbility[]
  readonly expires?: number
  readonly label?: string
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <tenant>', 'make a link for a tenant; it is shown once', io)
  create
    .addOption(
      new Option('--ability <ability...>', 'what it is good for (repeatable; default view)').choices(
        portalAbilities,
      ),
    )
    .option('--expires <duration>', 'how long it is good (default 1h, at most 7d)', durationMs)
    .option('--label <text>', 'for whom it is')
  create.run<CreateOptions>(async ({ client, print }, [tenant = ''], { ability, expires, label }) => {
    const id = await resolveTenant(client, tenant)
    const body = { abilities: ability && [...ability], expiresIn: expires, label }
    print.answer('CreatedPortalLink', await client.portalLinks.create(id, body))
    print.note('\nWhoever has the URL may do what it is good for. It is not shown again.')
  })

  const list = addApiCommand(command, 'list <tenant>', 'newest first, with those that ended lately', io)
  addPageOptions(list).run<PageOptions>(async ({ client, print }, [tenant = ''], options) => {
    const id = await resolveTenant(client, tenant)
    print.page('PortalLink', await client.portalLinks.list(id, pageQuery(options)), columns)
  })

  addApiCommand(command, 'revoke <tenant> <id>', 'let nobody in by it any more', io).run(
    async ({ client, print }, [tenant = '', given = '']) => {
      const tenantId = await resolveTenant(client, tenant)
      const id = await resolveId(given, (query) => client.portalLinks.list(tenantId, query))
      await client.portalLinks.revoke(tenantId, id)
      print.object({ id, revoked: true })
    },
  )
}
