/**
 * What an attempt authenticates with, looked up at the moment of sending: the credential as the tenant's routing has it
 * then, so that one that was changed, switched off or deleted meanwhile counts from the next request on. Whatever keeps it
 * from being used is told as a failure of ours: a request without it is never made.
 */

import type { Clock } from '../core/clock.ts'
import {
  bearerHeader,
  type CredentialSecrets,
  credentialHeader,
  pairProblem,
  type RoutedCredential,
  refuseHost,
} from '../core/credential.ts'
import { refuseDomain } from '../core/domains.ts'
import type { ErrorCode } from '../core/errors.ts'
import { OuthookError } from '../core/errors.ts'
import { HiddenSecrets } from '../core/hidden-secrets.ts'
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
type Hidden = readonly HiddenSecrets[]

/** An attempt holds a slot of its endpoint, so what it waits for has to come soon. */
const shortPatienceMs = 250

export class CredentialSource implements AttemptCredentials {
  readonly #options: CredentialSourceOptions
  /** Opened once for each load of a tenant's routing. */
  readonly #ready = new WeakMap<RoutedCredential, Ready>()
  readonly #identities = new WeakMap<RoutedCredential, TlsIdentity>()
  /** Of a certificate and of a credential that names authorities. */
  readonly #joined = new WeakMap<TlsIdentity, WeakMap<TlsIdentity, TlsIdentity>>()
  /** The token that a credential had last. */
  readonly #hiddenTokens = new WeakMap<
    RoutedCredential,
    { readonly token: string; readonly hidden: Hidden }
  >()

  constructor(options: CredentialSourceOptions) {
    this.#options = options
  }

  /** Never rejects. What the connection shows and what the request carries are looked up alike. */
  async authorize(
    tenantId: string,
    { credentialId, clientCertificateId, address, pool }: AuthorizedRequest,
    patienceMs = shortPatienceMs,
  ): Promise<Authorization> {
    const ids = [clientCertificateId, credentialId].filter((id) => id !== null)
    try {
      const routing = ids.length === 0 ? null : await this.#find(tenantId, patienceMs)
      if (routing === null) return { kind: 'ready', headers: {}, hidden: [] }
      if (routing === 'late') return { kind: 'wait', waitMs: patienceMs }
      const credentials = ids.map((id) => routing.credentials.get(id))
      const absent = credentials.indexOf(undefined)
      if (absent >= 0) return missing(ids[absent] ?? '')
      const found = credentials as RoutedCredential[]
      const refusal = refuseUse(found, { addresses: pool?.addresses ?? [address], routing })
      if (refusal !== null) return failed(refusal)
      const uses: Ready[] = []
      for (const credential of found) {
        const use = await this.#use(credential, patienceMs).catch((error) => unreadable(credential.id, error))
        if (use.kind !== 'ready') return use
        uses.push(use)
      }
      const [first, second] = uses as [Ready, Ready?]
      return second === undefined ? first : this.#together(first, second)
    } catch (error) {
      return unreadable(ids[0] ?? '', error)
    }
  }

  /** The header of the one on a connection of the other, which may trust the authorities of both. */
  #together(certificate: Ready, { identity, ...credential }: Ready): Ready {
    const shown = certificate.identity
    const hidden = [...certificate.hidden, ...credential.hidden]
    if (shown === undefined || identity === undefined)
      return { ...credential, ...(shown && { identity: shown }), hidden }
    const known = this.#joined.get(shown)?.get(identity)
    const authorities = [shown.ca, identity.ca].filter((ca) => ca !== undefined)
    const joined = known ?? {
      ...shown,
      key: `${shown.key} ${identity.key}`,
      ...(authorities.length > 0 && { ca: authorities.join('\n') }),
    }
    if (known === undefined) {
      const others = this.#joined.get(shown) ?? new WeakMap<TlsIdentity, TlsIdentity>()
      this.#joined.set(shown, others.set(identity, joined))
    }
    return { ...credential, identity: joined, hidden }
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
    const { certificate, ca } = credential.settings
    if (certificate !== undefined || ca !== undefined) this.#options.certificates.used(credential)
    if (credential.kind === 'oauth2_client_credentials') return this.#useToken(credential, patienceMs)
    const known = this.#ready.get(credential) ?? this.#open(credential)
    this.#ready.set(credential, known)
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
      hidden: this.#hideToken(credential, token),
      ...this.#identityOf(credential),
      token: { credential, generation },
    }
    return ready
  }

  /** With the client's secret, which the same owner's receiver may know. */
  #hideToken(credential: RoutedCredential, token: string): Hidden {
    const known = this.#hiddenTokens.get(credential)
    if (known?.token === token) return known.hidden
    const hidden = [new HiddenSecrets([token, ...Object.values(this.#read(credential))])]
    this.#hiddenTokens.set(credential, { token, hidden })
    return hidden
  }

  #read({ id, sealed }: RoutedCredential): CredentialSecrets {
    return JSON.parse(this.#options.secretBox.open(sealed, id)) as CredentialSecrets
  }

  #open(credential: RoutedCredential): Ready {
    const { kind, settings } = credential
    const secrets = this.#read(credential)
    const header = credentialHeader(kind, settings, secrets)
    const pair = kind === 'basic' ? [`${settings.username}:${secrets.password}`] : []
    return {
      kind: 'ready',
      headers: header === null ? {} : { [header[0]]: header[1] },
      hidden: [new HiddenSecrets([...Object.values(secrets), ...pair])],
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

/** Why they are not used, now that they and the endpoint are what they are. */
function refuseUse(
  credentials: readonly RoutedCredential[],
  {
    addresses,
    routing,
  }: { readonly addresses: readonly { readonly url: URL }[]; readonly routing: CredentialRouting },
): string | null {
  const [certificate, credential] = credentials
  if (certificate !== undefined && credential !== undefined) {
    const problem = pairProblem(certificate, credential)
    if (problem !== null) return problem
  }
  for (const each of credentials) {
    for (const { url } of addresses) {
      const refusal = refuseHost(each, url)
      if (refusal !== null) return refusal
    }
    const refusal = refuseTokenUrl(each, routing)
    if (refusal !== null) return refusal
  }
  return null
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
