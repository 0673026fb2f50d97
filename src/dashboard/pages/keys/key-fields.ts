/** What can be set of producer keys and admin tokens, in words for people. */
import type { AdminToken, Key } from '../../../client/index.ts'
import {
  asList,
  asNumberOrNull,
  asText,
  asTextOrNull,
  type FormField,
  showNumber,
} from '../../kit/form-fields.ts'

export const keyFields: readonly FormField<Key>[] = [
  {
    name: 'name',
    member: 'name',
    label: 'Whose key it is',
    control: { kind: 'text', isRequired: true },
    read: (of) => of?.name ?? '',
    parse: asText,
  },
  {
    name: 'scopes',
    member: 'scopes',
    label: 'Topics that it may publish',
    hint: 'Patterns, one on each line; * is all.',
    control: { kind: 'lines', rows: 2 },
    read: (of) => of?.scopes.join('\n') ?? '*',
    parse: asList,
  },
  {
    name: 'abilities',
    member: 'abilities',
    label: 'What it may',
    hint: 'publish (events, and read its own), read (all events of the tenant), send (to URLs and endpoints that it names); with commas between them.',
    read: (of) => of?.abilities.join(', ') ?? 'publish',
    parse: asList,
  },
  {
    name: 'rate_limit_rps',
    member: 'rateLimitRps',
    label: 'Events a second',
    hint: 'Empty: as the server is set.',
    control: { kind: 'number' },
    read: (of) => showNumber(of?.rateLimitRps),
    parse: asNumberOrNull('rate_limit_rps'),
  },
]

/** Of a new one alone. */
const expiry = {
  name: 'expires_in',
  member: 'expiresIn',
  label: 'It is taken for',
  hint: 'Such as 90d; empty: until it is revoked.',
  read: () => '',
  parse: asText,
}

export const newKeyFields: readonly FormField<Key>[] = [...keyFields, expiry]

export const newTokenFields: readonly FormField<AdminToken>[] = [
  {
    name: 'label',
    member: 'label',
    label: 'Whose token it is',
    control: { kind: 'text', isRequired: true },
    read: () => '',
    parse: asText,
  },
  {
    name: 'role',
    member: 'role',
    label: 'Role',
    control: {
      kind: 'choice',
      options: [
        ['viewer', 'viewer: reads'],
        ['operator', 'operator: also publishes and repairs'],
        ['admin', 'admin: also changes what is set up'],
      ],
    },
    read: () => '',
    parse: asText,
  },
  {
    name: 'tenant_id',
    member: 'tenantId',
    label: 'The only tenant that it is for',
    hint: 'Its id; empty: as the token that you signed in with.',
    read: () => '',
    parse: asTextOrNull,
  },
  expiry,
]
