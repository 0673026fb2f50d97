import { Type } from '../../bundled/typebox.ts'
import { errorClassPattern } from '../../core/model.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time, timeRangeQuery } from './shapes.ts'
import { idOf, Line } from './text-limits.ts'

export const DeadLetterBody = Type.Object(
  {
    id: Id,
    delivery_id: Id,
    event_id: Id,
    endpoint_id: Nullable(Id),
    subscription_id: Nullable(Id),
    topic: Nullable(Type.String()),
    final_error: Type.String({ description: 'the last attempt’s error class, or attempts_exhausted' }),
    last_error: Nullable(Type.String()),
    last_http_status: Nullable(Type.Integer()),
    attempt_count: Type.Integer(),
    dead_at: Time,
  },
  { title: 'DeadLetter' },
)

export const DeadLetterPage = PageOf(DeadLetterBody)

const filterQuery = {
  endpoint_id: Type.Optional(idOf('ep')),
  topic: Type.Optional(Line),
  error_class: Type.Optional(
    Type.String({
      pattern: errorClassPattern,
      examples: ['http_503'],
      description:
        'why it was given up: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted',
    }),
  ),
  ...timeRangeQuery,
}

export const DeadLetterQuery = Closed({ ...pageQuery, ...filterQuery })

export const DeadLetterReasonsQuery = Closed(filterQuery)

export const DeadLetterReasonsBody = Type.Object(
  {
    reasons: Type.Array(
      Type.Object({
        error_class: Type.String({
          description: 'the last attempt’s, such as http_503, or attempts_exhausted',
        }),
        count: Type.Integer(),
      }),
      { description: 'the most frequent first' },
    ),
    complete: Type.Boolean({ description: 'false: there may be more than were looked at, the newest 10000' }),
  },
  { title: 'DeadLetterReasons' },
)

export const DeadLetterParams = Type.Object({ delivery_id: idOf('dlv') })

export const ReplayBody = Type.Object(
  { delivery_id: Id, state: Type.Literal('pending') },
  { title: 'Replay' },
)
