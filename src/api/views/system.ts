import type { Static } from 'typebox'
import type { SettingInForce, SystemState } from '../../engine/system.ts'
import { formatTime } from '../rfc3339.ts'
import type { SystemBody } from '../schemas/system.ts'

export function toSystem(state: SystemState): Static<typeof SystemBody> {
  const { version, nodeVersion, role, startedAt, store, settings, examination } = state
  const { kind, location, schemaVersion } = store
  return {
    outhook_version: version,
    node_version: nodeVersion,
    role,
    started_at: formatTime(startedAt),
    store: { kind, location, schema_version: schemaVersion },
    settings: settings.map(toSetting),
    examined_at: formatTime(examination.at),
    findings: [...examination.findings],
    lengthy_checks: [...examination.lengthyChecks],
  }
}

function toSetting(setting: SettingInForce): Static<typeof SystemBody>['settings'][number] {
  const { name, description, value, meaning, isSecret, isSet, source } = setting
  return { name, description, value, meaning, is_secret: isSecret, is_set: isSet, source }
}
