/** The keys that seal endpoint secrets: given, or a file beside the SQLite database. Which one seals is the store's to say. */
import { randomBytes } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { loadMasterKey, readKeyFile, warnOfReaders } from './config/master-key.ts'
import type { Config } from './config/schema.ts'
import { OuthookError } from './core/errors.ts'
import { type FaceWords, serverWords } from './core/face-words.ts'
import { createKeyring, type Keyring, useStoredKey } from './core/keyring.ts'
import type { Logger } from './core/logger.ts'
import { parseMasterKey } from './core/secret-box.ts'
import { masterKeyCheck, masterKeyExchange, type Store } from './store/port.ts'

const masterKeyCreated =
  'made a master key for endpoint secrets; back this file up, without it they cannot be read'

export interface SecretBoxOptions {
  readonly config: Config
  readonly logger: Logger
  readonly words?: FaceWords
  /** A master key file was made just now. Default: a warning in the log. */
  readonly onMasterKeyCreated?: (file: string) => void
}

/** Errors: wrong_master_key, invalid_config. */
export async function openSecretBox(
  options: SecretBoxOptions,
  store: Pick<Store, 'setMetaOnce' | 'getMeta'>,
): Promise<Keyring> {
  const { config, logger, words = serverWords } = options
  const file = config.store.kind === 'sqlite' ? `${config.store.path}.key` : null
  const { key, createdFile } = loadMasterKey({ given: config.masterKey, file, randomBytes })
  const readers = file !== null && config.masterKey === null ? warnOfReaders(file, 'the key file') : null
  if (readers !== null) logger.warn({ file }, readers)
  const keyring = createKeyring([key, ...olderKeys(config, file)], randomBytes)
  let stored: string | null = null
  try {
    stored = await store.setMetaOnce(masterKeyCheck, keyring.checkValue)
    useStoredKey(keyring, stored)
    await checkExchange(keyring, store, words)
  } catch (error) {
    if (createdFile === null) throw error
    unlinkSync(createdFile)
    throw stored === null
      ? error
      : keyFileLost(createdFile, { stored, made: keyring.fingerprint, words, cause: error })
  }
  if (createdFile !== null) {
    const announce = options.onMasterKeyCreated ?? ((file) => logger.warn({ file }, masterKeyCreated))
    announce(createdFile)
  }
  return keyring
}

/** What the key file holds is the key of before, once another one is given. */
function olderKeys({ masterKey, masterKeyOld }: Config, file: string | null): readonly Uint8Array[] {
  const kept = masterKey === null || file === null ? null : readKeyFile(file)
  const texts = [masterKeyOld, kept].filter((text) => text !== null)
  return texts.map(parseMasterKey)
}

/** While the key is exchanged values stand under both, and whoever has one of them cannot sign for some endpoints. */
async function checkExchange(
  keyring: Keyring,
  store: Pick<Store, 'getMeta'>,
  words: FaceWords,
): Promise<void> {
  const text = await store.getMeta(masterKeyExchange)
  if (text === null) return
  const { from, to } = JSON.parse(text) as { readonly from: string; readonly to: string }
  const [old = '', current = ''] = [from, to].map((checkValue) => checkValue.split('.')[0])
  if ([old, current].every((print) => keyring.fingerprints.includes(print))) return
  throw new OuthookError(
    'wrong_master_key',
    `the store is at the exchange of master key ${old} for ${current}, and this process was given ` +
      `${keyring.fingerprints.join(' and ')}; give ${current} ${words.masterKey} and ${old} ${words.masterKeyOld} until it is done`,
  )
}

interface LostKey {
  readonly stored: string
  readonly made: string
  readonly words: FaceWords
  readonly cause: unknown
}

/** The store was made with a key, and the one that was made just now in its file's place is another. */
function keyFileLost(file: string, { stored, made, words, cause }: LostKey): OuthookError {
  return new OuthookError(
    'wrong_master_key',
    `the key file ${file} is missing; restore it from your backup, or give the key ${words.masterKey}. ` +
      `The store's secrets are sealed under master key ${stored.split('.')[0]}; a new key, such as ${made}, opens none`,
    { cause },
  )
}
