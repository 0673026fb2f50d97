/**
 * What an attempt authenticates with, looked up at the moment of sending: the credential as the tenant's routing has it
 * then, so that one that was changed, switched off or deleted meanwhile counts from the next request on. Whatever keeps it
 * from being used is told as a failure of ours: a request without it is never made.
 */

import type { Clock } from '../core/clock.ts'
import {
  basicToken,
  bearerHeader,
  type CredentialSecrets,
  credentialHeader,
  type RoutedCredential,
  refuseHost,
} from '../core/credential.ts'
import { refuseDomain } from '../core/domains.ts'
import type { ErrorCode } from '../core/errors.ts'
import { OuthookError } from '../core/errors.ts'
import { secretForms } from '../core/hide-secrets.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type {
  AttemptCredentials,
  Authorization,
  AuthorizedRequest,
  ReadyAuthorization,
  TokenAnswer,
} from '../destinations/port.ts'
import type { TlsIdentity } from '../sender/port.ts'
import type { CertificateWatch } from './certificate-watch.ts'
import type { RoutingCache, TenantRouting } from './routing-cache.ts'
import type { TokenSource } from './token-source.ts'

/** What of it nobody else needs: a token that was fetched is in it. */
interface Ready extends ReadyAuthorization {
  readonly token?: { readonly credential: RoutedCredential; readonly generation: number }
}

export interface CredentialSourceOptions {
  readonly routing: Pick<RoutingCache, 'get'>
  readonly secretBox: Pick<SecretBox, 'open'>
  readonly clock: Pick<Clock, 'schedule'>
  readonly tokens: Pick<TokenSource, 'get' | 'answered'>
  /** It was given to a request. */
  readonly onUse: (credentialId: string) => void
  /** Looks whether a certificate runs out. */
  readonly certificates: Pick<CertificateWatch, 'used'>
}

type CredentialRouting = Pick<TenantRouting, 'credentials' | 'tenant'>

/** An attempt holds a slot of its endpoint, so what it waits for has to come soon. */
const shortPatienceMs = 250

export class CredentialSource implements AttemptCredentials {
  readonly #options: CredentialSourceOptions
  /** Opened once for each load of a tenant's routing. */
  readonly #ready = new WeakMap<RoutedCredential, Ready>()
  readonly #identities = new WeakMap<RoutedCredential, TlsIdentity>()

  constructor(options: CredentialSourceOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async authorize(
    tenantId: string,
    { credentialId, address }: AuthorizedRequest,
    patienceMs = shortPatienceMs,
  ): Promise<Authorization> {
    if (credentialId === null) return { kind: 'ready', headers: {}, hidden: [] }
    try {
      const routing = await this.#find(tenantId, patienceMs)
      if (routing === 'late') return { kind: 'wait', waitMs: patienceMs }
      const credential = routing.credentials.get(credentialId)
      if (credential === undefined) return missing(credentialId)
      const refusal = refuseHost(credential, address.url) ?? refuseTokenUrl(credential, routing)
      return refusal === null ? await this.#use(credential, patienceMs) : failed(refusal)
    } catch (error) {
      return unreadable(credentialId, error)
    }
  }

  async #find(tenantId: string, patienceMs: number): Promise<CredentialRouting | 'late'> {
    const routing = this.#options.routing.get(tenantId)
    if (!(routing instanceof Promise)) return routing
    const late = Promise.withResolvers<'late'>()
    const cancel = this.#options.clock.schedule(patienceMs, () => late.resolve('late'))
    try {
      return await Promise.race([routing, late.promise])
    } finally {
      cancel()
      routing.catch(() => {})
    }
  }

  answered({ token }: Ready, answer: TokenAnswer): boolean {
    if (token === undefined) return false
    const { credential, generation } = token
    return this.#options.tokens.answered(credential, { generation, ...answer })
  }

  async #use(credential: RoutedCredential, patienceMs: number): Promise<Authorization> {
    if (!credential.active) {
      return failed(`the credential ${nameOf(credential)} is switched off; activate it, or give another one`)
    }
    if (credential.kind === 'oauth2_client_credentials') return this.#useToken(credential, patienceMs)
    const known = this.#ready.get(credential) ?? this.#open(credential)
    this.#ready.set(credential, known)
    if (credential.kind === 'client_certificate') this.#options.certificates.used(credential)
    this.#options.onUse(credential.id)
    return known
  }

  async #useToken(credential: RoutedCredential, patienceMs: number): Promise<Authorization> {
    const { tokens, onUse } = this.#options
    const got = await tokens.get(credential, patienceMs)
    if (got.kind === 'failed')
      return failed(`no token for the credential ${nameOf(credential)}: ${got.error}`)
    if (got.kind === 'wait') return got
    onUse(credential.id)
    const { token, generation } = got
    const [name, value] = bearerHeader(token)
    const ready: Ready = {
      kind: 'ready',
      headers: { [name]: value },
      hidden: secretForms([token]),
      ...this.#identityOf(credential),
      token: { credential, generation },
    }
    return ready
  }

  #open(credential: RoutedCredential): Ready {
    const { id, kind, settings, sealed } = credential
    const secrets = JSON.parse(this.#options.secretBox.open(sealed, id)) as CredentialSecrets
    const header = credentialHeader(kind, settings, secrets)
    const told = Object.values(secrets)
    const inBasic = kind === 'basic' ? [basicToken(settings.username ?? '', secrets.password ?? '')] : []
    return {
      kind: 'ready',
      headers: header === null ? {} : { [header[0]]: header[1] },
      hidden: secretForms([...told, ...inBasic]),
      ...this.#identityOf(credential, secrets.privateKey),
    }
  }

  /** The same object as long as the credential is what it is: connections are kept by it. */
  #identityOf(credential: RoutedCredential, privateKey?: string): Pick<Ready, 'identity'> {
    const { id, version, settings } = credential
    const { certificate, ca } = settings
    if (certificate === undefined && ca === undefined) return {}
    const identity = this.#identities.get(credential) ?? {
      key: `${id} ${version}`,
      ...(certificate !== undefined && privateKey !== undefined && { certificate, privateKey }),
      ...(ca !== undefined && { ca }),
    }
    this.#identities.set(credential, identity)
    return { identity }
  }
}

/** A token server is a place that the tenant named, so its domains hold there too. */
function refuseTokenUrl({ settings }: RoutedCredential, { tenant }: CredentialRouting): string | null {
  const domains = tenant?.settings.authorizedDomains ?? []
  if (domains.length === 0 || settings.tokenUrl === undefined) return null
  return refuseDomain(new URL(settings.tokenUrl), domains)
}

function missing(credentialId: string): Authorization {
  return failed(`the credential ${credentialId} does not exist any more; give another one`)
}

/** Codes of errors whose messages name nothing that is secret. */
const plainCodes: ReadonlySet<ErrorCode> = new Set(['internal', 'wrong_master_key'])

function unreadable(credentialId: string, error: unknown): Authorization {
  const isPlain = error instanceof OuthookError && plainCodes.has(error.code)
  const why = isPlain ? error.message : 'the store did not answer'
  return failed(`the credential ${credentialId} cannot be read: ${why}`)
}

function nameOf({ id, name }: RoutedCredential): string {
  return `${JSON.stringify(name)} (${id})`
}

function failed(error: string): Authorization {
  return { kind: 'failed', error: `no request was made: ${error}` }
}
