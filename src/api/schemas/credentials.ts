import { Type } from '../../bundled/typebox.ts'
import {
  type CredentialKind,
  credentialKinds,
  defaultApiKeyHeader,
  maxAuthorizedHosts,
  membersOfKind,
  tokenAuthStyles,
} from '../../core/credential.ts'
import { maxDomainChars } from '../../core/domains.ts'
import { limits } from '../../core/model.ts'
import { urlPattern } from './endpoint-urls.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { controlCharacters, linePattern, linesPattern } from './text-limits.ts'
import { Version } from './versions.ts'

const maxSecretChars = 8000

const CredentialName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: linePattern,
  description: 'unique in its tenant',
})

/** Write-only: no answer has it. */
function Secret(description: string, pattern: string, maxLength = maxSecretChars) {
  return Type.Optional(Type.String({ minLength: 1, maxLength, pattern, writeOnly: true, description }))
}

const maxClientChars = 2000
const line = `^[^${controlCharacters}]+$`

function ofClient(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: maxClientChars, pattern: line, description }))
}

const visible = '^[!-~](?:[ -~]*[!-~])?$'

const content = {
  header_name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      description: `of \`api_key\` (default \`${defaultApiKeyHeader}\`) and \`custom_header\`; not one that the sender sets itself`,
    }),
  ),
  api_key: Secret('of `api_key`: the value of the header', visible),
  token: Secret('of `bearer`', '^[!-~]+$'),
  username: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: `^[^:${controlCharacters}]+$`,
      description: 'of `basic`',
    }),
  ),
  password: Secret('of `basic`', line),
  header_value: Secret('of `custom_header`', visible),
  token_url: Type.Optional(
    Type.String({
      format: 'uri',
      maxLength: limits.maxUrlChars,
      pattern: urlPattern,
      description:
        'of `oauth2_client_credentials`: where tokens are fetched. The rules are those of an endpoint’s URL',
      examples: ['https://login.example.com/oauth/token'],
    }),
  ),
  client_id: ofClient('of `oauth2_client_credentials`'),
  client_secret: Secret('of `oauth2_client_credentials`', line, maxClientChars),
  scope: ofClient('of `oauth2_client_credentials`: scopes with spaces between them'),
  audience: ofClient('of `oauth2_client_credentials`, where the token server wants one'),
  certificate: pem('of `client_certificate`: PEM, with the chain that the receiver may need'),
  private_key: pem('of `client_certificate`, together with it: PEM, not encrypted', { writeOnly: true }),
  ca: pem('of any kind: PEM of the authorities to trust for these requests instead of the well-known ones'),
  auth_style: Type.Optional(
    Type.Enum([...tokenAuthStyles], {
      description:
        'of `oauth2_client_credentials`: id and secret as HTTP Basic (`basic`, the default) or in the form (`body`)',
    }),
  ),
}

const common = {
  description: Type.Optional(Type.String({ maxLength: limits.maxDescriptionChars, pattern: linesPattern })),
  active: Type.Optional(
    Type.Boolean({ description: 'false: requests that need it are not made, and wait until it is true' }),
  ),
  authorized_hosts: Type.Optional(
    Nullable(
      Type.Array(Type.String({ minLength: 1, maxLength: maxDomainChars, pattern: linePattern }), {
        minItems: 1,
        maxItems: maxAuthorizedHosts,
        examples: [['partner.example']],
        description:
          'hosts that it may be sent to; each stands for all below it too; null (the default): any. Requests to others are refused, or not made',
      }),
    ),
  ),
}

/** Its form the engine checks. */
function pem(description: string, options: object = {}) {
  return Type.Optional(
    Type.String({ minLength: 1, maxLength: 32_768, pattern: '^-----BEGIN ', description, ...options }),
  )
}

/** What each kind needs, and that it has nothing else. */
const membersByKind = credentialKinds.map((kind) => ({
  anyOf: [
    { properties: { kind: { not: { const: kind } } } },
    { required: requiredOf(kind), properties: refusedBy(kind) },
  ],
}))

function requiredOf(kind: CredentialKind): string[] {
  const { settings, secrets } = membersOfKind[kind]
  return [...settings, ...secrets].map(snakeCase)
}

function refusedBy(kind: CredentialKind): Record<string, false> {
  const { settings, optional, secrets } = membersOfKind[kind]
  const taken: readonly string[] = [...settings, ...optional, ...secrets].map(snakeCase)
  return Object.fromEntries(
    Object.keys(content)
      .filter((name) => !taken.includes(name))
      .map((name) => [name, false]),
  )
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export const CredentialCreateBody = Closed(
  {
    name: CredentialName,
    kind: Type.Enum([...credentialKinds], { description: 'it cannot be changed' }),
    ...common,
    ...content,
  },
  {
    title: 'CredentialCreate',
    allOf: membersByKind,
    examples: [{ name: 'billing', kind: 'bearer', token: 'kX9…' }],
  },
)

export const CredentialChangeBody = Closed(
  { name: Type.Optional(CredentialName), ...common, ...content },
  {
    title: 'CredentialChange',
    description: 'members of its kind; a secret that is given replaces the one before',
    dependentRequired: { certificate: ['private_key'], private_key: ['certificate'] },
    examples: [{ active: false }],
  },
)

export const CredentialBody = Type.Object(
  {
    id: Id,
    tenant_id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    kind: Type.String({ enum: [...credentialKinds] }),
    active: Type.Boolean(),
    authorized_hosts: Nullable(
      Type.Array(Type.String(), {
        description: 'hosts that it may be sent to, with all below them; null: any',
      }),
    ),
    header_name: Type.Optional(Type.String()),
    username: Type.Optional(Type.String()),
    token_url: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String()),
    audience: Type.Optional(Type.String()),
    auth_style: Type.Optional(Type.String({ enum: [...tokenAuthStyles] })),
    certificate: Type.Optional(Type.String({ description: 'PEM' })),
    subject: Type.Optional(Type.String({ description: 'of the certificate, as the next three' })),
    issuer: Type.Optional(Type.String()),
    fingerprint: Type.Optional(Type.String({ description: 'SHA-256, hex' })),
    not_after: Type.Optional(Type.String({ format: 'date-time', description: 'when it runs out' })),
    ca: Type.Optional(Type.String({ description: 'PEM' })),
    secret_hint: Nullable(
      Type.String({ description: 'the secret’s last four characters; null where it has fewer than 16' }),
    ),
    created_at: Time,
    updated_at: Time,
    last_used_at: Nullable(
      Type.String({ format: 'date-time', description: 'within a minute or so; null: never' }),
    ),
    version: Version,
  },
  { title: 'Credential' },
)

export const CredentialPage = PageOf(CredentialBody)

export const CredentialQuery = Closed({
  ...pageQuery,
  name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: linePattern,
      description: 'the one with this name',
    }),
  ),
})
