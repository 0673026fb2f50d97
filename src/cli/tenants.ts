import type { Command } from 'commander'
import type { RetryPolicy, TenantChange } from '../client/generated/types.ts'
import type { TenantResource } from '../client/resources.ts'
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { maxTenantWeight } from '../core/tenant.ts'
import { addApiCommand } from './api-command.ts'
import { addHealthOptions, type HealthOptions, healthOf } from './health-options.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import type { WaitOptions } from './job-progress.ts'
import {
  collectOrDefault,
  durationMs,
  orDefault,
  pair,
  positiveNumber,
  retryPolicy,
  wholeNumber,
} from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'
import { resolveTenant } from './tenant-id.ts'
import { followRemoval } from './tenant-removal.ts'

const columns: readonly Column<TenantResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'UID', kind: 'text', value: (row) => row.uid },
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'STATE', value: (row) => row.state },
  { title: 'CREATED', kind: 'age', value: (row) => row.createdAt },
]

type OrDefault<T> = T | 'default'

interface TenantOptions extends HealthOptions {
  readonly uid?: string
  readonly name?: string
  readonly meta?: Readonly<Record<string, string>>
  readonly retainPayloads?: OrDefault<number>
  readonly retainAttempts?: OrDefault<number>
  readonly retainEvents?: OrDefault<number>
  readonly retainDeadLetters?: OrDefault<number>
  readonly retryPolicy?: OrDefault<RetryPolicy>
  readonly ingestRate?: OrDefault<number>
  readonly maxEndpoints?: OrDefault<number>
  readonly weight?: OrDefault<number>
  readonly authorizedDomain?: OrDefault<readonly string[]>
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create', 'make a tenant', io)
  addTenantOptions(create.option('--uid <uid>', 'your own name for it'))
  create.run<TenantOptions>(async ({ client, print }, _args, options) => {
    print.answer('Tenant', await client.tenants.create(bodyOf(options)))
  })

  const upsert = addApiCommand(command, 'upsert <uid>', 'make the tenant with this uid, or change it', io)
  addTenantOptions(upsert)
  upsert.run<TenantOptions>(async ({ client, print }, [uid], options) => {
    print.answer('Tenant', await client.tenants.create({ ...bodyOf(options), uid }))
  })

  const list = addApiCommand(command, 'list', 'newest first', io)
  addPageOptions(list.option('--uid <uid>', 'the one with this uid'))
  list.run<PageOptions & { uid?: string }>(async ({ client, print }, _args, options) => {
    print.page('Tenant', await client.tenants.list({ ...pageQuery(options), uid: options.uid }), columns)
  })

  addApiCommand(command, 'get <tenant>', 'one tenant, by its id or uid', io)
    .option('--wait', 'of one that is being deleted: wait until it is gone')
    .run<{ wait?: boolean }>(async (context, [tenant = ''], options) => {
      const { client, print } = context
      const found = await client.tenants.get(await resolveTenant(client, tenant))
      if (options.wait === true && found.state === 'deleting')
        await followRemoval(context, found, { wait: true })
      else print.answer('Tenant', found)
    })

  registerDelete(command, io)
  const update = addApiCommand(command, 'update <tenant>', 'change what is given, leave the rest', io)
  addTenantOptions(addIfMatch(update).option('--uid <uid>', 'your own name for it'))
  update.run<TenantOptions & IfMatchOption>(async ({ client, print }, [tenant = ''], options) => {
    const id = await resolveTenant(client, tenant)
    print.answer('Tenant', await client.tenants.update(id, bodyOf(options), ifMatchIn(options)))
  })
}

function registerDelete(command: Command, io: CliIo): void {
  const text = 'delete it with all that belongs to it; what waits is cancelled'
  const remove = addIfMatch(addApiCommand(command, 'delete <tenant>', text, io))
  remove.option('--no-wait', 'do not wait until it is gone; the removal goes on by itself either way')
  remove.run<IfMatchOption & WaitOptions>(async (context, [tenant = ''], options) => {
    const { client } = context
    const id = await resolveTenant(client, tenant)
    await followRemoval(context, await client.tenants.delete(id, ifMatchIn(options)), options)
  })
}

function addTenantOptions(command: Command): Command {
  const asServer = 'or default for the server’s setting'
  return addHealthOptions(command, 'the server’s setting')
    .option('--name <text>', 'for people')
    .option('--meta <name=value>', 'metadata (repeatable)', pair('='))
    .option('--retain-payloads <duration>', `how long payloads are kept, ${asServer}`, orDefault(durationMs))
    .option('--retain-attempts <duration>', `how long attempts are kept, ${asServer}`, orDefault(durationMs))
    .option(
      '--retain-events <duration>',
      `the same for events and finished deliveries`,
      orDefault(durationMs),
    )
    .option('--retain-dead-letters <duration>', `the same for dead letters`, orDefault(durationMs))
    .option(
      '--retry-policy <policy>',
      `of subscriptions without one: a profile, ${describeRetryProfiles()}, a JSON object, ${asServer}`,
      orDefault(retryPolicy),
    )
    .option(
      '--ingest-rate <rate>',
      'events per second that it may publish, or default for no limit',
      orDefault(positiveNumber),
    )
    .option(
      '--max-endpoints <number>',
      'endpoints that it may have, or default for no limit',
      orDefault(wholeNumber(0, 1_000_000)),
    )
    .option(
      '--weight <number>',
      'its part of what is delivered while several tenants wait, or default for 1',
      orDefault(wholeNumber(1, maxTenantWeight)),
    )
    .option(
      '--authorized-domain <host>',
      'host that its requests may go to, with all below it (repeatable), or default for any',
      collectOrDefault,
    )
}

/** Absent members disappear in JSON, and so stay as they are. */
function bodyOf(options: TenantOptions): TenantChange {
  const settings = {
    retainPayloads: given(options.retainPayloads),
    retainAttempts: given(options.retainAttempts),
    retainEvents: given(options.retainEvents),
    retainDeadLetters: given(options.retainDeadLetters),
    retryPolicy: given(options.retryPolicy),
    ...healthOf(options),
    ingestRate: given(options.ingestRate),
    maxEndpoints: given(options.maxEndpoints),
    weight: given(options.weight),
    authorizedDomains: given(options.authorizedDomain),
  }
  const anyGiven = Object.values(settings).some((value) => value !== undefined)
  const { uid, name, meta } = options
  return { uid, name, metadata: meta, settings: anyGiven ? settings : undefined }
}

function given<T>(value: OrDefault<T> | undefined): T | null | undefined {
  return value === 'default' ? null : value
}
