/** The one list of kinds of destinations. Whoever adds one adds its folder and a line here. */
import { discord } from './discord/discord-kind.ts'
import { http } from './http/http-kind.ts'
import type { DestinationKind, DirectKind } from './port.ts'
import { slack } from './slack/slack-kind.ts'

export const kinds = { http, discord, slack } satisfies Record<string, DestinationKind>

export type KindName = keyof typeof kinds
export const kindNames = Object.keys(kinds) as readonly KindName[]
/** Of an endpoint that names none. */
export const defaultKind: KindName = 'http'

/** By name; tests give others. */
export type Kinds = Readonly<Record<string, DestinationKind>>

/** Of requests that their caller names. */
export const directKindName: KindName = 'http'
export const directKind: DirectKind = http
