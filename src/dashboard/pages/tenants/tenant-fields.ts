/** What can be set of a tenant, in words for people. Members of its settings have their names with `settings.` before them. */
import type { Tenant } from '../../../client/index.ts'
import {
  asList,
  asNumberOrNull,
  asPairs,
  asText,
  asTextOrNull,
  asWordOrJson,
  type FormField,
  showNumber,
  showPairs,
  showWordOrJson,
} from '../../kit/form-fields.ts'

type Field = FormField<Tenant>
type Settings = Tenant['settings']

export const tenantFields: readonly Field[] = [
  {
    name: 'name',
    member: 'name',
    label: 'Name',
    hint: 'For people.',
    read: (of) => of?.name ?? '',
    parse: asText,
  },
  {
    name: 'uid',
    member: 'uid',
    label: 'Your name for it (uid)',
    hint: 'Unique; programs can find it by this.',
    read: (of) => of?.uid ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'metadata',
    member: 'metadata',
    label: 'Metadata',
    hint: '"Name: value" on each line, of your own.',
    control: { kind: 'lines', rows: 3 },
    read: (of) => showPairs(of?.metadata ?? {}),
    parse: asPairs('metadata'),
  },
]

function duration(name: string, member: keyof Settings, label: string, hint = ''): Field {
  return {
    name,
    member,
    label,
    hint: hint === '' ? 'Such as 30d; 0: for ever; empty: as the server has it.' : hint,
    isFurther: true,
    read: (of) => (of?.settings[member] as string | null | undefined) ?? '',
    parse: asTextOrNull,
  }
}

function count(name: string, member: keyof Settings, label: string, hint: string): Field {
  return {
    name,
    member,
    label,
    hint,
    isFurther: true,
    control: { kind: 'number' },
    read: (of) => showNumber(of?.settings[member] as number | null | undefined),
    parse: asNumberOrNull(name),
  }
}

export const tenantSettingFields: readonly Field[] = [
  duration('retain_payloads', 'retainPayloads', 'Payloads are kept for'),
  duration('retain_attempts', 'retainAttempts', 'Attempts are kept for'),
  duration('retain_events', 'retainEvents', 'Finished deliveries and events are kept for'),
  duration('retain_dead_letters', 'retainDeadLetters', 'Dead letters can be replayed for'),
  count('ingest_rate', 'ingestRate', 'Events a second that it may publish', 'Empty: no limit.'),
  count('max_endpoints', 'maxEndpoints', 'Endpoints that it may have', 'Empty: no limit.'),
  count(
    'weight',
    'weight',
    'Weight',
    'Its part while several tenants wait: one with 3 gets thrice what one with 1 gets.',
  ),
  count(
    'breaker_threshold',
    'breakerThreshold',
    'Failures in a row that pause an endpoint',
    '0: never; empty: as the server has it.',
  ),
  duration('breaker_pause', 'breakerPause', 'The first pause', 'Empty: as the server has it.'),
  duration('breaker_max_pause', 'breakerMaxPause', 'The longest pause', 'Empty: as the server has it.'),
  duration(
    'disable_after',
    'disableAfter',
    'Disable an endpoint after failures alone for',
    '0: never; empty: as the server has it.',
  ),
  {
    name: 'retry_policy',
    member: 'retryPolicy',
    label: 'Retry policy',
    hint: 'The name of a profile such as standard, or JSON; empty: that of the server.',
    isFurther: true,
    control: { kind: 'lines', rows: 2 },
    read: (of) => showWordOrJson(of?.settings.retryPolicy),
    parse: asWordOrJson('retry_policy'),
  },
  {
    name: 'authorized_domains',
    member: 'authorizedDomains',
    label: 'Hosts that its requests may go to',
    hint: 'One on each line, each with all below it; empty: any.',
    isFurther: true,
    control: { kind: 'lines', rows: 3 },
    read: (of) => of?.settings.authorizedDomains.join('\n') ?? '',
    parse: asList,
  },
]
