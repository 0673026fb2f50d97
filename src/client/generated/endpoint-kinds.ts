// Written from the list of kinds by "npm run docs:reference"; do not edit.

/** What an endpoint can be: the kinds of `destinations/kinds.ts`, with what people call one of each. */
export const endpointKinds = {
  http: 'an HTTP endpoint',
  discord: 'a Discord webhook',
  slack: 'an incoming webhook of Slack',
} as const
