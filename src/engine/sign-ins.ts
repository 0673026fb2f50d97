/**
 * Browsers that are signed in. A browser has a text of its own in place of the token that it was signed in with: the
 * token is looked at anew at each use, so that its role, its revocation and its end are those of the browser too.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyStore, SignInStore, StoreTime } from '../store/port.ts'
import type { Authenticated } from './authentication.ts'
import { hashKeyText } from './key-text.ts'
import type { LastUses } from './last-uses.ts'
import { breakGlass, toPrincipal } from './principal.ts'

export const signInLifeMs = 12 * 3_600_000
/** Of a code: somebody opens a link that was printed just now. */
export const signInCodeLifeMs = 60_000
const textBytes = 32

/** Whether it is, by its form, a code that is exchanged once for a sign-in. */
export function isSignInCode(text: string): boolean {
  return /^hkonce_[0-9a-f]{64}$/.test(text)
}

interface Made {
  readonly text: string
  readonly expiresAt: number
}

export interface SignInsOptions {
  readonly store: SignInStore & Pick<KeyStore, 'findApiKeys'>
  readonly time: StoreTime
  readonly uses: Pick<LastUses, 'note'>
  readonly randomBytes: (size: number) => Uint8Array
}

/** `configured`: the hashes of the tokens of the configuration, which are not in the store. */
export class SignIns {
  readonly #options: SignInsOptions

  constructor(options: SignInsOptions) {
    this.#options = options
  }

  /** The token has been authenticated. `text` is what the browser keeps: `hksin_` and 64 hex digits. */
  create(token: string, configured: readonly Uint8Array[]): Promise<Made> {
    return this.#make({ prefix: 'hksin_', lifeMs: signInLifeMs }, tokenOf(token, configured))
  }

  /** The token has been authenticated. `text` signs a browser in once, within a minute: `hkonce_` and 64 hex digits. */
  createCode(token: string, configured: readonly Uint8Array[]): Promise<Made> {
    return this.#make({ prefix: 'hkonce_', lifeMs: signInCodeLifeMs }, tokenOf(token, configured))
  }

  /** What a browser keeps, for the code, which is nobody's from now on; null: it was before. */
  async exchange(code: string, configured: readonly Uint8Array[]): Promise<Made | null> {
    const taken = await this.#options.store.takeSignIn(hashKeyText(code))
    if (taken === null) return null
    const own = configured.find((hash) => timingSafeEqual(markOf(code, hash), taken.tokenHash))
    const token = { hash: own ?? taken.tokenHash, isConfigured: own !== undefined }
    return this.#make({ prefix: 'hksin_', lifeMs: signInLifeMs }, token)
  }

  async #make(
    form: { readonly prefix: string; readonly lifeMs: number },
    token: SignedInToken,
  ): Promise<Made> {
    const { store, randomBytes } = this.#options
    const text = form.prefix + Buffer.from(randomBytes(textBytes)).toString('hex')
    const tokenHash = token.isConfigured ? markOf(text, token.hash) : token.hash
    const expiresAt = await store.insertSignIn({ hash: hashKeyText(text), tokenHash, lifeMs: form.lifeMs })
    return { text, expiresAt }
  }

  /** Null for each that has ended, or whose token is good no more, in the order of the texts. Errors: store_unavailable. */
  async authenticate(
    texts: readonly string[],
    configured: readonly Uint8Array[],
  ): Promise<readonly (Authenticated | null)[]> {
    const { store, time, uses } = this.#options
    const found = await store.findSignIns(texts.map(hashKeyText))
    const keys = await store.findApiKeys(found.map((one) => one?.tokenHash ?? new Uint8Array(32)))
    const now = time.now()
    return found.map((one, index) => {
      if (one === null) return null
      const text = texts[index] ?? ''
      const isConfigured = configured.some((hash) => timingSafeEqual(markOf(text, hash), one.tokenHash))
      if (isConfigured) return { principal: breakGlass, validForMs: one.until - now }
      const key = keys[index] ?? null
      // A producer key signs nobody in.
      if (key === null || key.key.kind !== 'admin') return null
      uses.note(key.key.id)
      const until = Math.min(one.until, key.until ?? Number.POSITIVE_INFINITY)
      return { principal: toPrincipal(key.key), validForMs: until - now }
    })
  }

  /** When the sign-in ends by itself; null: it has ended. */
  async endOf(text: string): Promise<number | null> {
    const [found] = await this.#options.store.findSignIns([hashKeyText(text)])
    return found?.until ?? null
  }

  /** Can be called again. */
  end(text: string): Promise<void> {
    return this.#options.store.deleteSignIn(hashKeyText(text))
  }
}

interface SignedInToken {
  readonly hash: Uint8Array
  /** It is not in the store. */
  readonly isConfigured: boolean
}

function tokenOf(token: string, configured: readonly Uint8Array[]): SignedInToken {
  const own = hashKeyText(token)
  return { hash: own, isConfigured: configured.some((hash) => timingSafeEqual(hash, own)) }
}

/**
 * Stands for a token of the configuration, which somebody may have chosen: its own hash in the store could be guessed
 * at by whoever reads that, and this one cannot be without the browser's text.
 */
function markOf(text: string, tokenHash: Uint8Array): Uint8Array {
  return createHmac('sha256', text).update(tokenHash).digest()
}
