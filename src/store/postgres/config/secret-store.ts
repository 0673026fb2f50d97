import { idPrefixes } from '../../../core/ids.ts'
import { bytesOfId } from '../../cursors.ts'
import type { MasterKeyStore, SecretStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { createMasterKeyStore } from '../upkeep/sealed.ts'
import { listSecrets, noteReveal, rotateSecret, setPrimarySecret } from './secrets.ts'

export function createSecretStore(runner: Runner): SecretStore & MasterKeyStore {
  const { plain, atomic } = runner
  const isEndpoint = (id: string) => bytesOfId(idPrefixes.endpoint, id) !== null
  return {
    ...createMasterKeyStore(runner),
    listSecrets: (tenantId, endpointId) =>
      plain('read', (context) => listSecrets(context, tenantId, endpointId)),
    rotateSecret: async (tenantId, endpointId, secret, graceMs) =>
      isEndpoint(endpointId) &&
      atomic('config', (context) => rotateSecret(context, tenantId, endpointId, { secret, graceMs })),
    setPrimarySecret: async (tenantId, endpointId, secretId) =>
      isEndpoint(endpointId)
        ? atomic('config', (context) => setPrimarySecret(context, tenantId, endpointId, secretId))
        : { kind: 'not_found' },
    noteReveal: async (tenantId, endpointId, secretId, by) =>
      isEndpoint(endpointId)
        ? atomic('config', (context) => noteReveal(context, tenantId, { endpointId, secretId, by }))
        : null,
  }
}
