/** Shows the page that the address means, and loads its chunk first. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { messageOf } from '../server.ts'
import { hrefOf, useAddress } from './address.ts'
import { Loading, PageHeading } from './detail.tsx'
import { findPage } from './find-page.ts'
import type { Params } from './match-path.ts'
import type { PageEntry, PageProps } from './page-entry.ts'
import { useSession } from './session.ts'

/** What was loaded once is there at once. */
const loaded = new Map<PageEntry, ComponentType<PageProps>>()

export function PageOutlet() {
  const { path } = useAddress()
  const found = findPage(path)
  if (found === null) {
    return (
      <>
        <PageHeading>There is no such page</PageHeading>
        <p>
          The address may be mistyped, or of a newer version. Go to the <a href={hrefOf('')}>overview</a>.
        </p>
      </>
    )
  }
  // A page about another thing begins anew.
  return <Loaded key={path} entry={found.entry} params={found.params} />
}

interface LoadedProps {
  readonly entry: PageEntry
  readonly params: Params
}

function Loaded({ entry, params }: LoadedProps) {
  const { whyNotSee } = useSession()
  const [Page, setPage] = useState<ComponentType<PageProps> | undefined>(() => loaded.get(entry))
  const [problem, setProblem] = useState<string | null>(null)
  const reason = whyNotSee(entry)
  useEffect(() => {
    if (Page !== undefined || reason !== null) return
    let isShown = true
    entry.load().then(
      (chunk) => {
        loaded.set(entry, chunk.Page)
        if (isShown) setPage(() => chunk.Page)
      },
      (error: unknown) => isShown && setProblem(messageOf(error)),
    )
    return () => {
      isShown = false
    }
  }, [])
  if (Page !== undefined && reason === null) return <Page params={params} />
  return (
    <>
      <PageHeading>{entry.title}</PageHeading>
      {reason !== null && <p class="empty">{reason} Sign in with such a token to see this page.</p>}
      {reason === null && problem === null && <Loading />}
      {problem !== null && (
        // The server was brought up to date meanwhile and has other chunks now, or it is away.
        <div role="alert" class="error">
          The page could not be loaded: {problem}{' '}
          <button type="button" onClick={() => location.reload()}>
            Load it again
          </button>
        </div>
      )}
    </>
  )
}
