import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { endpointKinds } from '../client/generated/endpoint-kinds.ts'
import type { EndpointChange, EndpointSettings, RetryPolicy } from '../client/generated/types.ts'
import type { EndpointResource } from '../client/resources.ts'
import { sendMethods } from '../core/direct-request.ts'
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { describeSigningSchemes } from '../core/signing-schemes.ts'
import type { ApiContext } from './api-command.ts'
import { addApiCommand } from './api-command.ts'
import { counted } from './counted.ts'
import { credentialFlag } from './credential-id.ts'
import { resolveEndpoint } from './endpoint-id.ts'
import { registerRepair } from './endpoint-repair.ts'
import { addSecretOptions, registerSecrets, type SecretOptions } from './endpoint-secrets.ts'
import { addHealthOptions, type HealthOptions, healthOf } from './health-options.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import {
  collect,
  durationMs,
  endpointSettings,
  type FilterOption,
  filterOf,
  headerOrNone,
  oneOf,
  orDefault,
  payloadFilter,
  rateLimit,
  retryPolicy,
  signingScheme,
  wholeNumber,
} from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { readSecret } from './read-secret.ts'
import type { Column } from './table.ts'
import { wrap } from './wrap.ts'

const columns: readonly Column<EndpointResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'UID', kind: 'text', value: (row) => row.uid },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'URL', kind: 'text', value: (row) => row.url },
  { title: 'TOPICS', kind: 'text', value: topicsOf },
  { title: 'STATE', value: stateOf },
  { title: 'UNTIL', kind: 'due', value: (row) => row.resumesAt },
]

/** `disabled: gone`; what is paused or throttled has its end in the column beside it. */
function stateOf({ state, disabledReason: reason }: EndpointResource): string {
  return state === 'disabled' ? `disabled: ${reason}` : state
}

/** An endpoint may have other subscriptions than its own, or none: then it gets nothing. */
function topicsOf({ topics, subscriptionCount: count }: EndpointResource): unknown {
  if (count === 0) return 'none'
  return topics ?? counted(count, 'subscription')
}

interface ListOptions extends PageOptions {
  readonly uid?: string
  readonly includeDeleted?: boolean
}

interface EndpointOptions extends HealthOptions {
  readonly url?: string
  readonly to?: readonly string[]
  readonly failOver?: boolean
  readonly uid?: string
  readonly kind?: EndpointChange['kind']
  readonly settings?: EndpointSettings | 'none'
  readonly description?: string
  readonly topic?: readonly string[]
  readonly method?: EndpointChange['method']
  readonly header?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly timeout?: number | 'default'
  readonly scheme?: EndpointChange['signingSchemes']
  readonly maxInFlight?: number
  readonly rateLimit?: number | 'none'
  readonly credential?: string
  readonly clientCertificate?: string
  readonly filter?: FilterOption
  readonly retryPolicy?: RetryPolicy | 'default'
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(
    command,
    'create <endpoint-url...>',
    'make an endpoint, and show its secret',
    io,
  )
  addSecretOptions(addKindOption(addEndpointOptions(create)).option('--uid <uid>', 'your own name for it'))
  create.run<EndpointOptions & SecretOptions>(async (context, urls, options) => {
    const body = {
      ...poolOf(urls),
      ...(await bodyOf(context.client, options)),
      ...(await secretOf(options, io)),
    }
    showWithSecret(context, await context.client.endpoints.create(body))
  })

  const upsertText = 'make the endpoint with this uid, or bring it up to date'
  const upsert = addApiCommand(command, 'upsert <uid> <endpoint-url...>', upsertText, io)
  addSecretOptions(addKindOption(addEndpointOptions(upsert)))
  upsert.run<EndpointOptions & SecretOptions>(async (context, [uid, ...urls], options) => {
    const settings = await bodyOf(context.client, options)
    const body = { ...poolOf(urls), ...settings, ...(await secretOf(options, io)), uid }
    showWithSecret(context, await context.client.endpoints.create(body))
  })

  const list = addApiCommand(command, 'list', 'newest first', io)
  list.option('--uid <uid>', 'the one with this uid').option('--include-deleted', 'deleted ones too')
  addPageOptions(list).run<ListOptions>(async ({ client, print }, _args, options) => {
    const query = { ...pageQuery(options), uid: options.uid, includeDeleted: options.includeDeleted }
    print.page('Endpoint', await client.endpoints.list(query), columns)
  })

  const get = addApiCommand(command, 'get <endpoint>', 'one endpoint, by its id or uid', io)
  get.option('--include-deleted', 'also if it was deleted; by its id')
  get.run<ListOptions>(async ({ client, print }, [endpoint = ''], { includeDeleted }) => {
    const id = await resolveEndpoint(client, endpoint)
    print.answer('Endpoint', await client.endpoints.get(id, { includeDeleted }))
  })

  registerChanges(command, io)
  registerSecrets(command, io)
  registerRepair(command, io)
}

