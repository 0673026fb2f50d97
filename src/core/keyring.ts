/**
 * The master keys that a process was given: the one that seals, and while it is exchanged the other one, whose values
 * still open. Which of the two seals is the store's to say, so that all processes on it change over at one moment.
 */
import { OuthookError } from './errors.ts'
import { createSecretBox, type SecretBox, wrongMasterKey } from './secret-box.ts'

export interface Keyring extends SecretBox {
  /** Of all keys, in the order in which they were given. */
  readonly fingerprints: readonly string[]
  /** The check value of the key that was given first, which is the one to change over to. */
  readonly newest: string
  /** The key with this check value seals from now on. False: it is none of these. */
  use(checkValue: string): boolean
  /** The value under the key that seals now. Errors: as `open`. */
  reseal(sealed: Uint8Array, context: string): Uint8Array
  /** As `sign`, by every key, the one that seals first. */
  signatures(purpose: string, bytes: Uint8Array): readonly Buffer[]
}

/**
 * @param masterKeys 32 bytes each, the newest first
 * @param randomBytes a cryptographically strong source, for nonces
 */
export function createKeyring(
  masterKeys: readonly Uint8Array[],
  randomBytes: (size: number) => Uint8Array,
): Keyring {
  const boxes = masterKeys.map((key) => createSecretBox(key, randomBytes))
  const [first] = boxes
  if (first === undefined) throw new OuthookError('internal', 'a keyring needs a master key')
  let current: SecretBox = first
  const open = (sealed: Uint8Array, context: string): string => {
    const print = Buffer.from(sealed.subarray(1, 5)).toString('hex')
    const box = boxes.find(({ fingerprint }) => fingerprint === print) ?? current
    return box.open(sealed, context)
  }
  return {
    get fingerprint() {
      return current.fingerprint
    },
    get checkValue() {
      return current.checkValue
    },
    fingerprints: boxes.map(({ fingerprint }) => fingerprint),
    newest: first.checkValue,
    use(checkValue) {
      const box = boxes.find((each) => each.checkValue === checkValue)
      if (box !== undefined) current = box
      return box !== undefined
    },
    seal: (plaintext, context) => current.seal(plaintext, context),
    open,
    reseal: (sealed, context) => current.seal(open(sealed, context), context),
    sign: (purpose, bytes) => current.sign(purpose, bytes),
    signatures: (purpose, bytes) =>
      [current, ...boxes.filter((box) => box !== current)].map((box) => box.sign(purpose, bytes)),
  }
}

/** Lets the key seal that the store was made with. Throws `wrong_master_key`, with all fingerprints, if it is none. */
export function useStoredKey(keyring: Keyring, storedCheckValue: string): void {
  if (keyring.use(storedCheckValue)) return
  throw wrongMasterKey(storedCheckValue.split('.')[0] ?? '', keyring.fingerprints.join(' and '))
}
