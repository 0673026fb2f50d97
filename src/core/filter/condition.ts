/**
 * A filter as a tree: what has to hold of a payload for a subscription to get its event.
 *
 * The JSON that makes it is that of Hookdeck and Outpost: names of members, values that they have to have, and operators
 * that begin with `$`. `parse-filter.ts` reads it, `evaluate.ts` decides by it, `explain.ts` says why it let nothing
 * through.
 */

export type Scalar = string | number | boolean | null

export type Json = Scalar | readonly Json[] | { readonly [name: string]: Json }

export type Condition =
  /** A value on its own: the value is this one, or a list with it. */
  | { readonly kind: 'scalar'; readonly value: Scalar }
  /** Names: the value is an object whose members pass all of it, or a list with one that does. */
  | {
      readonly kind: 'members'
      readonly members: readonly Member[]
      /** `$or`, `$and` and `$not` beside the names, for the same object. */
      readonly beside: readonly Condition[]
    }
  /** A list: the value is one, and each of these is passed by one of its elements. */
  | { readonly kind: 'elements'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'all'; readonly conditions: readonly Condition[]; readonly given: Json }
  | { readonly kind: 'any'; readonly conditions: readonly Condition[]; readonly given: Json }
  | { readonly kind: 'not'; readonly condition: Condition; readonly given: Json }
  | { readonly kind: 'equal'; readonly wanted: Wanted; readonly isNegated: boolean; readonly given: Json }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly operand: number | string }
  | { readonly kind: 'one_of'; readonly operands: ReadonlySet<Scalar>; readonly isNegated: boolean }
  | {
      readonly kind: 'contains'
      readonly operator: '$in' | '$nin' | '$contains'
      /** Each of them. */
      readonly operands: readonly Contained[]
      readonly given: Json
    }
  | { readonly kind: 'begins' | 'ends'; readonly operands: readonly string[]; readonly given: Json }
  | { readonly kind: 'exist'; readonly operand: boolean }

export interface Member {
  readonly name: string
  /** Every object seems to have one, such as `constructor`. */
  readonly isInherited: boolean
  readonly condition: Condition
}

export type Comparison = '$gt' | '$gte' | '$lt' | '$lte'

/** A value that one of the payload is to be equal to, whole: the members of an object in any order. */
export type Wanted =
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly Wanted[] }
  | { readonly kind: 'object'; readonly members: readonly WantedMember[] }

export interface WantedMember {
  readonly name: string
  readonly isInherited: boolean
  readonly value: Wanted
}

/** What a text or a list has to contain. */
export interface Contained {
  readonly wanted: Wanted
  /** Null: no text contains it. */
  readonly text: string | null
  /** The place of the text's letter that is looked for first, because few texts have many of it. */
  readonly rarestAt: number
}

/** As it is kept with a subscription, and as its users see it. */
export type FilterJson = { readonly [name: string]: Json }

/** As a caller gives it: names of members with what they have to be like, and operators. */
export type FilterInput = Readonly<Record<string, unknown>>
