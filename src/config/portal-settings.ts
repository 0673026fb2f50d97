/** Settings of the portal, where the people of a tenant see to its webhooks. */
import { origins } from './origins.ts'
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
  portal: setting({
    name: 'portal',
    type: types.oneOf(['on', 'off']),
    default: 'on',
    description:
      'Whether the portal is served at `/portal/`. A process whose role is `dispatcher` never serves it.',
  }),
  portalFrameAncestors: setting({
    name: 'portal-frame-ancestors',
    type: origins,
    default: [],
    description:
      'Origins of pages that may put the portal into a frame, and that are told how high it is; `self` is that of the server. Without any, no page may.',
  }),
  portalName: setting({
    name: 'portal-name',
    type: types.text,
    default: null,
    defaultText: 'the name of the tenant',
    description: 'What stands at the top of the portal.',
  }),
  portalLogo: setting({
    name: 'portal-logo',
    type: types.text,
    default: null,
    defaultText: 'none',
    description:
      'File of a picture at the top of the portal: .svg, .png, .jpg or .webp, at most 256 KiB. It is read when the server starts.',
  }),
  portalAccent: setting({
    name: 'portal-accent',
    type: types.colour,
    default: null,
    defaultText: 'blue',
    description:
      'Colour of links and buttons of the portal. Where it could not be read it is made darker, or lighter, as far as it has to be.',
  }),
  portalMode: setting({
    name: 'portal-mode',
    type: types.oneOf(['auto', 'light', 'dark']),
    default: 'auto',
    description: 'Whether the portal is light or dark; `auto` is as the browser prefers it.',
  }),
  portalFont: setting({
    name: 'portal-font',
    type: types.oneOf(['system', 'sans', 'serif', 'rounded', 'mono']),
    default: 'system',
    description: 'Fonts of the portal, of those that are on the reader’s machine: none is loaded.',
  }),
}
