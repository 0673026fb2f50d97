/** Prefix of every kind of id. */
export const idPrefixes = {
  event: 'evt',
  delivery: 'dlv',
  endpoint: 'ep',
  subscription: 'sub',
  tenant: 'ten',
  producerKey: 'key',
  adminToken: 'adm',
  credential: 'crd',
  secret: 'sec',
  job: 'job',
  portalLink: 'plk',
  auditLine: 'aud',
} as const
export type IdPrefix = (typeof idPrefixes)[keyof typeof idPrefixes]
