/**
 * What requests authenticate with at their receiver: a header of one of several kinds, a token that is fetched from an
 * OAuth2 server, or a client certificate. Secret members are sealed together and never shown; the others are settings.
 */
import { isInDomain } from './domains.ts'
import { OuthookError } from './errors.ts'

export const credentialKinds = [
  'none',
  'api_key',
  'bearer',
  'basic',
  'custom_header',
  'oauth2_client_credentials',
  'client_certificate',
] as const
export type CredentialKind = (typeof credentialKinds)[number]

/** How the client authenticates at the token URL: HTTP Basic, or its id and secret in the form. */
export const tokenAuthStyles = ['basic', 'body'] as const
export type TokenAuthStyle = (typeof tokenAuthStyles)[number]

/** What is shown of a credential's content. Which members there are depends on its kind. */
export interface CredentialSettings {
  /** `api_key` and `custom_header`. */
  readonly headerName?: string
  /** `basic`. */
  readonly username?: string
  /** `oauth2_client_credentials`, with the next four. */
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly scope?: string
  readonly audience?: string
  readonly authStyle?: TokenAuthStyle
  /** `client_certificate`: PEM, with the chain that the receiver may need. */
  readonly certificate?: string
  /** Of any kind: the authorities that the receiver's certificate may be of, instead of the well-known ones. PEM. */
  readonly ca?: string
}

/** Of a credential's authorized hosts. */
export const maxAuthorizedHosts = 100

export interface CredentialSecrets {
  readonly apiKey?: string
  readonly token?: string
  readonly password?: string
  readonly headerValue?: string
  readonly clientSecret?: string
  /** PEM. */
  readonly privateKey?: string
}

export interface Credential {
  readonly id: string
  readonly tenantId: string
  /** Unique in its tenant. */
  readonly name: string
  readonly description: string
  readonly kind: CredentialKind
  readonly settings: CredentialSettings
  /** Hosts that it may be sent to, each with all below it; null: any. */
  readonly authorizedHosts: readonly string[] | null
  /** The secret's last four characters; null where so many would tell too much of it. */
  readonly secretHint: string | null
  /** False: requests that need it are not made, and wait. */
  readonly active: boolean
  readonly createdAt: number
  readonly updatedAt: number
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: number | null
  /** Another one after each change that somebody makes: for `ifMatch`. */
  readonly version: string
}

/** As an attempt needs it. */
export interface RoutedCredential
  extends Pick<
    Credential,
    'id' | 'tenantId' | 'name' | 'kind' | 'settings' | 'authorizedHosts' | 'active' | 'version'
  > {
  readonly sealed: Uint8Array
}

/** Settings and secrets that a kind takes; what is not optional has to be there. */
interface KindMembers {
  readonly settings: readonly (keyof CredentialSettings)[]
  readonly optional: readonly (keyof CredentialSettings)[]
  readonly secrets: readonly (keyof CredentialSecrets)[]
}

export const membersOfKind: Readonly<Record<CredentialKind, KindMembers>> = {
  none: { settings: [], optional: ['ca'], secrets: [] },
  api_key: { settings: [], optional: ['headerName', 'ca'], secrets: ['apiKey'] },
  bearer: { settings: [], optional: ['ca'], secrets: ['token'] },
  basic: { settings: ['username'], optional: ['ca'], secrets: ['password'] },
  custom_header: { settings: ['headerName'], optional: ['ca'], secrets: ['headerValue'] },
  oauth2_client_credentials: {
    settings: ['tokenUrl', 'clientId'],
    optional: ['scope', 'audience', 'authStyle', 'ca'],
    secrets: ['clientSecret'],
  },
  client_certificate: { settings: ['certificate'], optional: ['ca'], secrets: ['privateKey'] },
}

export const defaultApiKeyHeader = 'X-API-Key'

/** Null: requests to the URL may carry it. It stays with its hosts, whoever may name it. */
export function refuseHost(
  { id, name, authorizedHosts }: Pick<Credential, 'id' | 'name' | 'authorizedHosts'>,
  url: URL,
): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (authorizedHosts === null || authorizedHosts.some((domain) => isInDomain(host, domain))) return null
  return (
    `the credential ${JSON.stringify(name)} (${id}) may not be sent to ${host}, which is none of its authorized hosts, ` +
    'nor below one; add it to them, or give another credential'
  )
}

/** Null: connections show the certificate, and requests carry the credential, if there is one. */
export function pairProblem(
  certificate: Pick<Credential, 'id' | 'kind'>,
  credential: Pick<Credential, 'id' | 'kind'> | null,
): string | null {
  const { id, kind } = certificate
  if (kind !== 'client_certificate') {
    return `${id} is of the kind ${kind}, and no client certificate; give one of the kind client_certificate`
  }
  if (credential?.kind !== 'client_certificate') return null
  return `${credential.id} and ${id} are both client certificates, and a connection shows one; give one of them`
}

/** What a request carries for it: name in lower case. Null: nothing, or a token that has to be fetched. */
export function credentialHeader(
  kind: CredentialKind,
  settings: CredentialSettings,
  secrets: CredentialSecrets,
): readonly [string, string] | null {
  const { headerName = defaultApiKeyHeader, username = '' } = settings
  switch (kind) {
    case 'none':
    case 'oauth2_client_credentials':
    case 'client_certificate':
      return null
    case 'api_key':
      return [headerName.toLowerCase(), secrets.apiKey ?? missing()]
    case 'bearer':
      return bearerHeader(secrets.token ?? missing())
    case 'basic':
      return ['authorization', `Basic ${basicToken(username, secrets.password ?? missing())}`]
    case 'custom_header':
      return [headerName.toLowerCase(), secrets.headerValue ?? missing()]
  }
}

export function bearerHeader(token: string): readonly [string, string] {
  return ['authorization', `Bearer ${token}`]
}

export function basicToken(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64')
}

/** A sealed value that lacks what its kind needs was not written by this program. */
function missing(): never {
  throw new OuthookError('internal', 'the sealed credential lacks its secret; set it anew')
}

const minHintedChars = 16

/** Of the kind's one secret. A quarter of it at most is told. */
export function secretHintOf(kind: CredentialKind, secrets: CredentialSecrets): string | null {
  if (kind === 'client_certificate') return null
  const [name] = membersOfKind[kind].secrets
  const secret = name === undefined ? undefined : secrets[name]
  return secret === undefined || secret.length < minHintedChars ? null : secret.slice(-4)
}
