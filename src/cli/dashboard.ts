/** `outhook dashboard`: a link that signs a browser in by itself. */
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { finishApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

export function register(command: Command, io: CliIo): void {
  addNotes(
    command,
    'The browser may do what the token may, for 12 hours or until somebody signs out. Whoever opens the link first is signed in: hand it to nobody else.',
  )
  finishApiCommand(command, io).run(async ({ client, server, print }) => {
    const { link, expiresAt } = await makeDashboardLink(client, server)
    print.object({ link, expires_at: expiresAt }, { link })
  })
}

/** What follows `#` stays in the browser: no log of a server and no `Referer` has it. */
export async function makeDashboardLink(
  client: Pick<Client, 'signIns'>,
  { url, tenant }: { readonly url: string; readonly tenant?: string | undefined },
): Promise<{ readonly link: string; readonly expiresAt: string }> {
  const { code, expiresAt } = await client.signIns.createCode()
  const link = new URL('dashboard/', url.endsWith('/') ? url : `${url}/`)
  if (tenant !== undefined) link.searchParams.set('tenant', tenant)
  link.hash = `sign-in=${code}`
  return { link: link.href, expiresAt }
}
