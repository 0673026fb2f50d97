import { durationForms, parseDuration } from '../../core/duration.ts'
import { OuthookError } from '../../core/errors.ts'
import { maxGraceMs } from '../../engine/endpoint-secrets.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import {
  EndpointSecretBody,
  EndpointSecretsBody,
  RevealedSecretBody,
  RotateSecretBody,
  SecretBody,
  secretParams,
} from '../schemas/endpoint-secrets.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toEndpointSecret } from '../views/endpoint-secrets.ts'

const tags = ['endpoints']

const rotateSchema = {
  operationId: 'rotateEndpointSecret',
  'x-problems': [409, 422],
  tags,
  summary: 'Give it a new secret; those before go on signing beside it for `grace`',
  description:
    'Where there is room for one signature, and last in `hookrail`, the old one stands until its grace ends or `primary` is called. At most ten secrets sign at a time.',
  'x-optional-body': true,
  params: idParams('ep'),
  body: RotateSecretBody,
  response: { 200: SecretBody },
}

const listSchema = {
  operationId: 'listEndpointSecrets',
  tags,
  summary: 'The secrets that sign for it, newest first, without their values; public keys of ed25519',
  params: idParams('ep'),
  response: { 200: EndpointSecretsBody },
}

const primarySchema = {
  operationId: 'setPrimaryEndpointSecret',
  tags,
  summary: 'Let this secret sign where there is room for one signature, and stand last in `hookrail`',
  params: secretParams,
  response: { 200: EndpointSecretBody },
}

const revealSchema = {
  operationId: 'revealEndpointSecret',
  tags,
  summary: 'The value of a secret; that it was shown, when and to whom, is kept with it and logged',
  params: secretParams,
  response: { 200: RevealedSecretBody },
}

export function endpointSecretRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.post('/v1/endpoints/:id/rotate-secret', { schema: rotateSchema }, async (request, reply) => {
      const { grace, secret, key_type: keyType } = request.body
      const rotated = await engine.endpointSecrets.rotateSecret(tenantIdOf(request), request.params.id, {
        ...(grace !== undefined && { graceMs: readGrace(grace) }),
        ...(secret !== undefined && { secret }),
        ...(keyType !== undefined && { keyType }),
      })
      return reply
        .header('cache-control', 'no-store')
        .send({ secret: rotated.secret, public_key: rotated.publicKey })
    })

    app.get('/v1/endpoints/:id/secrets', { schema: listSchema }, async (request) => {
      const secrets = await engine.endpointSecrets.listSecrets(tenantIdOf(request), request.params.id)
      return { items: secrets.map(toEndpointSecret) }
    })

    app.post('/v1/endpoints/:id/secrets/:secret_id/primary', { schema: primarySchema }, async (request) => {
      const { id, secret_id: secretId } = request.params
      return toEndpointSecret(
        await engine.endpointSecrets.setPrimarySecret(tenantIdOf(request), id, secretId),
      )
    })

    app.post(
      '/v1/endpoints/:id/secrets/:secret_id/reveal',
      { schema: revealSchema },
      async (request, reply) => {
        const { id, secret_id: secretId } = request.params
        const by = principalOf(request).keyId
        const revealed = await engine.endpointSecrets.revealSecret(tenantIdOf(request), id, secretId, { by })
        return reply.header('cache-control', 'no-store').send(revealed)
      },
    )
  }
}

function readGrace(grace: string | number): number {
  const ms = parseDuration(grace)
  if (ms !== null && ms <= maxGraceMs) return ms
  throw new OuthookError('unprocessable', `grace must be ${durationForms}, from 0 to 7 days`)
}
