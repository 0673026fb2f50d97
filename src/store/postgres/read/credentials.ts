import type { Credential, RoutedCredential } from '../../../core/credential.ts'
import { idPrefixes } from '../../../core/ids.ts'
import {
  type CredentialRow,
  type RoutedCredentialRow,
  toCredential,
  toRoutedCredential,
} from '../../credential-row.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import { credentialColumns } from '../config/credentials.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

export async function getCredential(
  context: Context,
  tenantId: string,
  id: string,
): Promise<Credential | null> {
  const bytes = bytesOfId(idPrefixes.credential, id)
  if (bytes === null) return null
  const [row] = await run(context, getStatement, { id: uuid(bytes), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toCredential(row)
}

const getStatement = query<CredentialRow>()(
  'get_credential',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `select ${credentialColumns} from credentials where id = $id and tenant_id = $tenant`,
)

export async function getCredentialByName(
  context: Context,
  tenantId: string,
  name: string,
): Promise<Credential | null> {
  const [row] = await run(context, getByNameStatement, { tenant: uuidOfId(tenantId), name })
  return row === undefined ? null : toCredential(row)
}

const getByNameStatement = query<CredentialRow>()(
  'get_credential_by_name',
  { tenant: 'uuid', name: 'text' },
  // credentials_name
  `select ${credentialColumns} from credentials where tenant_id = $tenant and name = $name`,
)

export async function listCredentials(
  context: Context,
  tenantId: string,
  page: PageRequest,
): Promise<Page<Credential>> {
  const { limit, before } = readPageRequest(page)
  // credentials_tenant
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', limit + 1)
    .add('id < $before', 'before', 'uuid', optionalUuid(before))
  const rows = await where.read<CredentialRow>(
    context,
    `select ${credentialColumns} from credentials where tenant_id = $tenant${where.sql} order by id desc limit $rows`,
  )
  return toPage(rows, limit, toCredential)
}

/** All of a tenant, for its routing. */
export async function readRoutedCredentials(context: Context, tenant: string): Promise<RoutedCredential[]> {
  const rows = await run(context, routedStatement, { tenant })
  return rows.map(toRoutedCredential)
}

const routedStatement = query<RoutedCredentialRow>()(
  'routing_credentials',
  { tenant: 'uuid' },
  // credentials_tenant
  `select id, tenant_id, name, kind, settings, active, updated_at, sealed from credentials
     where tenant_id = $tenant order by id`,
)
