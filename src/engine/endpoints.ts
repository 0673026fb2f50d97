import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Endpoint } from '../core/model.ts'
import type { SecretBox } from '../core/secret-box.ts'
import { parseSecret, publicKeyOf } from '../core/signing-secrets.ts'
import { checkText } from '../core/text.ts'
import { checkTopicPatterns } from '../core/topics.ts'
import type { ChangeOptions } from '../core/version.ts'
import { type Kinds, kinds } from '../destinations/kinds.ts'
import type { DestinationKind } from '../destinations/port.ts'
import type {
  ConfigStore,
  CredentialMissing,
  CredentialStore,
  EndpointPatch,
  NewEndpoint,
  Page,
  PageRequest,
  TenantStore,
} from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import { checkEndpointId, checkKeyType, checkMembers, checkUid } from './endpoint-checks.ts'
import { checkContentTypes } from './endpoint-content-types.ts'
import { checkEndpointCredentials, type EndpointCredentials } from './endpoint-credentials.ts'
import { changeMembers, type EndpointChange, type EndpointInput, inputMembers } from './endpoint-input.ts'
import { keepAddress, kindOf, readKindName, refuseMembers, refuseOtherKind } from './endpoint-kind.ts'
import { refuseCredential, refuseEndpoint } from './endpoint-refusal.ts'
import type { EndpointSecrets } from './endpoint-secrets.ts'
import { readEndpointSettings } from './endpoint-settings.ts'
import {
  type CreatedEndpoint,
  type EndpointView,
  type EndpointViewing,
  type UpsertedEndpoint,
  viewEndpoints,
} from './endpoint-view.ts'
import { ownSubscription, withDefaults } from './new-endpoint.ts'
import { checkPage, notFound, onlyPage } from './page.ts'
import { readFilter } from './subscriptions.ts'
import type { TenantUrls } from './tenant-urls.ts'

export interface EndpointsOptions extends Pick<EndpointViewing, 'retryPolicies' | 'serverBreaker'> {
  readonly store: ConfigStore & Pick<TenantStore, 'getTenant'> & Pick<CredentialStore, 'getCredential'>
  readonly ids: IdFactory
  readonly secrets: Pick<EndpointSecrets, 'make' | 'seal' | 'signsWith' | 'checkSchemes' | 'rotateSecret'>
  readonly secretBox: Pick<SecretBox, 'seal'>
  readonly urls: Pick<TenantUrls, 'check'>
  /** Default: all that there are. */
  readonly kinds?: Kinds | undefined
  readonly words: FaceWords
  /** The tenant's routing is no longer what it was, and deliveries may have to be cancelled, parked or sent. */
  readonly onChange: (tenantId: string, endpointId: string) => void
}

type Checked = Pick<Endpoint, 'tenantId' | 'id'> & { readonly kind: DestinationKind }

export class Endpoints {
  readonly #options: EndpointsOptions

  constructor(options: EndpointsOptions) {
    this.#options = options
  }

  /** Errors: url_rejected, unprocessable, conflict (the uid is taken). */
  async create(tenantId: string, input: EndpointInput): Promise<CreatedEndpoint> {
    checkMembers(input, inputMembers)
    const created = await this.#insert(tenantId, input)
    if ('endpointId' in created) {
      throw new OuthookError(
        'conflict',
        `uid "${input.uid}" belongs to ${created.endpointId}; update that one`,
      )
    }
    return created
  }

  /**
   * Creates the endpoint with this `uid`, or brings it to what is given; members that are absent stay.
   * Another `secret` than the newest one is a rotation with the default overlap.
   */
  async upsert(tenantId: string, input: EndpointInput & { readonly uid: string }): Promise<UpsertedEndpoint> {
    checkMembers(input, inputMembers)
    const uid = checkUid(input.uid)
    const known = await this.#options.store.getEndpointByUid(tenantId, uid)
    const created = known === null ? await this.#insert(tenantId, input) : { endpointId: known.id }
    if (!('endpointId' in created)) return { ...created, created: true }
    const { endpointId } = created
    const endpoint = await this.#change(tenantId, endpointId, input)
    await this.#bringSecret(endpoint, input.secret)
    return { endpoint, created: false, secret: null, publicKey: null }
  }

