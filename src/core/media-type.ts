/** The type of a body, as `content-type` says it. */
import { OuthookError } from './errors.ts'

export const maxMediaTypeChars = 255

/** A type and a subtype, and parameters of visible ASCII: no line can be broken by it. */
export const mediaTypePattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *;[ -~]*[!-~])?$"
const mediaType = new RegExp(mediaTypePattern)

/** Throws `unprocessable`. */
export function checkMediaType(given: unknown, member: string): string {
  if (typeof given === 'string' && given.length <= maxMediaTypeChars && mediaType.test(given)) return given
  throw new OuthookError(
    'unprocessable',
    `${member} must be a media type such as "text/plain; charset=utf-8"`,
  )
}
