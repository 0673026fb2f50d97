import { Type } from '../../bundled/typebox.ts'
import { secretKinds } from '../../core/signing-secrets.ts'
import { Closed, Id, Nullable, Time } from './shapes.ts'
import { durationPattern, idOf, secretPattern } from './text-limits.ts'

export const secretParams = Type.Object({ id: idOf('ep'), secret_id: idOf('sec') })

export const Secret = Type.String({
  pattern: secretPattern,
  description: '`whsec_` and base64 of 24 to 64 bytes; made when absent. An ed25519 key pair is `whsk_…`',
})

export const KeyType = Type.Enum([...secretKinds], {
  description:
    'of the secret that is made, where none is given: `hmac` (the default), which sender and receiver share, or `ed25519`, of which the receiver needs the public key alone',
})

/** What a secret is that is given, its text says. */
export const secretOrKeyType = { not: { required: ['secret', 'key_type'] } }

export const PublicKey = Nullable(
  Type.String({ description: '`whpk_…`, what receivers verify an ed25519 secret with; null for an HMAC' }),
)

export const RotateSecretBody = Closed(
  {
    grace: Type.Optional(
      Type.Unsafe<string | number>({
        type: ['string', 'integer'],
        pattern: durationPattern(7),
        minimum: 0,
        maximum: 604_800_000,
        examples: ['24h'],
        description: 'how long the old secret goes on signing: "24h" (the default), at most 7 days',
      }),
    ),
    secret: Type.Optional(Secret),
    key_type: Type.Optional(KeyType),
  },
  { title: 'RotateSecret', ...secretOrKeyType },
)

export const SecretBody = Type.Object(
  {
    secret: Type.String({ description: 'keep it; afterwards only `reveal` shows it' }),
    public_key: PublicKey,
  },
  { title: 'NewSecret' },
)

export const EndpointSecretBody = Type.Object(
  {
    id: Id,
    key_type: Type.String({ enum: [...secretKinds] }),
    public_key: PublicKey,
    primary: Type.Boolean({
      description:
        'it signs in the schemes that have room for one signature, and stands last in `hookrail`; unless another one was made that, the oldest is',
    }),
    created_at: Time,
    expires_at: Nullable(
      Type.String({ format: 'date-time', description: 'until when it signs; null: until it is replaced' }),
    ),
    reveals: Type.Integer({ description: 'how often it was shown after its creation' }),
    revealed_at: Nullable(Type.String({ format: 'date-time', description: 'when last' })),
    revealed_by: Nullable(
      Type.String({
        description: 'the key of whoever saw it last; null: the configured token, or a program',
      }),
    ),
  },
  { title: 'EndpointSecret' },
)

export const EndpointSecretsBody = Type.Object(
  { items: Type.Array(EndpointSecretBody) },
  { title: 'EndpointSecrets' },
)

export const RevealedSecretBody = Type.Object({ id: Id, secret: Type.String() }, { title: 'RevealedSecret' })

export const PublicKeysBody = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.String({ enum: ['OKP'] }),
          crv: Type.String({ enum: ['Ed25519'] }),
          alg: Type.String({ enum: ['EdDSA'] }),
          use: Type.String({ enum: ['sig'] }),
          kid: Type.String({ description: 'the id of the secret' }),
          x: Type.String({ description: 'the 32 bytes in base64url, without padding' }),
          public_key: Type.String({ description: 'the same as `whpk_…`, as Standard Webhooks writes it' }),
          expires_at: Nullable(
            Type.String({
              format: 'date-time',
              description: 'until when it signs; null: until it is replaced',
            }),
          ),
        },
        { title: 'EndpointPublicKey' },
      ),
    ),
  },
  { title: 'EndpointPublicKeys' },
)
