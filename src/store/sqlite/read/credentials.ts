import type { Credential, RoutedCredential } from '../../../core/credential.ts'
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import {
  type CredentialRow,
  type RoutedCredentialRow,
  toCredential,
  toRoutedCredential,
} from '../../credential-row.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import type { ReadContext } from './context.ts'

export function getCredential(context: ReadContext, tenantId: string, id: string): Credential | null {
  const bytes = bytesOfId(idPrefixes.credential, id)
  if (bytes === null) return null
  const row = context
    .prepare<CredentialRow>('select * from credentials where id = ? and tenant_id = ?') // primary key
    .get(bytes, idToBytes(tenantId))
  return row === undefined ? null : toCredential(row)
}

export function getCredentialByName(context: ReadContext, tenantId: string, name: string): Credential | null {
  const row = context
    .prepare<CredentialRow>('select * from credentials where tenant_id = ? and name = ?') // credentials_name
    .get(idToBytes(tenantId), name)
  return row === undefined ? null : toCredential(row)
}

export function listCredentials(context: ReadContext, tenantId: string, page: PageRequest): Page<Credential> {
  const { limit, before } = readPageRequest(page)
  const rows = context
    .prepare<CredentialRow>(
      // credentials_tenant
      'select * from credentials where tenant_id = ? and (? is null or id < ?) order by id desc limit ?',
    )
    .all(idToBytes(tenantId), before, before, limit + 1)
  return toPage(rows, limit, toCredential)
}

/** All of a tenant, for its routing. */
export function readRoutedCredentials(context: ReadContext, tenant: Uint8Array): RoutedCredential[] {
  return context
    .prepare<RoutedCredentialRow>(
      // credentials_tenant
      `select id, tenant_id, name, kind, settings, active, updated_at, sealed from credentials
       where tenant_id = ? order by id`,
    )
    .all(tenant)
    .map(toRoutedCredential)
}
