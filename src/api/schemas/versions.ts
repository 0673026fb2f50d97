/** Versions of configuration objects, and the headers of conditional requests. */
import { Type } from '../../bundled/typebox.ts'

export const Version = Type.String({
  description:
    'another one after each change that somebody makes: `If-Match` with it, in quotes, or with the `ETag` makes a change only if it is still this one',
})

/** `*`, or a list of tags. */
const tagListPattern = '^(\\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'

/** Of routes that change one object. */
export const IfMatchHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      pattern: tagListPattern,
      examples: ['*'],
      description:
        'the `ETag` of the object as the caller has seen it: when somebody has changed it since, nothing is done, and the answer is 412. `*`: whatever it is. Without it the change is made in any case',
    }),
  ),
})

/** Of routes that show one object. */
export const IfNoneMatchHeaders = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({
      pattern: tagListPattern,
      examples: ['*'],
      description:
        'the `ETag` of an earlier answer: when it would be the same again, the answer is 304, without a body',
    }),
  ),
})