function registerChanges(command: Command, io: CliIo): void {
  const update = addApiCommand(command, 'update <endpoint>', 'change what is given, leave the rest', io)
  addEndpointOptions(addIfMatch(update))
    .option('--to <endpoint-url>', 'new URL; several are its new pool (repeatable)', collect)
    .option('--uid <uid>', 'your own name for it')
  update.run<EndpointOptions & IfMatchOption>(async ({ client, print }, [endpoint = ''], options) => {
    const id = await resolveEndpoint(client, endpoint)
    const body = { ...(options.to !== undefined && poolOf(options.to)), ...(await bodyOf(client, options)) }
    print.answer('Endpoint', await client.endpoints.update(id, body, ifMatchIn(options)))
  })

  const disableText = 'stop sending to it; its deliveries wait'
  addIfMatch(addApiCommand(command, 'disable <endpoint>', disableText, io)).run<IfMatchOption>(
    async ({ client, print }, [endpoint = ''], options) => {
      const id = await resolveEndpoint(client, endpoint)
      print.answer('Endpoint', await client.endpoints.update(id, { enabled: false }, ifMatchIn(options)))
    },
  )

  const deleteText = 'delete it; what waits for it is cancelled'
  addIfMatch(addApiCommand(command, 'delete <endpoint>', deleteText, io)).run<IfMatchOption>(
    async ({ client, print }, [endpoint = ''], options) => {
      const id = await resolveEndpoint(client, endpoint)
      await client.endpoints.delete(id, ifMatchIn(options))
      print.object({ id, deleted: true })
    },
  )
}

/** Whether there is such a kind, the server knows. */
function addKindOption(command: Command): Command {
  const kinds = Object.entries(endpointKinds).map(([name, title]) => `${name} (${title})`)
  return command.option('--kind <kind>', `what is sent to: ${kinds.join(', ')}; the first, if it is not said`)
}

function addEndpointOptions(command: Command): Command {
  const settings = command
    .option('--topic <pattern>', 'subscribe it: "orders.created", "orders.*" or "*" (repeatable)', collect)
    .option('--filter <json>', 'with --topic: what payloads have to be like, @file or none', payloadFilter)
    .option('--fail-over', 'go on to the next URL of its pool where one cannot be reached')
    .option('--no-fail-over', 'wait for the next attempt')
    .option(
      '--settings <json>',
      'what its kind asks for, such as {"template":"{{topic}}: {{payload.id}}"}, or none',
      endpointSettings,
    )
    .option('--description <text>', 'for people')
    .option('--method <method>', `of requests to it: ${sendMethods.join(', ')}`, oneOf(sendMethods))
    .option('--header <name:value>', 'sent with every request (repeatable), or none', headerOrNone)
    .option('--content-type <type>', 'of the body, or default for JSON')
    .option('--timeout <duration>', 'of one attempt, 1s to 60s, or default', orDefault(durationMs))
    .option(
      '--scheme <scheme>',
      `signing scheme: ${describeSigningSchemes()}, or a JSON object of type hmac (repeatable)`,
      signingScheme,
    )
    .option('--max-in-flight <number>', 'requests to it at one time', wholeNumber(1, 1000))
    .option('--rate-limit <rps>', 'requests to it per second: 0.01 to 1000000, or none', rateLimit)
    .option('--credential <credential>', 'what its requests authenticate with: an id or name, or none')
    .option('--client-certificate <credential>', 'what its connections show besides: an id or name, or none')
    .option(
      '--retry-policy <policy>',
      `a profile, ${describeRetryProfiles()}, one of the server’s own, a JSON object, or default for that of its tenant or the server`,
      orDefault(retryPolicy),
    )
  return addHealthOptions(settings, 'that of its tenant or the server')
}

function poolOf(urls: readonly string[]): Pick<EndpointChange, 'url' | 'urls'> {
  const [url = ''] = urls
  return urls.length > 1 ? { urls } : { url }
}

/** Absent members disappear in JSON, and so stay as they are. */
async function bodyOf(
  client: Client,
  options: EndpointOptions,
): Promise<Omit<EndpointChange, 'url' | 'urls'>> {
  return {
    uid: options.uid,
    failOver: options.failOver,
    kind: options.kind,
    settings: options.settings === 'none' ? null : options.settings,
    description: options.description,
    topics: options.topic,
    method: options.method,
    headers: options.header,
    contentType: options.contentType === 'default' ? null : options.contentType,
    timeout: options.timeout === 'default' ? null : options.timeout,
    signingSchemes: options.scheme,
    maxInFlight: options.maxInFlight,
    rateLimitRps: options.rateLimit === 'none' ? null : options.rateLimit,
    credentialId: await credentialFlag(client, options.credential),
    clientCertificateId: await credentialFlag(client, options.clientCertificate),
    filter: filterOf(options.filter),
    retryPolicy: options.retryPolicy === 'default' ? null : options.retryPolicy,
    ...healthOf(options),
  }
}

async function secretOf({ keyType, secretFile }: SecretOptions, io: CliIo) {
  return { keyType, secret: await readSecret(secretFile, io) }
}

function noTopics({ id, uid }: EndpointResource): string {
  return wrap(
    `It is subscribed to no topic, and gets nothing: "outhook endpoints update ${uid ?? id} --topic 'orders.*'" changes that.`,
  )
}

function showWithSecret({ print }: ApiContext, endpoint: EndpointResource): void {
  print.answer('Endpoint', endpoint)
  if (endpoint.secret) {
    print.note('\nKeep the secret now; "outhook endpoints reveal-secret" is for administrators, and noted.')
  }
  if (endpoint.subscriptionCount === 0) print.note(`\n${noTopics(endpoint)}`)
}
