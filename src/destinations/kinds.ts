/** The one list of kinds of destinations. Whoever adds one adds its folder and a line here. */
import { http } from './http/http-kind.ts'
import type { DirectKind } from './port.ts'

export const kinds = { http }

/** Of requests that their caller names. */
export const directKind: DirectKind = http
