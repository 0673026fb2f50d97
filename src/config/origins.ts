import type { ValueType } from './value-types.ts'

/** A host with or without a port, or all hosts below one. */
const origin =
  /^https?:\/\/(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?::\d{1,5})?$/

/** As a policy of content security names them; none of its own words but `self` gets in. */
export const origins: ValueType<readonly string[]> = {
  allowed: 'origins such as https://app.example.com or https://*.example.com, without a path, or "self"',
  placeholder: 'origin',
  repeats: true,
  parse(raw) {
    const items = typeof raw === 'string' ? raw.split(',') : raw
    if (!Array.isArray(items)) return null
    const read = items.map((item) => (typeof item === 'string' ? item.trim().toLowerCase() : ''))
    return read.every((item) => item === 'self' || origin.test(item)) ? [...new Set(read)] : null
  },
  format: (value) => value.join(','),
}
