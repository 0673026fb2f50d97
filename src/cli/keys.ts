import type { Command } from 'commander'
import type { KeyResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'

const columns: readonly Column<KeyResource>[] = [
  { title: 'ID', value: (row) => row.id },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'NAME', value: (row) => row.name },
  { title: 'CREATED', value: (row) => row.created_at },
  { title: 'REVOKED', value: (row) => row.revoked_at },
]

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <name>', 'make a producer key; it is shown once', io)
  create.option('--admin', 'an admin token instead')
  create.run<{ admin?: true }>(async ({ client, print }, [name = ''], { admin }) => {
    print.object(await client.keys.create({ name, kind: admin ? 'admin' : undefined }))
    print.note('\nKeep the key now: it is not shown again.')
  })

  const list = addPageOptions(addApiCommand(command, 'list', 'newest first', io))
  list.run<PageOptions>(async ({ client, print }, _args, options) => {
    print.page(await client.keys.list(pageQuery(options)), columns)
  })

  addApiCommand(command, 'revoke <id>', 'refuse it from now on', io).run(
    async ({ client, print }, [id = '']) => {
      await client.keys.revoke(id)
      print.object({ id, revoked: true })
    },
  )
}
