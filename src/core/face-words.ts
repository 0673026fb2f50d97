/**
 * The faces of Outhook call the same things by different names: what is `--allow-network` to whoever starts the server
 * is `allowNetworks` to a program. An error has to name what its reader can change.
 */
export interface FaceWords {
  /** A setting by its name in the table of settings, with the value that it should get; without one it is a switch. */
  setting(name: string, value?: string): string
  /** A member of an object by its name in JSON. */
  member(name: string): string
  /** Where a master key is given. */
  readonly masterKey: string
  /** Where the one of before is given, while it is exchanged. */
  readonly masterKeyOld: string
  /** What happened to somebody who publishes after the end, and what to do. */
  readonly stopped: string
}

export const serverWords: FaceWords = {
  setting: (name, value) => (value === undefined ? `--${name}` : `--${name} ${value}`),
  member: (name) => name,
  masterKey: 'as OUTHOOK_MASTER_KEY',
  masterKeyOld: 'as OUTHOOK_MASTER_KEY_OLD',
  stopped: 'the server is stopping; send the event again',
}

/** Settings that a program gives as lists. */
const lists: Readonly<Record<string, string>> = {
  'allow-host': 'allowHosts',
  'allow-network': 'allowNetworks',
  'allow-port': 'allowPorts',
  'deny-host': 'denyHosts',
  'deny-network': 'denyNetworks',
  outbox: 'outboxes',
}

export const libraryWords: FaceWords = {
  setting(name, value) {
    if (value === undefined) return `${camelCase(name)}: true`
    const list = lists[name]
    const isNumber = /^\d+$/.test(value)
    const shown = isNumber ? value : `'${value}'`
    return list === undefined ? `${camelCase(name)}: ${shown}` : `${list}: [${shown}]`
  },
  member: camelCase,
  masterKey: 'as the option masterKey, or as OUTHOOK_MASTER_KEY',
  masterKeyOld: 'as the option masterKeyOld, or as OUTHOOK_MASTER_KEY_OLD',
  stopped: 'this Outhook is closed; open another one',
}

function camelCase(name: string): string {
  return name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
