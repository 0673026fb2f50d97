/** Who is acting: for whom the writes of now are made, so that the audit log can say so. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Actor, ActorKind } from '../core/audit.ts'
import type { Principal } from './principal.ts'

export interface ActingOptions {
  /** Who acts where nobody is named: whoever has opened the store. Default: the server. */
  readonly actor?: Extract<ActorKind, 'library' | 'command_line' | 'system'>
}

/** Only what changes something is run under a name. Publishing and delivering are not, so they cost what they do without. */
export class Acting {
  readonly #actors = new AsyncLocalStorage<Actor>()
  readonly #otherwise: Actor

  constructor({ actor = 'system' }: ActingOptions) {
    this.#otherwise = { kind: actor, id: null }
  }

  /** What the call does, and all that it waits for, is the actor's. */
  as<T>(actor: Actor, call: () => T): T {
    return this.#actors.run(actor, call)
  }

  current = (): Actor => this.#actors.getStore() ?? this.#otherwise
}

/** @param isSignedIn a browser has presented what it was signed in with */
export function actorOf({ kind, keyId }: Principal, isSignedIn: boolean): Actor {
  switch (kind) {
    case 'admin':
      return { kind: isSignedIn ? 'sign_in' : 'admin_token', id: keyId }
    case 'portal':
      return { kind: 'portal_link', id: keyId }
    case 'producer':
      return { kind: 'producer_key', id: keyId }
  }
}
