/** Secrets of endpoints: new ones, which of them signs first, and who has seen them. */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { Endpoint, SealedSecret } from '../core/model.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { SigningScheme } from '../core/signing-scheme.ts'
import {
  generateSecret,
  kindOf,
  type PublicKey,
  parseSecret,
  primaryOf,
  publicKeyOf,
  renderPublicKey,
  type SecretKind,
  secretProblem,
} from '../core/signing-secrets.ts'
import { type Kinds, kinds } from '../destinations/kinds.ts'
import { type ConfigStore, maxActiveSecrets, type NewSecret, type SecretStore } from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import { checkEndpointId, checkKeyType, checkRotation } from './endpoint-checks.ts'
import { kindOf as kindOfEndpoint } from './endpoint-kind.ts'
import { checkId, notFound } from './page.ts'

const defaultGraceMs = 24 * 3_600_000
export const maxGraceMs = 7 * 24 * 3_600_000

export interface RotateOptions {
  /** How long the secrets of before go on signing, 0 to 7 days. Default 24 h. */
  readonly graceMs?: number
  /** Default: one is made. */
  readonly secret?: string
  /** What is made; default `hmac`. */
  readonly keyType?: SecretKind
}

export interface RevealOptions {
  /** Who, as whoever asks wants to be called. */
  readonly by?: string | null
}

/** A secret without its value. */
export interface EndpointSecret {
  readonly id: string
  readonly keyType: SecretKind
  /** What receivers verify an ed25519 secret with, `whpk_…`; null for an HMAC. */
  readonly publicKey: string | null
  /** The one that signs where there is room for one, and that stands last in the scheme `hookrail`. */
  readonly primary: boolean
  readonly createdAt: number
  /** Until when it signs; null: until it is replaced. */
  readonly expiresAt: number | null
  /** How often it was shown after its creation, when last, and to whom. */
  readonly reveals: number
  readonly revealedAt: number | null
  readonly revealedBy: string | null
}

export interface NewSecretInput {
  readonly secret?: string | undefined
  readonly keyType?: SecretKind | undefined
}

export interface EndpointSecretsOptions {
  readonly store: SecretStore & Pick<ConfigStore, 'getEndpoint'>
  readonly ids: IdFactory
  readonly secretBox: SecretBox
  readonly randomBytes: (size: number) => Uint8Array
  readonly words: FaceWords
  /** Default: all that there are. */
  readonly kinds?: Kinds | undefined
  readonly logger: Logger
  /** The tenant's routing is no longer what it was. */
  readonly onChange: (tenantId: string, endpointId: string) => void
}

export class EndpointSecrets {
  readonly #options: EndpointSecretsOptions

  constructor(options: EndpointSecretsOptions) {
    this.#options = options
  }

