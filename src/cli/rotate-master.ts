/** `outhook keys rotate-master`: everything that is sealed is sealed anew under the new master key. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import type { MasterKeyResource } from '../client/resources.ts'
import { type ApiContext, addApiCommand } from './api-command.ts'
import { createBar, followMs, type Progress } from './bar.ts'
import { counted } from './counted.ts'
import { FindingsError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { wrap } from './wrap.ts'

export function registerRotateMaster(command: Command, io: CliIo): void {
  const text = 'seal all secrets under the new master key, while servers run that were started with both'
  addApiCommand(command, 'rotate-master', text, io)
    .option('--no-wait', 'do not wait until it is done')
    .addHelpText(
      'after',
      `\n${wrap('Before: start every process with the new key as OUTHOOK_MASTER_KEY and the old one as OUTHOOK_MASTER_KEY_OLD. Afterwards: take the old one away.')}`,
    )
    .run<{ wait: boolean }>(async (context, _args, options) => {
      const started = await context.client.keys.rotateMaster()
      const state = options.wait ? await untilDone(context, started) : started
      context.print.answer('MasterKey', state)
      if (state.replacing !== null) return
      if (state.remaining > 0) {
        const values = counted(state.remaining, 'value')
        throw new FindingsError(
          `${values} stayed under the old key: the log says which are damaged; for others run this again`,
        )
      }
      context.print.note('\nNothing is sealed under the old key any more: take it away from every process.')
    })
}

async function untilDone(
  { client, print, io }: ApiContext,
  started: MasterKeyResource,
): Promise<MasterKeyResource> {
  const bar = print.json ? null : createBar(io)
  let state = started
  while (state.replacing !== null) {
    bar?.show(progressOf(state, started))
    await wait(followMs)
    state = await client.keys.getMaster()
  }
  bar?.show({ share: 1, line: 'sealed anew' })
  bar?.end()
  return state
}

function progressOf({ remaining }: MasterKeyResource, started: MasterKeyResource): Progress {
  const total = Math.max(started.remaining, remaining)
  const line = `${counted(remaining, 'value')} left under the old key`
  return { share: total === 0 ? null : 1 - remaining / total, line }
}
