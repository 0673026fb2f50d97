import { type Credential, secretHintOf } from '../core/credential.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { ChangeOptions } from '../core/version.ts'
import type {
  CredentialDeletion,
  CredentialNameConflict,
  CredentialPatch,
  CredentialStore,
  Page,
  PageRequest,
} from '../store/port.ts'
import { announceAfter } from './announce-after.ts'
import {
  type CredentialChange,
  type CredentialInput,
  checkActive,
  checkAuthorizedHosts,
  checkCredentialKind,
  checkCredentialName,
  credentialChangeMembers,
  credentialMembers,
  type ReadContent,
  readContent,
} from './credential-input.ts'
import { checkDescription } from './endpoint-checks.ts'
import { checkMembers } from './key-input.ts'
import { checkId, checkPage, notFound, onlyPage } from './page.ts'
import type { TenantUrls } from './tenant-urls.ts'

export interface CredentialsOptions {
  readonly store: CredentialStore
  readonly ids: IdFactory
  readonly secretBox: SecretBox
  readonly words: FaceWords
  readonly urls: Pick<TenantUrls, 'check'>
  /** The tenant's routing is no longer what it was. */
  readonly onChange: (tenantId: string) => void
}

const example = 'a credential is given as an object such as { name, kind, token }'

export class Credentials {
  readonly #options: CredentialsOptions

  constructor(options: CredentialsOptions) {
    this.#options = options
  }

  /** Its secret is sealed and never shown again. Errors: unprocessable, url_rejected (of a token URL), conflict (the name is taken). */
  async create(tenantId: string, input: CredentialInput): Promise<Credential> {
    checkMembers(input, { known: credentialMembers, example })
    const { store, ids, words } = this.#options
    const id = ids.next('crd')
    const kind = checkCredentialKind(input.kind)
    const content = await this.#checkTokenUrl(tenantId, readContent(kind, input, { isNew: true, words }))
    const credential = {
      id,
      tenantId,
      name: checkCredentialName(input.name),
      description: checkDescription(input.description ?? ''),
      kind,
      settings: content.settings,
      authorizedHosts: this.#hosts(input.authorizedHosts ?? null),
      secretHint: secretHintOf(kind, content.secrets ?? {}),
      active: input.active === undefined ? true : checkActive(input.active),
    }
    const sealed = this.#seal(id, content)
    const result = await this.#write(tenantId, store.insertCredential({ credential, sealed }))
    if (result.kind === 'name_exists') throw nameTaken(result, credential.name)
    if (result.kind === 'inserted') return result.credential
    throw new OuthookError('not_found', 'the tenant was deleted and takes no more credentials', {
      title: 'tenant not found',
    })
  }

  /** Without its secret. Errors: not_found. */
  async get(tenantId: string, id: string): Promise<Credential> {
    const credential = await this.#options.store.getCredential(tenantId, readId(id))
    if (credential === null) throw notFound('credential')
    return credential
  }

  /** Errors: not_found. */
  async getByName(tenantId: string, name: string): Promise<Credential> {
    const credential = await this.#options.store.getCredentialByName(tenantId, checkCredentialName(name))
    if (credential === null) throw notFound('credential', 'name')
    return credential
  }

  /** Newest first; with `name` the one that has it, or none. */
  async list(
    tenantId: string,
    page: Partial<PageRequest> & { readonly name?: string } = {},
  ): Promise<Page<Credential>> {
    const request = checkPage(page)
    const { store } = this.#options
    if (page.name === undefined) return store.listCredentials(tenantId, request)
    const name = checkCredentialName(page.name, 'invalid_request')
    return onlyPage(request, await store.getCredentialByName(tenantId, name), 'name')
  }

  /**
   * Absent members stay; its kind does too. What is sent after this, retries included, authenticates with what it is now.
   * Errors: not_found, version_conflict and those of `create`.
   */
  async update(
    tenantId: string,
    id: string,
    change: CredentialChange,
    options?: ChangeOptions,
  ): Promise<Credential> {
    checkMembers(change, { known: credentialChangeMembers, example })
    const { store, words } = this.#options
    const { name, description, active, authorizedHosts, ...given } = change
    const before = await this.get(tenantId, id)
    const read = readContent(before.kind, given, { isNew: false, words })
    const content = await this.#checkTokenUrl(tenantId, read)
    const hasContent = Object.values(given).some((value) => value !== undefined)
    const patch: CredentialPatch = {
      ...(name !== undefined && { name: checkCredentialName(name) }),
      ...(description !== undefined && { description: checkDescription(description) }),
      ...(active !== undefined && { active: checkActive(active) }),
      ...(authorizedHosts !== undefined && { authorizedHosts: this.#hosts(authorizedHosts) }),
      ...(hasContent && { settings: content.settings }),
      ...(content.secrets !== null && {
        sealed: this.#seal(before.id, content),
        secretHint: secretHintOf(before.kind, content.secrets),
      }),
    }
    const result = await this.#write(tenantId, store.updateCredential(tenantId, id, patch, options))
    if (result === null) throw notFound('credential')
    if (result.kind === 'name_exists') throw nameTaken(result, name ?? '')
    return result.credential
  }

  /** Errors: not_found, version_conflict, conflict (endpoints use it). */
  async delete(tenantId: string, id: string, options?: ChangeOptions): Promise<void> {
    const deletion = this.#options.store.deleteCredential(tenantId, readId(id), options)
    const result = await this.#write(tenantId, deletion)
    if (result.kind === 'not_found') throw notFound('credential')
    if (result.kind === 'in_use') throw this.#inUse(result)
  }

  #hosts(hosts: unknown): readonly string[] | null {
    return checkAuthorizedHosts(hosts, this.#options.words.member('authorized_hosts'))
  }

  /** The same guard holds when a token is fetched, for a name may resolve to something else by then. */
  async #checkTokenUrl(tenantId: string, content: ReadContent): Promise<ReadContent> {
    const { tokenUrl } = content.settings
    if (tokenUrl === undefined) return content
    const { href } = await this.#options.urls.check(tenantId, tokenUrl)
    return { ...content, settings: { ...content.settings, tokenUrl: href } }
  }

  #inUse({ endpointIds, count }: Extract<CredentialDeletion, { kind: 'in_use' }>): OuthookError {
    const more = count > endpointIds.length ? ` and ${count - endpointIds.length} more` : ''
    const member = this.#options.words.member('credential_id')
    return new OuthookError(
      'conflict',
      `endpoints use it: ${endpointIds.join(', ')}${more}; give them another ${member} or none first`,
      { title: 'credential in use' },
    )
  }

  #seal(id: string, { secrets }: ReadContent): Uint8Array {
    return this.#options.secretBox.seal(JSON.stringify(secrets ?? {}), id)
  }

  #write<T>(tenantId: string, write: Promise<T>): Promise<T> {
    return announceAfter(write, () => this.#options.onChange(tenantId))
  }
}

function readId(id: string): string {
  return checkId(id, 'crd', 'credential')
}

function nameTaken({ credentialId }: CredentialNameConflict, name: string): OuthookError {
  return new OuthookError(
    'conflict',
    `the name "${name}" belongs to ${credentialId}; choose another, or change that one`,
  )
}
