/**
 * Secrets that must not stand in what is kept, shown or printed, and how they are found there: as they are, and as JSON,
 * HTML, URLs, base64 and hexadecimal digits write them, also in the middle of something longer that is written so.
 *
 * Most texts hold none. What is looked for first is the longest run of letters and digits of each way to write a secret:
 * no escaping changes these. Only where one of them stands are all ways followed, character by character.
 */
import { type Spelling, spell, spellEncoded, spellKey } from './spelling.ts'

export const hiddenText = '[hidden]'

/** Shorter ones stand everywhere. */
export const minSecretChars = 4
/** Shorter ones are hidden as words of their own alone: within other words and numbers they would blot out half of a text. */
export const minAnywhereChars = 8
/** What is left of a secret where a text was cut off. */
const minTailChars = 4
/** Comparisons for one text, some milliseconds: what takes more was made to, and is hidden whole. */
const maxComparisons = 200_000
/** A text without so many letters and digits on end holds none of those secrets that have as many. */
const longRunChars = 12
const isPlain = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9]/.test(String.fromCharCode(code)) ? 1 : 0,
)
/** Those that were found last, such as of an endpoint whose answers are all too long to be kept whole. */
const lastSpellings = new Map<HiddenSecrets, readonly Spelling[]>()
const maxLastSpellings = 32

export interface HiddenSecretsOptions {
  /** Bytes that are secret too, such as the key that a secret encodes. */
  readonly keys?: readonly Uint8Array[]
  /** They are encoded already, and nobody encodes them again. */
  readonly isEncoded?: boolean
}

/** Some secrets that belong together. Keep it: what is looked for first is worked out once, when it is needed. */
export class HiddenSecrets {
  readonly #texts: readonly string[]
  readonly #keys: readonly Uint8Array[]
  readonly #isEncoded: boolean
  #probes: readonly string[] | null = null
  #hasShort = false

  constructor(texts: readonly string[], { keys = [], isEncoded = false }: HiddenSecretsOptions = {}) {
    this.#texts = [...new Set(texts)].filter(({ length }) => length >= minSecretChars)
    this.#keys = keys.filter(({ length }) => length >= minAnywhereChars)
    this.#isEncoded = isEncoded
  }

  /** True: there is nothing to look for. */
  get isEmpty(): boolean {
    return this.#texts.length === 0 && this.#keys.length === 0
  }

  /** False: surely not. */
  mayStandIn(text: string, isLong = hasLongRun(text)): boolean {
    const probes = this.#probes ?? this.#findProbes()
    if (!isLong && !this.#hasShort) return false
    for (const probe of probes) if (text.includes(probe)) return true
    return false
  }

  /** Each way to write them. Kept for a few: it is several kilobytes for each secret. */
  spellings(): readonly Spelling[] {
    const known = lastSpellings.get(this)
    if (known !== undefined) return known
    const found = this.#findSpellings()
    lastSpellings.set(this, found)
    const oldest = lastSpellings.keys().next()
    if (lastSpellings.size > maxLastSpellings && !oldest.done) lastSpellings.delete(oldest.value)
    return found
  }

  #findSpellings(): readonly Spelling[] {
    const spellings = this.#texts.flatMap((text) => {
      const isWord = text.length < minAnywhereChars
      const plain = spell(text, { isWord })
      return this.#isEncoded ? [plain] : [plain, ...spellEncoded(Buffer.from(text, 'utf8'), { isWord })]
    })
    return [...spellings, ...this.#keys.flatMap(spellKey)]
  }

  #findProbes(): readonly string[] {
    const all = [...new Set(this.#findSpellings().map(({ probe }) => probe))]
    this.#hasShort = all.some(({ length }) => length < longRunChars)
    // What holds the longer of two holds the shorter one.
    this.#probes = all.filter((probe) => !all.some((other) => other !== probe && probe.includes(other)))
    return this.#probes
  }
}

/** A run of letters and digits that is long enough to look for; empty: there is none. */
export function longRunIn(text: string): string {
  const start = findLongRun(text)
  return start < 0 ? '' : text.slice(start, start + longRunChars)
}

export function hasLongRun(text: string): boolean {
  return findLongRun(text) >= 0
}

/** From the end of each place where one could be: most characters are never looked at. */
function findLongRun(text: string): number {
  for (let end = longRunChars; end <= text.length; ) {
    let at = end - 1
    while (at >= end - longRunChars && isPlain[text.charCodeAt(at)] === 1) at--
    if (at < end - longRunChars) return end - longRunChars
    end = at + 1 + longRunChars
  }
  return -1
}

