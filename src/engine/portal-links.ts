/** Links to the portal, which a program makes for the people of one tenant. */
import { durationForms, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { IdFactory } from '../core/ids.ts'
import {
  defaultPortalLinkLifeMs,
  maxPortalLinkLifeMs,
  type PortalAbility,
  type PortalLink,
  portalAbilities,
} from '../core/portal.ts'
import type { Page, PageRequest, PortalLinkStore } from '../store/port.ts'
import { checkKeyName, checkMembers } from './key-input.ts'
import { hashKeyText, newPortalToken } from './key-text.ts'
import { checkId, checkPage, notFound } from './page.ts'
import type { Tenants } from './tenants.ts'

export interface PortalLinkInput {
  /** What whoever opens it may do. `view` is part of each; the default is nothing else. */
  readonly abilities?: readonly PortalAbility[]
  /** How long it is good, such as `'8h'` or milliseconds: an hour by default, 7 days at most. */
  readonly expiresIn?: number | string
  /** For whom it is, in your words, up to 100 characters. */
  readonly label?: string | null
  /** The address of the server as the reader's browser knows it. Default: the setting. */
  readonly publicUrl?: string
}

export interface CreatedPortalLink {
  readonly link: PortalLink
  /** Shown here once and never again, as is the URL. */
  readonly token: string
  /** What the reader opens. The token stands behind its `#`, which no browser sends to a server. */
  readonly url: string
}

const inputMembers = { abilities: true, expiresIn: true, label: true, publicUrl: true } satisfies Record<
  keyof PortalLinkInput,
  true
>

export interface PortalLinksOptions {
  readonly store: PortalLinkStore
  readonly ids: IdFactory
  readonly words: FaceWords
  readonly tenants: Pick<Tenants, 'get'>
  readonly randomBytes: (size: number) => Uint8Array
  /** Where the server is that browsers open; null: it is not said. */
  readonly publicUrl: string | null
}

export class PortalLinks {
  readonly #options: PortalLinksOptions

  constructor(options: PortalLinksOptions) {
    this.#options = options
  }

  /** Errors: not_found (the tenant), unprocessable, invalid_config (nothing says where the portal is). */
  async create(tenantId: string, input: PortalLinkInput = {}): Promise<CreatedPortalLink> {
    checkMembers(input, {
      known: inputMembers,
      example: "{ abilities: ['view', 'resend'], expiresIn: '1h' }",
    })
    const { store, ids, tenants, randomBytes } = this.#options
    const base = this.#baseOf(input)
    const checked = {
      abilities: checkAbilities(input.abilities),
      label: input.label === undefined || input.label === null ? null : checkKeyName(input.label, 'label'),
      lifeMs: this.#lifeOf(input),
    }
    const { state } = await tenants.get(tenantId)
    if (state !== 'active') throw notFound('tenant')
    const token = newPortalToken(randomBytes)
    const link = await store.insertPortalLink({
      id: ids.next('plk'),
      tenantId,
      hash: hashKeyText(token),
      ...checked,
    })
    return { link, token, url: `${base}/portal/#${token}` }
  }

  /** Newest first; those that have ended are there for a week more. Errors: not_found (the tenant). */
  async list(tenantId: string, page: Partial<PageRequest> = {}): Promise<Page<PortalLink>> {
    const request = checkPage(page)
    await this.#options.tenants.get(tenantId)
    return this.#options.store.listPortalLinks(tenantId, request)
  }

  /** Whoever has opened it can do nothing more. Can be called again. Errors: not_found. */
  async revoke(tenantId: string, id: string): Promise<void> {
    const checked = checkId(id, 'plk', 'portal link')
    if (!(await this.#options.store.revokePortalLink(tenantId, checked))) throw notFound('portal link')
  }

  #baseOf({ publicUrl }: PortalLinkInput): string {
    const base = publicUrl ?? this.#options.publicUrl
    if (base !== null && URL.canParse(base) && /^https?:/.test(base)) return base.replace(/\/+$/, '')
    throw new OuthookError(
      'invalid_config',
      `nothing says where the portal is; set ${this.#options.words.setting('public-url', 'https://hooks.example.com')}`,
    )
  }

  #lifeOf({ expiresIn = defaultPortalLinkLifeMs }: PortalLinkInput): number {
    const ms = parseDuration(expiresIn)
    if (ms !== null && ms > 0 && ms <= maxPortalLinkLifeMs) return ms
    throw new OuthookError(
      'unprocessable',
      `${this.#options.words.member('expires_in')} must be ${durationForms}, more than 0 and at most 7 days`,
    )
  }
}

function checkAbilities(given: unknown): readonly PortalAbility[] {
  if (given === undefined) return ['view']
  const list: readonly unknown[] = Array.isArray(given) ? given : []
  const known = portalAbilities.filter((ability) => list.includes(ability))
  if (known.length === 0 || known.length !== new Set(list).size) {
    throw new OuthookError(
      'unprocessable',
      `abilities must be a list of one or more of ${portalAbilities.join(', ')}`,
    )
  }
  return ['view', ...known.filter((ability) => ability !== 'view')]
}
