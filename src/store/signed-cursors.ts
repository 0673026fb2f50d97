/**
 * Cursors as they leave the engine: the store's own, with a signature over it and over what was listed, by a key that
 * every process on the store has. So a cursor is good after a restart and on each node, and nothing but the next page
 * of the list that gave it: with another filter, tenant or list, or changed by one bit, it is `bad_cursor`.
 */
import { timingSafeEqual } from 'node:crypto'
import { OuthookError } from '../core/errors.ts'
import type { Keyring } from '../core/keyring.ts'
import type { Page, PageRequest, Store } from './port.ts'

/** Together with a cursor of 16 bytes, as most lists have, 30: these are 40 characters of base64 without a rest. */
const signatureBytes = 14

const lists = [
  'listApiKeys',
  'listAuditLines',
  'listDeadLetters',
  'listDeliveries',
  'listDeliveriesOfEvent',
  'listEndpoints',
  'listEventTypes',
  'listEvents',
  'listJobs',
  'listOrderedKeys',
  'listPortalLinks',
  'listSubscriptions',
  'listTenants',
] as const satisfies readonly (keyof Store)[]

type List = (...args: readonly unknown[]) => Promise<Page<unknown>>
/** While the master key is exchanged, cursors of both keys are good. */
type Keys = Pick<Keyring, 'sign' | 'signatures'>

/** The store, whose lists give and take signed cursors. */
export function signCursors<S extends Pick<Store, (typeof lists)[number]>>(store: S, keys: Keys): S {
  const signed = Object.fromEntries(lists.map((name) => [name, signList(name, store[name] as List, keys)]))
  return { ...store, ...signed }
}

/** The page is the last argument of each list; it may hold filters too. */
function signList(name: string, list: List, keys: Keys): List {
  return async (...args) => {
    const { limit, cursor, ...filter } = args.at(-1) as PageRequest
    const listing = JSON.stringify([name, ...args.slice(0, -1), filter].map(inOrder))
    const page = {
      limit,
      ...filter,
      cursor: cursor === null || cursor === '' ? null : read(cursor, listing, keys),
    }
    const found = await list(...args.slice(0, -1), page)
    return { ...found, nextCursor: found.nextCursor === '' ? '' : write(found.nextCursor, listing, keys) }
  }
}

/** A filter says the same in whatever order its members come. */
function inOrder(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  return Object.entries(part)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

function write(cursor: string, listing: string, keys: Keys): string {
  const bytes = Buffer.from(cursor, 'base64url')
  return Buffer.concat([bytes, cut(keys.sign('cursor', signedText(bytes, listing)))]).toString('base64url')
}

function read(given: string, listing: string, keys: Keys): string {
  const bytes = Buffer.from(given, 'base64url')
  const cursor = bytes.subarray(0, Math.max(0, bytes.length - signatureBytes))
  const signature = bytes.subarray(cursor.length)
  const isWhole = signature.length === signatureBytes && bytes.toString('base64url') === given
  const expected = keys.signatures('cursor', signedText(cursor, listing))
  if (isWhole && expected.some((each) => timingSafeEqual(signature, cut(each)))) {
    return cursor.toString('base64url')
  }
  throw new OuthookError(
    'bad_cursor',
    'the cursor is of another listing, or is not as it was given; give the next_cursor of an earlier page of this one, with the same filters',
  )
}

function signedText(cursor: Uint8Array, listing: string): Buffer {
  // With its length, so that no part of the one can stand for a part of the other.
  return Buffer.concat([Buffer.from(`${cursor.length} `), cursor, Buffer.from(listing)])
}

function cut(signature: Buffer): Buffer {
  return signature.subarray(0, signatureBytes)
}
