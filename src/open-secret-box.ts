/** The box that seals endpoint secrets: its key is given, or a file beside the SQLite database, and is the store's own. */
import { randomBytes } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { loadMasterKey, warnOfReaders } from './config/master-key.ts'
import type { Config } from './config/schema.ts'
import { OuthookError } from './core/errors.ts'
import { type FaceWords, serverWords } from './core/face-words.ts'
import type { Logger } from './core/logger.ts'
import { checkMasterKey, createSecretBox, type SecretBox } from './core/secret-box.ts'
import type { Store } from './store/port.ts'

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
  store: Pick<Store, 'setMetaOnce'>,
): Promise<SecretBox> {
  const { config, logger, words = serverWords } = options
  const file = config.store.kind === 'sqlite' ? `${config.store.path}.key` : null
  const { key, createdFile } = loadMasterKey({ given: config.masterKey, file, randomBytes })
  const readers = file !== null && config.masterKey === null ? warnOfReaders(file, 'the key file') : null
  if (readers !== null) logger.warn({ file }, readers)
  const secretBox = createSecretBox(key, randomBytes)
  let stored: string | null = null
  try {
    stored = await store.setMetaOnce('master_key_check', secretBox.checkValue)
    checkMasterKey(secretBox, stored)
  } catch (error) {
    if (createdFile === null) throw error
    unlinkSync(createdFile)
    throw stored === null
      ? error
      : keyFileLost(createdFile, { stored, made: secretBox.fingerprint, words, cause: error })
  }
  if (createdFile !== null) {
    const announce = options.onMasterKeyCreated ?? ((file) => logger.warn({ file }, masterKeyCreated))
    announce(createdFile)
  }
  return secretBox
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
