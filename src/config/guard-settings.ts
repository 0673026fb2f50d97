/** Settings of the address guard: where requests may go. What denies wins over what allows. */
import { setting } from './setting.ts'
import * as types from './value-types.ts'

export const guardSettings = {
  allowHttp: setting({
    name: 'allow-http',
    type: types.flag,
    default: false,
    description: 'Allows endpoints with `http://` URLs. Without it only `https://` is accepted.',
  }),
  allowNetworks: setting({
    name: 'allow-network',
    type: types.networks,
    default: [],
    description: 'Private or otherwise refused address ranges that endpoints may lie in.',
  }),
  allowHosts: setting({
    name: 'allow-host',
    type: types.hosts,
    default: [],
    description:
      'Hosts that endpoints may have whatever range their addresses are of, such as `hooks.internal`, with all names below them. Allow a network instead where you can: of a name, whoever answers for it decides where it leads.',
  }),
  allowPorts: setting({
    name: 'allow-port',
    type: types.ports,
    default: [],
    description:
      'Ports that endpoints may have although they are those of mail, databases and the like (22, 6379).',
  }),
  denyNetworks: setting({
    name: 'deny-network',
    type: types.networks,
    default: [],
    description:
      'Address ranges that no request goes to, public ones too. Wins over `allow-network` and `allow-host`.',
  }),
  denyHosts: setting({
    name: 'deny-host',
    type: types.hosts,
    default: [],
    description:
      'Hosts that no request goes to, with all names below them. Wins over everything that is allowed.',
  }),
  outboundProxy: setting({
    name: 'outbound-proxy',
    type: types.text,
    default: null,
    defaultText: 'none: requests go straight to their receivers',
    description:
      'Proxy that all requests go through, alerts too: `http://`, `https://` or `socks5://`, with `user:password@` where it asks for one. Names are looked up here, and the proxy is told the address that was checked.',
    secret: true,
  }),
} as const
