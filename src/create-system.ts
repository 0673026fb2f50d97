/** What the process says of itself: settings in force, and what is found in its store. */
import { type AnySetting, type Config, type SettingKey, settingList, settings } from './config/schema.ts'
import { sourceOf } from './config/setting-sources.ts'
import type { Clock } from './core/clock.ts'
import type { SettingInForce, StoreExamination, System } from './engine/system.ts'
import { problem } from './store/finding.ts'
import { examineStoreInUse, schemaVersionOf } from './store-upkeep.ts'
import { version } from './version.ts'

/** However often it is asked for, the store is examined once in so long. */
const keptMs = 5_000
/** What takes longer is told as not ended, and is there for whoever asks afterwards. */
const patienceMs = 10_000

export function createSystem(config: Config, clock: Clock): System {
  const startedAt = clock.now()
  const inForce = settingList.map(([key, setting]) => toSettingInForce(config, key, setting))
  const examine = keepFor(clock, () => examineNow(config, clock))
  return {
    async read() {
      const [examination, schemaVersion] = await Promise.all([
        withinPatience(examine(), clock),
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

async function examineNow(config: Config, clock: Clock): Promise<StoreExamination> {
  const { findings, lengthy } = await examineStoreInUse(config)
  return { at: clock.now(), findings, lengthyChecks: lengthy }
}

/** Whoever asks meanwhile, or soon after, gets the same. */
function keepFor(clock: Clock, make: () => Promise<StoreExamination>): () => Promise<StoreExamination> {
  let made: Promise<StoreExamination> | null = null
  let endedAt: number | null = null
  return () => {
    const isOld = endedAt !== null && clock.elapsed() - endedAt >= keptMs
    if (made !== null && !isOld) return made
    endedAt = null
    const end = () => {
      endedAt = clock.elapsed()
    }
    made = make()
    made.then(end, end)
    return made
  }
}

async function withinPatience(examining: Promise<StoreExamination>, clock: Clock): Promise<StoreExamination> {
  const late = Promise.withResolvers<StoreExamination>()
  const cancel = clock.schedule(patienceMs, () => {
    const found = `the examination has not ended within ${patienceMs / 1000} s`
    const advice = 'ask again; or run "outhook doctor", which waits for longer'
    late.resolve({ at: clock.now(), findings: [problem('store', found, advice)], lengthyChecks: [] })
  })
  try {
    return await Promise.race([examining, late.promise])
  } finally {
    cancel()
  }
}
