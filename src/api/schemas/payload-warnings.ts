/** Of an answer to a publish. */
import { Type } from '../../bundled/typebox.ts'

export const PayloadWarnings = Type.Optional(
  Type.Array(
    Type.Object(
      {
        path: Type.String({
          description: 'where in the payload, as a JSON Pointer; empty is the payload as a whole',
        }),
        message: Type.String({ description: 'what would be right there; for people' }),
      },
      { title: 'PayloadWarning' },
    ),
    {
      description:
        'only where there are some: the payload is not as the schema of its event type says, whose mode is `warn`',
    },
  ),
)