export interface HideOptions {
  /** The text goes on where it was cut off: the beginning of a secret at its end is hidden too. */
  readonly isCut?: boolean
  readonly mask?: string
}

/** The text without the secrets: the same one where there is none in it. */
export function hideSecrets(
  text: string,
  secrets: readonly HiddenSecrets[],
  { isCut = false, mask = hiddenText }: HideOptions = {},
): string {
  const isLong = hasLongRun(text)
  const held = secrets.filter((each) => each.mayStandIn(text, isLong))
  if (held.length === 0 && !isCut) return text
  const search: Search = { mask, left: maxComparisons }
  let hidden = text
  for (const spelling of longestFirst(held)) hidden = hideSpelling(hidden, spelling, search)
  if (isCut) hidden = hideTail(hidden, longestFirst(secrets), search)
  return search.left < 0 ? mask : hidden
}

/** So that none is left half. */
function longestFirst(secrets: readonly HiddenSecrets[]): readonly Spelling[] {
  return secrets.flatMap((each) => each.spellings()).sort((a, b) => b.most - a.most)
}

interface Search {
  readonly mask: string
  left: number
}

function hideSpelling(text: string, spelling: Spelling, search: Search): string {
  const { probe, before } = spelling
  let shown = ''
  let from = 0
  for (let at = text.indexOf(probe); at >= 0 && at < text.length && search.left >= 0; ) {
    const found = findAround(text, spelling, { first: Math.max(from, at - before), last: at, search })
    if (found !== null) {
      shown += text.slice(from, found.start) + search.mask
      from = found.end
    }
    at = text.indexOf(probe, found === null ? at + 1 : Math.max(found.end, at + 1))
  }
  return from === 0 ? text : shown + text.slice(from)
}

interface Around {
  readonly first: number
  readonly last: number
  readonly search: Search
}

function findAround(text: string, spelling: Spelling, { first, last, search }: Around) {
  for (let start = first; start <= last && search.left >= 0; start++) {
    const end = endOf(text, start, { spelling, search })
    if (end > start && (!spelling.isWord || isWord(text, start, end))) return { start, end }
  }
  return null
}

/** Where what is written from there ends; -1: it is something else. */
function endOf(
  text: string,
  start: number,
  { spelling, search }: { readonly spelling: Spelling; readonly search: Search },
): number {
  let ends = [start]
  for (const forms of spelling.units) {
    const next: number[] = []
    for (const end of ends) {
      for (const form of forms) {
        search.left--
        if (text.startsWith(form, end) && !next.includes(end + form.length)) next.push(end + form.length)
      }
    }
    if (next.length === 0 || search.left < 0) return -1
    ends = next
  }
  return Math.max(...ends)
}

const wordCharacter = /[A-Za-z0-9]/
/** Letters and digits that are no part of a word. */
const escapeBefore = /(?:%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrtbf])$/i
const longestEscape = 6

function isWord(text: string, start: number, end: number): boolean {
  if (wordCharacter.test(text.charAt(end))) return false
  if (!wordCharacter.test(text.charAt(start - 1))) return true
  return escapeBefore.test(text.slice(Math.max(0, start - longestEscape), start))
}

/** Without the beginning of a secret of which the rest was cut off. */
function hideTail(text: string, spellings: readonly Spelling[], search: Search): string {
  let cut = text.length
  for (const spelling of spellings) {
    if (spelling.isWord) continue
    const last = Math.min(cut, text.length - minTailChars + 1)
    for (let at = startOfTail(text, spelling); at < last; at++) {
      if (!spelling.starts.includes(text.charAt(at)) || !goesOn(text, at, { spelling, search })) continue
      cut = at
      break
    }
  }
  return cut === text.length ? text : text.slice(0, cut) + search.mask
}

/** From there on the text has no other characters than those that the secret may be written with. */
function startOfTail(text: string, { characters, most }: Spelling): number {
  const first = Math.max(0, text.length - most)
  let at = text.length
  while (at > first && characters.includes(text.charAt(at - 1))) at--
  return at
}

function goesOn(
  text: string,
  start: number,
  { spelling, search }: { readonly spelling: Spelling; readonly search: Search },
): boolean {
  let ends = [start]
  for (const forms of spelling.units) {
    const next: number[] = []
    for (const end of ends) {
      for (const form of forms) {
        if (search.left-- < 0) return false
        const rest = text.length - end
        if (form.length > rest ? text.endsWith(form.slice(0, rest)) : text.startsWith(form, end)) {
          if (form.length > rest) return true
          next.push(end + form.length)
        }
      }
    }
    if (next.length === 0) return false
    ends = next
  }
  return false
}
