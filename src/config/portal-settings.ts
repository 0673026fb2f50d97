/** Settings of the portal, where the people of a tenant see to its webhooks. */
import { setting } from './setting.ts'
import * as types from './value-types.ts'

export const portalSettings = {
  publicUrl: setting({
    name: 'public-url',
    type: types.webUrl,
    default: null,
    defaultText: 'the host that a request is sent to',
    description:
      'Where browsers reach this server, with the path prefix that a proxy takes away, if there is one. Links to the portal begin with it.',
  }),
}
