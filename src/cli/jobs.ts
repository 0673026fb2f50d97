import { type Command, Option } from 'commander'
import type { JobResource } from '../client/resources.ts'
import { jobKinds, jobStates } from '../core/jobs.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { followJob } from './job-progress.ts'
import { addPageOptions, type PageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<JobResource>[] = [
  { title: 'JOB', kind: 'id', value: (row) => row.id },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'STATE', value: (row) => row.state },
  { title: 'DONE', value: (row) => row.done },
  { title: 'SKIPPED', value: (row) => row.skipped },
  { title: 'FAILED', value: (row) => row.failed },
  { title: 'OF', value: (row) => row.total },
  { title: 'MADE', kind: 'age', value: (row) => row.createdAt },
]

interface ListOptions extends PageOptions {
  readonly state?: JobResource['state']
  readonly kind?: JobResource['kind']
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'newest first', io)
  list.addOption(new Option('--state <state>', 'in this state').choices(jobStates))
  list.addOption(new Option('--kind <kind>', 'of this kind').choices(jobKinds))
  addPageOptions(list).run<ListOptions>(async ({ client, print }, _args, options) => {
    const { state, kind } = options
    print.page('Job', await client.jobs.list({ ...pageQuery(options), state, kind }), columns)
  })

  addApiCommand(command, 'show <id>', 'one job and how far it has got', io)
    .option('--wait', 'and wait for its end; exit code 1 when it is not done then')
    .run<{ wait?: boolean }>(async (context, [id = ''], options) => {
      const { client, print } = context
      const job = await client.jobs.get(await resolveId(id, client.jobs.list))
      if (options.wait === true) await followJob(context, job, { wait: true })
      else print.answer('Job', job)
    })

  const cancelText = 'end it; what is done stays done'
  addApiCommand(command, 'cancel <id>', cancelText, io).run(async ({ client, print }, [id = '']) => {
    print.answer('Job', await client.jobs.cancel(await resolveId(id, client.jobs.list)))
  })

  const pauseText = 'hold it until it is resumed; what is done stays done'
  addApiCommand(command, 'pause <id>', pauseText, io).run(async ({ client, print }, [id = '']) => {
    print.answer('Job', await client.jobs.pause(await resolveId(id, client.jobs.list)))
  })

  const resumeText = 'let a paused one go on where it stopped'
  addApiCommand(command, 'resume <id>', resumeText, io).run(async ({ client, print }, [id = '']) => {
    print.answer('Job', await client.jobs.resume(await resolveId(id, client.jobs.list)))
  })
}