  /** Those that sign, newest first, without their values. Errors: not_found. */
  async listSecrets(tenantId: string, id: string): Promise<readonly EndpointSecret[]> {
    const secrets = await this.#sealed(tenantId, id)
    const primary = primaryOf(secrets)
    return secrets.map((secret) => this.#view(secret, secret === primary))
  }

  /**
   * What receivers verify with, newest first: the public keys of its ed25519 secrets that sign, those that a rotation
   * replaces included. Errors: not_found, also where no secret of the endpoint is ed25519, so that whoever asks without
   * credentials learns of no other endpoint.
   */
  async listPublicKeys(tenantId: string, id: string): Promise<readonly PublicKey[]> {
    const sealed = await this.#options.store.listSecrets(tenantId, checkEndpointId(id))
    const keys = (sealed ?? []).flatMap((secret) => {
      const text = this.#options.secretBox.open(secret.sealed, secret.endpointId)
      return renderPublicKey(text, secret) ?? []
    })
    if (keys.length > 0) return keys
    throw new OuthookError('not_found', 'no endpoint with that id has an ed25519 secret', {
      title: 'public keys not found',
    })
  }

  /**
   * A new secret. Those before go on signing beside it for `graceMs` (default 24 h, at most 7 days), so that receivers can
   * change over. Errors: not_found, unprocessable, conflict (ten secrets sign already).
   */
  async rotateSecret(
    tenantId: string,
    id: string,
    options: RotateOptions = {},
  ): Promise<{ readonly secret: string; readonly publicKey: string | null }> {
    checkRotation(options)
    const { store, words } = this.#options
    const { graceMs = defaultGraceMs } = options
    if (!Number.isFinite(graceMs) || graceMs < 0 || graceMs > maxGraceMs) {
      throw new OuthookError('unprocessable', 'graceMs must be from 0 to 7 days in milliseconds')
    }
    checkKeyType(options, words)
    const endpoint = await store.getEndpoint(tenantId, checkEndpointId(id))
    if (endpoint === null) throw notFound('endpoint')
    this.#refuseUnsigned(endpoint)
    const secret = this.make(options, endpoint.signingSchemes)
    const rotation = store.rotateSecret(tenantId, id, this.seal(secret, id), graceMs)
    const rotated = await this.#write(tenantId, id, rotation)
    if (rotated === false) throw notFound('endpoint')
    if (rotated === 'too_many') {
      throw new OuthookError(
        'conflict',
        `the endpoint has ${maxActiveSecrets} secrets that sign; wait until one expires, or rotate with a grace of 0, which ends them all`,
      )
    }
    return { secret, publicKey: publicKeyOf(secret) }
  }

  /**
   * This secret signs from now on where there is room for one signature, and stands last in the scheme `hookrail`, whose
   * receivers read that. Without it the oldest one does until its grace ends. Errors: not_found (it does not sign).
   */
  async setPrimarySecret(tenantId: string, id: string, secretId: string): Promise<EndpointSecret> {
    checkEndpointId(id)
    checkId(secretId, 'sec', 'secret')
    const change = this.#options.store.setPrimarySecret(tenantId, id, secretId)
    if ((await this.#write(tenantId, id, change)).kind === 'not_found') throw notFound('secret')
    const changed = (await this.listSecrets(tenantId, id)).find((secret) => secret.id === secretId)
    if (changed === undefined) throw notFound('secret')
    return changed
  }

  /** The value of a secret. That it was shown is kept with it, and logged. Errors: not_found (it does not sign). */
  async revealSecret(
    tenantId: string,
    id: string,
    secretId: string,
    options: RevealOptions = {},
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const { store, secretBox, logger } = this.#options
    checkEndpointId(id)
    checkId(secretId, 'sec', 'secret')
    const by = options.by ?? null
    const noted = await store.noteReveal(tenantId, id, secretId, by)
    if (noted === null) throw notFound('secret')
    logger.warn(
      { tenant_id: tenantId, endpoint_id: id, secret_id: secretId, revealed_by: by, reveals: noted.reveals },
      'the secret of an endpoint was shown',
    )
    return { id: secretId, secret: secretBox.open(noted.sealed, id) }
  }

  /** A given secret, checked, or a new one. Errors: unprocessable. */
  make({ secret, keyType }: NewSecretInput, schemes: readonly SigningScheme[]): string {
    const text = secret ?? generateSecret(this.#options.randomBytes, keyType)
    return parseSecret(
      text,
      schemes,
      secret === undefined ? this.#options.words.member('key_type') : 'secret',
    )
  }

  seal(secret: string, endpointId: string): NewSecret {
    const { ids, secretBox } = this.#options
    return { id: ids.next('sec'), sealed: secretBox.seal(secret, endpointId) }
  }

  /** Whether the newest secret is this one. */
  async signsWith(tenantId: string, endpointId: string, secret: string): Promise<boolean> {
    const [newest] = await this.#sealed(tenantId, endpointId)
    return newest !== undefined && this.#options.secretBox.open(newest.sealed, endpointId) === secret
  }

  /** Errors: unprocessable, when a secret that signs cannot sign in one of the schemes. */
  async checkSchemes(tenantId: string, endpointId: string, schemes: readonly SigningScheme[]): Promise<void> {
    const secrets = await this.#options.store.listSecrets(tenantId, endpointId)
    for (const { id, sealed } of secrets ?? []) {
      const problem = secretProblem(this.#options.secretBox.open(sealed, endpointId), schemes)
      if (problem === null) continue
      const member = this.#options.words.member('signing_schemes')
      throw new OuthookError(
        'unprocessable',
        `${member} do not fit the endpoint's secret ${id}, which ${problem}. Rotate the endpoint's secret with a grace of 0 first`,
      )
    }
  }

  /** Errors: conflict. */
  #refuseUnsigned(endpoint: Endpoint): void {
    const kind = kindOfEndpoint(endpoint, this.#options.kinds ?? kinds)
    if (kind.takes.includes('secret')) return
    throw new OuthookError('conflict', `${kind.title} has no secrets, because nothing that it gets is signed`)
  }

  async #sealed(tenantId: string, id: string): Promise<readonly SealedSecret[]> {
    const secrets = await this.#options.store.listSecrets(tenantId, checkEndpointId(id))
    if (secrets === null) throw notFound('endpoint')
    return secrets
  }

  #view(secret: SealedSecret, primary: boolean): EndpointSecret {
    const text = this.#options.secretBox.open(secret.sealed, secret.endpointId)
    const { id, createdAt, expiresAt, reveals, revealedAt, revealedBy } = secret
    const key = { keyType: kindOf(text), publicKey: publicKeyOf(text) }
    return { id, ...key, primary, createdAt, expiresAt, reveals, revealedAt, revealedBy }
  }

  #write<T>(tenantId: string, endpointId: string, write: Promise<T>): Promise<T> {
    return announceAfter(write, () => this.#options.onChange(tenantId, endpointId))
  }
}
