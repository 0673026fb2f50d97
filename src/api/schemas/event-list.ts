/** Which events are listed, and what a page of them says. */
import { Type } from '../../bundled/typebox.ts'
import { deliveryStates, limits } from '../../core/model.ts'
import { EventBody } from './events.ts'
import { Closed, Nullable, PageOf, pageQuery, Time, timeRangeQuery } from './shapes.ts'
import { controlCharacters, Line, TopicPattern } from './text-limits.ts'

export const EventPage = Type.Object(
  {
    ...PageOf(EventBody).properties,
    searched_until: Nullable({
      ...Time,
      description:
        'of a page that ended before it was full, because it had read enough: how far back it has looked. What is ' +
        'older is on the pages that follow. Null: it is full, or the last',
    }),
  },
  { title: 'EventPage' },
)

export const EventQuery = Closed({
  ...pageQuery,
  topic: Type.Optional(Line),
  topic_pattern: Type.Optional({
    ...TopicPattern,
    description: 'a topic, `prefix.*` for all below the prefix, or `*` for all: direct sends have none',
  }),
  ordering_key: Type.Optional(Line),
  metadata: Type.Optional(
    Type.String({
      pattern: `^[a-z0-9_-]{1,64}=(?!\\s)[^${controlCharacters}]*$(?<!\\s)`,
      maxLength: limits.maxMetadataKeyBytes + 1 + limits.maxMetadataValueBytes,
      examples: ['source=shop'],
      description: 'with exactly this value, as `name=value`',
    }),
  ),
  delivery_state: Type.Optional(
    Type.Enum([...deliveryStates], {
      description: 'of the first 100 deliveries of the event, one at least is in this state',
    }),
  ),
  ...timeRangeQuery,
})
