/** What the process says of itself: settings in force, and what is found in its store. */
import { type AnySetting, type Config, type SettingKey, settingList, settings } from './config/schema.ts'
import { sourceOf } from './config/setting-sources.ts'
import type { Clock } from './core/clock.ts'
import { StoreExaminer } from './engine/store-examiner.ts'
import type { SettingInForce, System } from './engine/system.ts'
import { examineStoreInUse, schemaVersionOf } from './store-upkeep.ts'
import { version } from './version.ts'

export function createSystem(config: Config, clock: Clock): System {
  const startedAt = clock.now()
  const inForce = settingList.map(([key, setting]) => toSettingInForce(config, key, setting))
  const examiner = new StoreExaminer({ examine: (signal) => examineStoreInUse(config, signal), clock })
  return {
    async read() {
      const [examination, schemaVersion] = await Promise.all([
        examiner.read(),
        schemaVersionOf(config.store.kind),
      ])
      const location = settings.store.type.format(config.store)
      return {
        version,
        nodeVersion: process.versions.node,
        role: config.role,
        startedAt,
        store: { kind: config.store.kind, location, schemaVersion },
        settings: inForce,
        examination,
      }
    },
    stop: () => examiner.stop(),
  }
}

function toSettingInForce(config: Config, key: SettingKey, setting: AnySetting): SettingInForce {
  const { name, description, type, secret: isSecret = false, defaultText } = setting
  const given = config[key]
  const text = given === null ? '' : type.format(given)
  const source = sourceOf(config, key)
  return {
    name,
    description,
    value: isSecret || given === null ? null : text,
    meaning: given === null && !isSecret ? (defaultText ?? null) : null,
    isSecret,
    isSet: source === null ? given !== null : source.kind !== 'default',
    source,
  }
}
