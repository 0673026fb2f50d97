/** What can be set of an event type, in words for people. */
import type { EventType } from '../../../client/index.ts'
import {
  asJsonOrNull,
  asText,
  asTextOrNull,
  asTick,
  type FormField,
  showJson,
} from '../../kit/form-fields.ts'

type Field = FormField<EventType>

export const modes = [
  ['off', 'off: payloads are not looked at'],
  ['warn', 'warn: accepted, and the answer says so'],
  ['enforce', 'enforce: refused with 422'],
] as const

const name: Field = {
  name: 'name',
  member: 'name',
  label: 'Name',
  hint: 'The topic, such as orders.created.',
  control: { kind: 'text', isRequired: true, placeholder: 'orders.created' },
  read: (of) => of?.name ?? '',
  parse: asText,
}

export const eventTypeFields: readonly Field[] = [
  {
    name: 'description',
    member: 'description',
    label: 'Description',
    hint: 'For the developers of those who receive it.',
    control: { kind: 'lines', rows: 4 },
    read: (of) => of?.description ?? '',
    parse: asText,
  },
  {
    name: 'group',
    member: 'group',
    label: 'Group',
    hint: 'What it is listed under; empty: nothing.',
    read: (of) => of?.group ?? '',
    parse: asTextOrNull,
  },
  {
    name: 'schema',
    member: 'schema',
    label: 'JSON Schema of the payload',
    hint: 'Draft 2020-12. Empty: the payload may be anything.',
    control: { kind: 'lines', rows: 12, placeholder: '{"type": "object", "required": ["id"]}' },
    read: (of) => showJson(of?.schema),
    parse: asJsonOrNull('schema'),
  },
  {
    name: 'example',
    member: 'example',
    label: 'Example',
    hint: 'JSON: a payload as the schema says. Empty: there is none.',
    control: { kind: 'lines', rows: 6, placeholder: '{"id": "o_1"}' },
    read: (of) => showJson(of?.example),
    parse: asJsonOrNull('example'),
  },
  {
    name: 'mode',
    member: 'mode',
    label: 'Payloads that are not as the schema says',
    control: { kind: 'choice', options: modes },
    read: (of) => of?.mode ?? 'off',
    parse: asText,
  },
  {
    name: 'deprecated',
    member: 'deprecated',
    label: 'Deprecated',
    hint: 'It is published as before; people are told not to rely on it.',
    control: { kind: 'tick' },
    read: (of) => String(of?.deprecated ?? false),
    parse: asTick,
  },
]

export const newEventTypeFields: readonly Field[] = [name, ...eventTypeFields]
