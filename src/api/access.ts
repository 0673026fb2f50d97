/** Who may use the routes of a scope, checked on each request and said in the OpenAPI document. */
import type { Access, Authenticator } from './auth.ts'
import type { Api } from './context.ts'

const schemes = {
  producer: [{ producerKey: [] }, { adminToken: [] }],
  admin: [{ adminToken: [] }],
} as const satisfies Record<Access, readonly object[]>

/** For the routes that are registered on `app` afterwards. */
export function requireAccess(app: Api, auth: Authenticator, access: Access): void {
  app.addHook('onRequest', auth.require(access))
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, security: schemes[access], 'x-access': access } as NonNullable<
      typeof route.schema
    >
  })
}
