import type { Credential, CredentialKind, CredentialSettings, RoutedCredential } from '../core/credential.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'
import { versionOfTime } from './row-version.ts'

export interface CredentialRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly name: string
  readonly description: string
  readonly kind: CredentialKind
  readonly settings: string
  readonly secret_hint: string | null
  readonly active: number | boolean
  readonly created_at: number
  readonly updated_at: number
  readonly last_used_at: number | null
}

export interface RoutedCredentialRow
  extends Pick<CredentialRow, 'id' | 'tenant_id' | 'name' | 'kind' | 'settings' | 'active' | 'updated_at'> {
  readonly sealed: Uint8Array
}

export function toCredential(row: CredentialRow): Credential {
  return {
    ...commonOf(row),
    description: row.description,
    secretHint: row.secret_hint,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
  }
}

export function toRoutedCredential(row: RoutedCredentialRow): RoutedCredential {
  return { ...commonOf(row), sealed: row.sealed }
}

/** The column `settings`. The hosts stand in it, and no member of any kind is called like that. */
interface StoredSettings extends CredentialSettings {
  readonly authorizedHosts?: readonly string[]
}

function commonOf(row: Omit<RoutedCredentialRow, 'sealed'>) {
  const { authorizedHosts = null, ...settings } = JSON.parse(row.settings) as StoredSettings
  return {
    id: bytesToId(idPrefixes.credential, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    name: row.name,
    kind: row.kind,
    settings,
    authorizedHosts,
    active: Boolean(row.active),
    version: versionOfTime(row.updated_at),
  }
}

/** What a change of a credential writes, as both databases keep it. */
export function credentialValues(
  credential: Pick<Credential, 'name' | 'description' | 'settings' | 'authorizedHosts' | 'secretHint'>,
) {
  const { settings, authorizedHosts } = credential
  const stored: StoredSettings = authorizedHosts === null ? settings : { ...settings, authorizedHosts }
  return {
    name: credential.name,
    description: credential.description,
    settings: JSON.stringify(stored),
    secret_hint: credential.secretHint,
  }
}
