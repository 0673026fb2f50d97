/** Secrets of an endpoint: new ones, which of them signs first, and their values. */
import type { Command } from 'commander'
import type { EndpointPublicKeyResource, EndpointSecretResource } from '../client/resources.ts'
import { type SecretKind, secretKinds } from '../core/signing-secrets.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpoint } from './endpoint-id.ts'
import type { CliIo } from './io.ts'
import { durationMs, oneOf } from './option-values.ts'
import { readSecret } from './read-secret.ts'
import type { Column } from './table.ts'

const columns: readonly Column<EndpointSecretResource>[] = [
  { title: 'ID', value: (row) => row.id },
  { title: 'TYPE', value: (row) => row.keyType },
  { title: 'PRIMARY', value: (row) => (row.primary ? 'yes' : '') },
  { title: 'CREATED', kind: 'age', value: (row) => row.createdAt },
  { title: 'EXPIRES', kind: 'due', value: (row) => row.expiresAt },
  { title: 'SHOWN', kind: 'age', value: (row) => row.revealedAt },
  { title: 'PUBLIC KEY', value: (row) => row.publicKey },
]

const publicKeyColumns: readonly Column<EndpointPublicKeyResource>[] = [
  { title: 'ID', value: (row) => row.kid },
  { title: 'EXPIRES', kind: 'due', value: (row) => row.expiresAt },
  { title: 'PUBLIC KEY', value: (row) => row.publicKey },
]

export interface SecretOptions {
  readonly keyType?: SecretKind
  readonly secretFile?: string
}

export function addSecretOptions(command: Command): Command {
  return command
    .option(
      '--key-type <type>',
      'of the secret that is made: hmac (the default) or ed25519',
      oneOf(secretKinds),
    )
    .option('--secret-file <file>', 'the first line of this file is the secret; "-" is standard input')
}

export function registerSecrets(command: Command, io: CliIo): void {
  const rotateText = 'give it a new secret and show it; those before go on signing for a while'
  const rotate = addApiCommand(command, 'rotate-secret <endpoint>', rotateText, io)
  rotate.option('--grace <duration>', 'how long those before go on, up to 7d (default 24h)', durationMs)
  addSecretOptions(rotate)
  rotate.run<SecretOptions & { grace?: number }>(async ({ client, print }, [endpoint = ''], options) => {
    const { grace, keyType } = options
    const secret = await readSecret(options.secretFile, io)
    const id = await resolveEndpoint(client, endpoint)
    print.answer('NewSecret', await client.endpoints.rotateSecret(id, { grace, secret, keyType }))
  })

  const listText = 'its secrets that sign, without their values, and public keys'
  addApiCommand(command, 'secrets <endpoint>', listText, io).run(
    async ({ client, print }, [endpoint = '']) => {
      const { items } = await client.endpoints.listSecrets(await resolveEndpoint(client, endpoint))
      print.page('EndpointSecret', { items, nextCursor: '' }, columns)
    },
  )

  const publicText = 'the public keys of its ed25519 secrets, as receivers fetch them without a token'
  addApiCommand(command, 'public-keys <endpoint>', publicText, io).run(
    async ({ client, print }, [endpoint = '']) => {
      const answer = await client.endpoints.listPublicKeys(await resolveEndpoint(client, endpoint))
      if (print.json) return print.answer('EndpointPublicKeys', answer)
      print.page('EndpointPublicKey', { items: answer.keys, nextCursor: '' }, publicKeyColumns)
    },
  )

  const primaryText =
    'let this secret sign where there is room for one signature, and stand last in "hookrail"'
  addApiCommand(command, 'primary-secret <endpoint> <secret-id>', primaryText, io).run(
    async ({ client, print }, [endpoint = '', secretId = '']) => {
      const id = await resolveEndpoint(client, endpoint)
      print.answer('EndpointSecret', await client.endpoints.setPrimarySecret(id, secretId))
    },
  )

  const revealText = 'show the value of a secret; that it was shown is kept and logged'
  addApiCommand(command, 'reveal-secret <endpoint> <secret-id>', revealText, io).run(
    async ({ client, print }, [endpoint = '', secretId = '']) => {
      const id = await resolveEndpoint(client, endpoint)
      print.answer('RevealedSecret', await client.endpoints.revealSecret(id, secretId))
    },
  )
}
