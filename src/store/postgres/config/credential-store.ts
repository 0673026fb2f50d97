import { idPrefixes } from '../../../core/ids.ts'
import { bytesOfId } from '../../cursors.ts'
import type { CredentialStore, TokenStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import * as read from '../read/credentials.ts'
import { failToken, keepToken, takeTokenTurn } from './credential-tokens.ts'
import { deleteCredential, insertCredential, noteCredentialUse, updateCredential } from './credentials.ts'
import { createExpiryNoticeStore } from './expiry-notices.ts'

export function createCredentialStore(runner: Runner): CredentialStore & TokenStore {
  const { plain, atomic } = runner
  return {
    ...createExpiryNoticeStore(runner),
    insertCredential: (input) => atomic('config', (context) => insertCredential(context, input)),
    updateCredential: async (tenantId, id, patch, options) =>
      isId(id)
        ? atomic('config', (context) => updateCredential(context, tenantId, id, patch, options))
        : null,
    deleteCredential: async (tenantId, id, options) =>
      isId(id)
        ? atomic('config', (context) => deleteCredential(context, tenantId, id, options))
        : { kind: 'not_found' },
    getCredential: (tenantId, id) => plain('read', (context) => read.getCredential(context, tenantId, id)),
    getCredentialByName: (tenantId, name) =>
      plain('read', (context) => read.getCredentialByName(context, tenantId, name)),
    listCredentials: (tenantId, page) =>
      plain('read', (context) => read.listCredentials(context, tenantId, page)),
    takeTokenTurn: (credentialId, ask) =>
      atomic('config', (context) => takeTokenTurn(context, credentialId, ask)),
    keepToken: (credentialId, holder, token) =>
      plain('config', (context) => keepToken(context, credentialId, holder, token)),
    failToken: (credentialId, holder, failure) =>
      plain('config', (context) => failToken(context, credentialId, holder, failure)),
    noteCredentialUse: (uses) => plain('config', (context) => noteCredentialUse(context, uses)),
  }
}

function isId(id: string): boolean {
  return bytesOfId(idPrefixes.credential, id) !== null
}
