import { Type } from '../../bundled/typebox.ts'
import { limits } from '../../core/model.ts'

/** Of every POST that has no key of its own in its body. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[!-~](?:[ -~]*[!-~])?$',
      minLength: 1,
      maxLength: limits.maxIdempotencyKeyBytes,
      description:
        'a text of your own: the same request with the same key is done once, and is answered as then, with `Idempotent-Replay: true`, a secret included; another request with it is a 409. Remembered for a day, unless the server is set otherwise, for this token and tenant',
    }),
  ),
})
