import type { NewSecret } from '../../port.ts'
import { type Context, command, now, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export async function insertSecret(context: Context, endpoint: string, secret: NewSecret): Promise<void> {
  await run(context, insertSecretStatement, {
    id: uuidOfId(secret.id),
    endpoint: endpoint,
    sealed: Buffer.from(secret.sealed),
  })
}

const insertSecretStatement = command(
  'insert_secret',
  { id: 'uuid', endpoint: 'uuid', sealed: 'bytea' },
  `insert into endpoint_secrets (id, endpoint_id, sealed, created_at) values ($id, $endpoint, $sealed, ${now})`,
)
