import { idToBytes } from '../../../core/ids.ts'
import type { SealedSecret } from '../../../core/model.ts'
import { agedNow } from '../../../core/time-line.ts'
import { type SecretRow, toSecret } from '../../rows.ts'
import { getEndpoint } from './config.ts'
import type { ReadContext } from './context.ts'

export function listSecrets(
  context: ReadContext,
  tenantId: string,
  endpointId: string,
): readonly SealedSecret[] | null {
  const endpoint = getEndpoint(context, tenantId, endpointId)
  if (endpoint === null) return null
  return context
    .prepare<SecretRow>(
      // endpoint_secrets_endpoint
      `select * from endpoint_secrets where endpoint_id = ? and (expires_at is null or expires_at > ?)
       order by expires_at is null desc, created_at desc, id desc`,
    )
    .all(idToBytes(endpointId), agedNow(context.line, 0, context.now))
    .map(toSecret)
}