  /** Errors: not_found. */
  async get(
    tenantId: string,
    id: string,
    options: { readonly includeDeleted?: boolean } = {},
  ): Promise<EndpointView> {
    const endpoint = await this.#options.store.getEndpoint(tenantId, checkEndpointId(id), options)
    if (endpoint === null) throw notFound('endpoint')
    return this.#view(endpoint)
  }

  /** The live endpoint with this name of your own. Errors: not_found. */
  async getByUid(tenantId: string, uid: string): Promise<EndpointView> {
    const endpoint = await this.#options.store.getEndpointByUid(tenantId, checkUid(uid))
    if (endpoint === null) throw notFound('endpoint', 'uid')
    return this.#view(endpoint)
  }

  async list(
    tenantId: string,
    page: Partial<PageRequest> & { readonly includeDeleted?: boolean; readonly uid?: string } = {},
  ): Promise<Page<EndpointView>> {
    const request = checkPage(page)
    if (page.uid !== undefined) return this.#listByUid(tenantId, page.uid, request)
    const { includeDeleted = false } = page
    const found = await this.#options.store.listEndpoints(tenantId, { ...request, includeDeleted })
    return { ...found, items: await viewEndpoints(this.#options, found.items) }
  }

  /** Absent members stay. Errors: not_found, version_conflict and those of `create`. */
  async update(
    tenantId: string,
    id: string,
    change: EndpointChange,
    options?: ChangeOptions,
  ): Promise<EndpointView> {
    checkMembers(change, changeMembers)
    return this.#change(tenantId, checkEndpointId(id), change, options)
  }

  /** Its subscriptions go with it, and its waiting deliveries are cancelled. Errors: not_found, version_conflict. */
  async delete(tenantId: string, id: string, options?: ChangeOptions): Promise<void> {
    const deletion = this.#options.store.deleteEndpoint(tenantId, checkEndpointId(id), options)
    if (!(await this.#write(tenantId, id, deletion))) throw notFound('endpoint')
  }

  async #insert(
    tenantId: string,
    input: EndpointInput,
  ): Promise<CreatedEndpoint | { readonly endpointId: string }> {
    const { store, ids, secrets, words } = this.#options
    const kindName = readKindName(input.kind, this.#kinds)
    const kind = kindOf({ kind: kindName }, this.#kinds)
    refuseMembers(input, kind, words)
    checkKeyType(input, words)
    const id = ids.next('ep')
    const settings = await this.#check({ tenantId, id, kind }, input)
    const { url } = settings
    if (url === undefined) {
      throw new OuthookError('unprocessable', 'give url: where requests go; or urls, for a pool')
    }
    await checkContentTypes(settings, { ...this.#options, tenantId, id: null })
    const isSigned = kind.takes.includes('secret')
    const signingSchemes = settings.signingSchemes ?? (isSigned ? ['standard'] : ['none'])
    await this.#checkCredentials(tenantId, { ...settings, url })
    const secret = isSigned ? secrets.make(input, signingSchemes) : null
    const newEndpoint: NewEndpoint = {
      endpoint: withDefaults({ ...settings, url, signingSchemes }, { id, tenantId, kindName, kind }),
      secret: secret === null ? null : secrets.seal(secret, id),
      subscription:
        input.topics === undefined
          ? null
          : ownSubscription({ id: ids.next('sub'), tenantId, endpointId: id }, input),
    }
    const result = await this.#write(tenantId, id, store.insertEndpoint(newEndpoint))
    if (result.kind === 'uid_exists') return result
    if (result.kind === 'credential_missing') throw this.#refuseCredential(result)
    if (result.kind !== 'inserted') throw refuseEndpoint(result)
    const endpoint = await this.#view(result.endpoint)
    return secret === null
      ? { endpoint, secret: '', publicKey: null }
      : { endpoint, secret, publicKey: publicKeyOf(secret) }
  }

  async #change(
    tenantId: string,
    id: string,
    change: EndpointChange,
    options?: ChangeOptions,
  ): Promise<EndpointView> {
    const { store, ids } = this.#options
    const before = await store.getEndpoint(tenantId, id)
    if (before === null) throw notFound('endpoint')
    refuseOtherKind(before, change.kind)
    const kind = kindOf(before, this.#kinds)
    const checked = await this.#check({ tenantId, id, kind }, change)
    await checkContentTypes(checked, { ...this.#options, tenantId, id })
    if (checked.signingSchemes !== undefined) {
      await this.#options.secrets.checkSchemes(tenantId, id, checked.signingSchemes)
    }
    const { url, credentialId, clientCertificateId } = checked
    if (url !== undefined || (credentialId ?? clientCertificateId ?? null) !== null) {
      await this.#checkCredentials(tenantId, { ...before, ...checked })
    }
    const patch: EndpointPatch = {
      ...checked,
      ...(await this.#enabling(tenantId, id, change.enabled)),
      ...(change.topics !== undefined && {
        ownSubscription: {
          id: ids.next('sub'),
          topicPatterns: checkTopicPatterns(change.topics, 'topics'),
          ...(change.filter !== undefined && { filter: readFilter(change.filter) }),
          // Named together with the endpoint's, it is the endpoint's.
          ...(change.retryPolicy !== undefined && { retryPolicy: null }),
        },
      }),
    }
    const result = await this.#write(tenantId, id, store.updateEndpoint(tenantId, id, patch, options))
    if (result === null) throw notFound('endpoint')
    if (result.kind === 'credential_missing') throw this.#refuseCredential(result)
    if (result.kind === 'uid_exists') {
      throw new OuthookError(
        'conflict',
        `uid "${change.uid}" belongs to ${result.endpointId}; choose another`,
      )
    }
    return this.#view(result.endpoint)
  }

  #checkCredentials(tenantId: string, endpoint: EndpointCredentials): Promise<void> {
    return checkEndpointCredentials(endpoint, { ...this.#options, tenantId })
  }

  #refuseCredential(missing: CredentialMissing): OuthookError {
    return refuseCredential(missing, this.#options.words.member('credential_id'))
  }

  /** What is paused by hand is enabled, and is resumed by nothing else than that it is asked for. */
  async #enabling(tenantId: string, id: string, enabled: boolean | undefined): Promise<EndpointPatch> {
    if (enabled !== true) return enabled === undefined ? {} : { disabledReason: 'operator' }
    const before = await this.#options.store.getEndpoint(tenantId, id)
    return before?.disabledReason === 'paused' ? {} : { disabledReason: null }
  }

  #write<T>(tenantId: string, endpointId: string, write: Promise<T>): Promise<T> {
    return announceAfter(write, () => this.#options.onChange(tenantId, endpointId))
  }

  get #kinds(): Kinds {
    return this.#options.kinds ?? kinds
  }

  #check({ tenantId, id, kind }: Checked, input: EndpointChange): Promise<EndpointPatch> {
    const { urls, words, retryPolicies, secretBox } = this.#options
    const readUrl = async (url: string) => {
      // A URL takes halves of surrogate pairs for U+FFFD, and drops line ends and tabs.
      checkText(url, 'url')
      const address = await kind.readAddress(url, (text) => urls.check(tenantId, text))
      return keepAddress(address, { endpointId: id, secretBox })
    }
    return readEndpointSettings(input, { words, retryPolicies, kind, readUrl })
  }

  /** Another secret than the newest one is a rotation. */
  async #bringSecret(
    { tenantId, id, signingSchemes }: Pick<Endpoint, 'tenantId' | 'id' | 'signingSchemes'>,
    secret: string | undefined,
  ): Promise<void> {
    if (secret === undefined) return
    const { secrets } = this.#options
    if (await secrets.signsWith(tenantId, id, parseSecret(secret, signingSchemes))) return
    await secrets.rotateSecret(tenantId, id, { secret })
  }

  async #view(endpoint: Endpoint): Promise<EndpointView> {
    const [view] = await viewEndpoints(this.#options, [endpoint])
    return view as EndpointView
  }

  /** A page like the others, so that a filter is a filter: a name that nobody has is no error. */
  async #listByUid(tenantId: string, uid: string, page: PageRequest): Promise<Page<EndpointView>> {
    const found = await this.#options.store.getEndpointByUid(tenantId, checkUid(uid, 'invalid_request'))
    return onlyPage(page, found && (await this.#view(found)))
  }
}
