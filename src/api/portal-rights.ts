/**
 * What a link to the portal may do within a route that takes it. Answers are gone through member by member, by their
 * names, so that no route can forget to leave out what the link may not see.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import type { PortalAbility } from '../core/portal.ts'
import { accessOf } from './route-access.ts'

/** Of a route whose answer is made of nothing that others have published. */
export const ownContents = { ownContents: true } as const

/** What tenants’ own people may say of an endpoint. The rest, such as limits and credentials, is its operator's. */
const endpointMembers = new Set([
  'kind',
  'settings',
  'url',
  'description',
  'headers',
  'topics',
  'filter',
  'enabled',
  'key_type',
])

/** Throws `forbidden`, which names the member. */
export function checkEndpointMembers({ principal }: FastifyRequest, body: object): void {
  if (principal?.kind !== 'portal') return
  const other = Object.keys(body).find((name) => !endpointMembers.has(name))
  if (other === undefined) return
  throw new OuthookError(
    'forbidden',
    `a link to the portal cannot set ${other} of an endpoint; what it can set is ${[...endpointMembers].join(', ')}`,
    { title: 'not permitted' },
  )
}

/** Of an answer that is no JSON, whose route sees to it by itself. */
export function seesContents({ principal }: FastifyRequest): boolean {
  return principal?.kind !== 'portal' || principal.abilities.includes('see_payloads')
}

/** Before the routes are registered. */
export function hideFromLinks(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const access = accessOf(String(route.method), route.url)
    if (access === null || access === 'open' || access.portal === undefined) return
    const showsContents = route.config !== undefined && 'ownContents' in route.config
    const hide = async ({ principal }: FastifyRequest, _reply: unknown, payload: unknown) => {
      if (principal?.kind !== 'portal') return payload
      const may = (ability: PortalAbility) => principal.abilities.includes(ability)
      const hidden = { contents: !showsContents && !may('see_payloads'), secrets: !may('reveal_secret') }
      return hidden.contents || hidden.secrets ? without(payload, hidden) : payload
    }
    route.preSerialization = [...[route.preSerialization ?? []].flat(), hide]
  })
}

interface Hidden {
  readonly contents: boolean
  readonly secrets: boolean
}

function without(value: unknown, hidden: Hidden): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, hidden))
  if (typeof value !== 'object' || value === null) return value
  const members = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, member]) => {
      if (hidden.secrets && name === 'secret') return [[name, '']]
      if (hidden.contents && name in contents) return contents[name]?.(members) ?? []
      return [[name, without(member, hidden)]]
    }),
  )
}

/** Members that have in them, or are made of, what was published or answered; none: they are left out. */
const contents: Readonly<
  Record<string, (of: Readonly<Record<string, unknown>>) => readonly [string, unknown][]>
> = {
  payload: () => [],
  response: () => [],
  metadata: () => [['metadata', {}]],
  request: () => [['request', null]],
  // Its headers have the metadata.
  rebuilt_request: () => [],
  // Of an answer it repeats the beginning.
  error: (of) => [['error', errorOf(of.error, of.http_status)]],
  last_error: (of) => [['last_error', errorOf(of.last_error, of.last_http_status)]],
}

export function errorOf(error: unknown, status: unknown): unknown {
  return typeof error === 'string' && typeof status === 'number' ? `HTTP ${status}` : error
}
