import { type Command, Option } from 'commander'
import type { AuditLine } from '../client/generated/types.ts'
import { actorKinds, auditedKinds } from '../core/audit.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { addPageOptions, fillPage, type PageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'

const columns: readonly Column<AuditLine>[] = [
  { title: 'WHEN', kind: 'age', value: (row) => row.createdAt },
  { title: 'WHO', value: (row) => row.actor.kind },
  { title: 'BY', kind: 'id', value: (row) => row.actor.id },
  { title: 'ACTION', value: (row) => row.action },
  { title: 'OBJECT', kind: 'text', value: (row) => row.object.id },
  { title: 'CHANGED', kind: 'text', value: changedMembers },
]

/** Names only: the values are for `--json`, and for the dashboard. */
function changedMembers({ before, after }: AuditLine): string {
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].join(', ')
}

interface ListOptions extends PageOptions {
  readonly actorKind?: AuditLine['actor']['kind']
  readonly actor?: string
  readonly action?: string
  readonly objectKind?: AuditLine['object']['kind']
  readonly object?: string
  readonly since?: string
  readonly until?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'who changed what, newest first; needs the role admin', io)
  list
    .option('--action <action>', 'this one, such as endpoint.updated, or all of endpoint.*')
    .option('--actor <id>', 'by this token, key or link')
    .addOption(new Option('--actor-kind <kind>', 'by this kind of actor').choices(actorKinds))
    .option('--object <id>', 'of this object; of an event type its name')
    .addOption(new Option('--object-kind <kind>', 'of objects of this kind').choices(auditedKinds))
    .option('--since <time>', 'at or after, RFC 3339')
    .option('--until <time>', 'before, RFC 3339')
  addPageOptions(list).run<ListOptions>(async ({ client, print }, _args, options) => {
    const { actorKind, actor, action, objectKind, object, since, until } = options
    const query = { ...pageQuery(options), actorKind, action, objectKind, since, until }
    const page = await fillPage(client.audit.list, { ...query, actorId: actor, objectId: object })
    print.page('AuditLine', page, columns)
  })
}
