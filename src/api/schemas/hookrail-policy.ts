/** Hookrail's two members of a subscription. They are read by the engine, so this documents and validates nothing. */
export const hookrailMaxAttemptsDocument = {
  title: 'HookrailMaxAttempts',
  type: ['integer', 'null'],
  minimum: 0,
  maximum: 100,
  description: 'instead of `retry_policy`, 0 for 8: what clients of the webhook server Hookrail send',
}

const milliseconds = { type: 'integer', minimum: 1, maximum: 604_800_000 }

export const hookrailBackoffDocument = {
  title: 'HookrailBackoff',
  type: ['object', 'null'],
  additionalProperties: false,
  required: ['base_ms', 'cap_ms'],
  properties: { base_ms: milliseconds, cap_ms: { ...milliseconds, description: 'not less than `base_ms`' } },
  description: 'instead of `retry_policy`: what clients of the webhook server Hookrail send',
}
