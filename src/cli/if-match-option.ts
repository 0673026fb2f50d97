import type { ApiCommand } from './api-command.ts'

/** What was parsed of `--if-match`; as an option of a call of the client. */
export interface IfMatchOption {
  readonly ifMatch?: string
}

/** For a command that changes one object. */
export function addIfMatch(command: ApiCommand): ApiCommand {
  command.option('--if-match <version>', 'only if its version still is this one, which "get" shows')
  return command
}

export function ifMatchIn({ ifMatch }: IfMatchOption): IfMatchOption {
  return ifMatch === undefined ? {} : { ifMatch }
}
