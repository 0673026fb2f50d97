import type {
  CredentialStore,
  EventTypeStore,
  KeyStore,
  PortalLinkStore,
  SignInStore,
  TokenStore,
} from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import * as keys from '../read/keys.ts'
import { createCredentialStore } from './credential-store.ts'
import { createEventTypeStore } from './event-type-store.ts'
import {
  insertApiKey,
  insertFirstApiKey,
  noteKeyUse,
  revokeApiKey,
  rotateApiKey,
  updateApiKey,
} from './keys.ts'
import { createPortalLinkStore } from './portal-links.ts'
import { createSignInStore } from './sign-ins.ts'

/** Keys of those who call, and what requests to receivers authenticate with. */
export function createKeyStore(
  runner: Runner,
): EventTypeStore & KeyStore & SignInStore & PortalLinkStore & CredentialStore & TokenStore {
  const { plain, atomic } = runner
  return {
    ...createCredentialStore(runner),
    ...createEventTypeStore(runner),
    ...createSignInStore(runner),
    ...createPortalLinkStore(runner),
    insertApiKey: (input, options) => atomic('config', (context) => insertApiKey(context, input, options)),
    insertFirstApiKey: (input) => atomic('config', (context) => insertFirstApiKey(context, input)),
    updateApiKey: (owner, id, patch, options) =>
      atomic('config', (context) => updateApiKey(context, owner, id, patch, options)),
    rotateApiKey: (owner, id, rotation) =>
      atomic('config', (context) => rotateApiKey(context, owner, id, rotation)),
    revokeApiKey: (owner, id, options) =>
      atomic('config', (context) => revokeApiKey(context, owner, id, options)),
    getApiKey: (owner, id) => plain('read', (context) => keys.getApiKey(context, owner, id)),
    listApiKeys: (owner, page) => plain('read', (context) => keys.listApiKeys(context, owner, page)),
    findApiKeys: (hashes) => plain('read', (context) => keys.findApiKeys(context, hashes)),
    noteKeyUse: (uses) => plain('config', (context) => noteKeyUse(context, uses)),
  }
}
