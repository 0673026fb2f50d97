/** Filters of lists, under the names that the API has for them too: `--endpoint` and `--endpoint-id` are one. */
import { type Command, Option } from 'commander'
import { moment } from './option-values.ts'

export interface TimeRangeOptions {
  readonly since?: string
  readonly until?: string
}

/** `of` completes "delivered to", "published" and the like. */
export function addTimeRange<C extends Command>(command: C, from: string): C {
  command
    .option('--since <time>', `${from} at or after this: RFC 3339, or how long ago, such as 2h`, moment)
    .option('--until <time>', `${from} before this`, moment)
  return command
}

/** An option `--endpoint <id>` that is also taken as `--endpoint-id`, which help does not show. */
export function addIdFilter<C extends Command>(command: C, name: string, description: string): C {
  command.option(`--${name} <id>`, description)
  const alias = new Option(`--${name}-id <id>`).hideHelp()
  command.addOption(alias)
  command.on(`option:${name}-id`, (value: string) => command.setOptionValue(name, value))
  return command
}
