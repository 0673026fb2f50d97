import { idToBytes } from '../../../core/ids.ts'
import type { NewSecret } from '../../port.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function insertSecret(context: WriteContext, endpointId: string, secret: NewSecret): void {
  context
    .prepare('insert into endpoint_secrets (id, endpoint_id, sealed, created_at) values (?, ?, ?, ?)')
    .run(idToBytes(secret.id), idToBytes(endpointId), secret.sealed, context.now)
}
