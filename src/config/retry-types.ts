/** Settings that are retry policies, or profiles of them. */
import { OuthookError } from '../core/errors.ts'
import type { StoredRetryPolicy } from '../core/model.ts'
import { parseRetryProfiles, type RetryProfiles } from '../core/retry-policies.ts'
import { parseRetryPolicy, renderRetryPolicy } from '../core/retry-policy-json.ts'
import type { ValueType } from './value-types.ts'

/** A name of an own profile is no less one; whether it is there is looked at when all settings are read. */
const nameForm = /^[a-z][a-z0-9_-]{0,63}$/

export const retryPolicy: ValueType<StoredRetryPolicy> = {
  allowed: 'the name of a profile, or a policy as a JSON object such as {"delays":["1m","1h"]}',
  placeholder: 'policy',
  parse: (raw) => orNull(() => readPolicy(raw)),
  explain: (raw) => problemOf(() => readPolicy(raw)),
  format: (value) => (typeof value === 'string' ? value : JSON.stringify(renderRetryPolicy(value))),
}

export const retryProfiles: ValueType<RetryProfiles> = {
  allowed: 'a JSON object of policies by name, such as {"gentle":{"delays":["1m","1h"]}}',
  placeholder: 'json',
  parse: (raw) => orNull(() => parseRetryProfiles(toJson(raw))),
  explain: (raw) => problemOf(() => parseRetryProfiles(toJson(raw))),
  format: (value) =>
    Object.keys(value).length === 0
      ? ''
      : JSON.stringify(
          Object.fromEntries(
            Object.entries(value).map(([name, policy]) => [name, renderRetryPolicy(policy)]),
          ),
        ),
}

function readPolicy(raw: unknown): StoredRetryPolicy {
  const given = typeof raw === 'string' && raw.trimStart().startsWith('{') ? toJson(raw) : raw
  if (typeof given === 'string' && nameForm.test(given)) return given
  return parseRetryPolicy(given, 'the policy')
}

/** Flags and variables are text. */
function toJson(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  try {
    return JSON.parse(raw)
  } catch (error) {
    throw new OuthookError('unprocessable', `this is not JSON (${(error as Error).message})`)
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function problemOf(read: () => unknown): string | null {
  try {
    read()
    return null
  } catch (error) {
    return error instanceof OuthookError ? error.message : null
  }
}
