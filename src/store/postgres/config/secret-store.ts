import { idPrefixes } from '../../../core/ids.ts'
import type { SealedSecret } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import type { MasterKeyStore, SecretStore } from '../../port.ts'
import { type SecretRow, toSecret } from '../../rows.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { beforeSkips, getEndpoint } from '../read/config.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { createMasterKeyStore } from '../upkeep/sealed.ts'
import { noteReveal, rotateSecret, secretColumns, setPrimarySecret } from './secrets.ts'

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
      isEndpoint(endpointId) &&
      atomic('config', (context) => setPrimarySecret(context, tenantId, endpointId, secretId)),
    noteReveal: async (tenantId, endpointId, secretId, by) =>
      isEndpoint(endpointId)
        ? atomic('config', (context) => noteReveal(context, tenantId, { endpointId, secretId, by }))
        : null,
  }
}

async function listSecrets(
  context: Context,
  tenantId: string,
  endpointId: string,
): Promise<readonly SealedSecret[] | null> {
  if ((await getEndpoint(context, tenantId, endpointId)) === null) return null
  const rows = await run(beforeSkips(context), listSecretsStatement, { endpoint: uuidOfId(endpointId) })
  return rows.map(toSecret)
}

const listSecretsStatement = query<SecretRow>()(
  'list_secrets',
  { endpoint: 'uuid' },
  // endpoint_secrets_endpoint
  `select ${secretColumns} from endpoint_secrets
     where endpoint_id = $endpoint and (expires_at is null or expires_at > ${now})
     order by expires_at is null desc, created_at desc, id desc`,
)
