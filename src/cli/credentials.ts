import { type Command, Option } from 'commander'
import type { CredentialResource } from '../client/resources.ts'
import {
  type CredentialKind,
  credentialKinds,
  type TokenAuthStyle,
  tokenAuthStyles,
} from '../core/credential.ts'
import { addApiCommand } from './api-command.ts'
import { resolveCredential } from './credential-id.ts'
import { UsageError } from './exit-codes.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import { collectOrAny } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { readSecret, readWhole } from './read-secret.ts'
import type { Column } from './table.ts'

const columns: readonly Column<CredentialResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'STATE', value: (row) => (row.active ? 'active' : 'inactive') },
  { title: 'SECRET', value: (row) => (row.secretHint === null ? null : `…${row.secretHint}`) },
  { title: 'HOSTS', kind: 'text', value: (row) => row.authorizedHosts?.join(' ') ?? 'any' },
  { title: 'USED', kind: 'age', value: (row) => row.lastUsedAt },
]

interface ContentOptions {
  readonly description?: string
  readonly authorizedHost?: readonly string[] | 'any'
  readonly headerName?: string
  readonly username?: string
  readonly secretFile?: string
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly scope?: string
  readonly audience?: string
  readonly authStyle?: TokenAuthStyle
  readonly certificateFile?: string
  readonly privateKeyFile?: string
  readonly caFile?: string
}

interface CreateOptions extends ContentOptions {
  readonly kind: CredentialKind
  readonly inactive?: true
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <name>', 'make one; its secret is never shown', io)
  create.addOption(
    new Option('--kind <kind>', 'what it is').choices([...credentialKinds]).makeOptionMandatory(),
  )
  addContentOptions(create).option('--inactive', 'requests that need it wait until it is activated')
  create.run<CreateOptions>(async ({ client, print }, [name = ''], { kind, inactive, ...options }) => {
    const content = await contentOf(kind, options, io)
    print.answer('Credential', await client.credentials.create({ name, kind, ...content, active: !inactive }))
  })

  const list = addApiCommand(command, 'list', 'newest first', io)
  list.option('--name <name>', 'the one with this name')
  addPageOptions(list).run<PageOptions & { name?: string }>(async ({ client, print }, _args, options) => {
    print.page(
      'Credential',
      await client.credentials.list({ ...pageQuery(options), name: options.name }),
      columns,
    )
  })

  addApiCommand(command, 'get <credential>', 'one credential, by its id or name', io).run(
    async ({ client, print }, [credential = '']) => {
      print.answer('Credential', await client.credentials.get(await resolveCredential(client, credential)))
    },
  )

  registerChanges(command, io)
}

function registerChanges(command: Command, io: CliIo): void {
  const update = addApiCommand(command, 'update <credential>', 'change what is given, leave the rest', io)
  addContentOptions(addIfMatch(update)).option('--name <name>', 'another name')
  update.run<ContentOptions & IfMatchOption & { name?: string }>(
    async ({ client, print }, [credential = ''], { name, ...options }) => {
      const id = await resolveCredential(client, credential)
      const { kind } = await client.credentials.get(id)
      const body = { name, ...(await contentOf(kind, options, io)) }
      print.answer('Credential', await client.credentials.update(id, body, ifMatchIn(options)))
    },
  )

  const switches = [
    ['activate', 'requests that need it are made again', true],
    ['deactivate', 'requests that need it wait', false],
  ] as const
  for (const [name, description, active] of switches) {
    addIfMatch(addApiCommand(command, `${name} <credential>`, description, io)).run<IfMatchOption>(
      async ({ client, print }, [credential = ''], options) => {
        const id = await resolveCredential(client, credential)
        print.answer('Credential', await client.credentials.update(id, { active }, ifMatchIn(options)))
      },
    )
  }

  const deleteText = 'delete one that no endpoint uses'
  addIfMatch(addApiCommand(command, 'delete <credential>', deleteText, io)).run<IfMatchOption>(
    async ({ client, print }, [credential = ''], options) => {
      const id = await resolveCredential(client, credential)
      await client.credentials.delete(id, ifMatchIn(options))
      print.object({ id, deleted: true })
    },
  )
}

function addContentOptions(command: Command): Command {
  return command
    .option(
      '--secret-file <path>',
      'its key, token, password, header value or client secret; "-" is standard input',
    )
    .option('--header-name <name>', 'of api_key (default X-API-Key) and custom_header')
    .option('--username <name>', 'of basic')
    .option('--token-url <token-url>', 'of oauth2_client_credentials: where tokens are fetched')
    .option('--client-id <id>', 'of oauth2_client_credentials')
    .option('--scope <scopes>', 'of oauth2_client_credentials, with spaces between them')
    .option('--audience <audience>', 'of oauth2_client_credentials')
    .addOption(
      new Option('--auth-style <style>', 'of oauth2_client_credentials: HTTP Basic, or in the form').choices([
        ...tokenAuthStyles,
      ]),
    )
    .option('--certificate-file <path>', 'of client_certificate: PEM, with its chain')
    .option('--private-key-file <path>', 'of client_certificate: PEM; "-" is standard input')
    .option('--ca-file <path>', 'authorities to trust for its requests instead of the well-known ones: PEM')
    .option(
      '--authorized-host <host>',
      'host that it may be sent to, with all below it (repeatable), or any',
      collectOrAny,
    )
    .option('--description <text>', 'for people')
}

/** What the one secret of each kind is called. */
const secretMembers = {
  api_key: 'apiKey',
  bearer: 'token',
  basic: 'password',
  custom_header: 'headerValue',
  oauth2_client_credentials: 'clientSecret',
} as const satisfies Partial<Record<CredentialKind, string>>

/** Absent members disappear in JSON, and so stay as they are. */
async function contentOf(kind: CredentialKind, options: ContentOptions, io: CliIo) {
  const { secretFile, certificateFile, privateKeyFile, caFile, authorizedHost } = options
  // By name: the options of a command hold its server's address and token as well.
  const { description, headerName, username, tokenUrl, clientId, scope, audience, authStyle } = options
  const content = {
    ...{ description, headerName, username, tokenUrl, clientId, scope, audience, authStyle },
    authorizedHosts: authorizedHost === 'any' ? null : authorizedHost,
    certificate: await readWhole(certificateFile, io),
    privateKey: await readWhole(privateKeyFile, io),
    ca: await readWhole(caFile, io),
  }
  if (secretFile === undefined) return content
  if (kind === 'none' || kind === 'client_certificate') {
    throw new UsageError(`a credential of the kind ${kind} has no such secret; leave --secret-file out`)
  }
  return { ...content, [secretMembers[kind]]: await readSecret(secretFile, io) }
}
