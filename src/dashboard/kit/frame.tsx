/** What stands around every page: where one can go, of which tenant the pages are, who is signed in. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { pages } from '../pages.ts'
import { messageOf, signOut } from '../server.ts'
import { TenantChoice } from '../tenant-choice.tsx'
import { hrefOf, useAddress } from './address.ts'
import type { PageEntry } from './page-entry.ts'
import { useTell } from './results.tsx'
import { useSession } from './session.ts'

interface FrameProps {
  readonly onSignOut: () => void
  readonly children: ComponentChildren
}

export function Frame({ onSignOut, children }: FrameProps) {
  const { signIn } = useSession()
  const tell = useTell()
  const { visit } = useAddress()
  const [isOpen, setOpen] = useState(false)
  // On a narrow screen the navigation lies over the page, which is what somebody wants to see who has chosen one.
  useEffect(() => setOpen(false), [visit])
  const leave = () => {
    signOut().then(onSignOut, (error: unknown) => tell.failed(`Not signed out: ${messageOf(error)}`))
  }
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header>
        <strong>Outhook</strong>
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          Pages
        </button>
        <span class="who">
          role <b>{signIn.role}</b>
        </span>
        {signIn.tenantId === null && <TenantChoice />}
        <button type="button" onClick={leave}>
          Sign out
        </button>
      </header>
      <div class="frame">
        <Navigation isOpen={isOpen} />
        <main id="content" tabIndex={-1}>
          {children}
        </main>
      </div>
    </>
  )
}

const groups = ['Now', 'Setup', 'Repair', 'Server'] as const

function Navigation({ isOpen }: { readonly isOpen: boolean }) {
  const { path } = useAddress()
  return (
    <nav id="navigation" class={isOpen ? 'navigation open' : 'navigation'} aria-label="Pages">
      {groups.map((group) => {
        const entries = pages.filter((page) => page.group === group)
        if (entries.length === 0) return null
        return (
          <div key={group}>
            <h2 id={`group-${group}`}>{group}</h2>
            <ul aria-labelledby={`group-${group}`}>
              {entries.map((entry) => (
                <li key={entry.path}>
                  <NavigationLink entry={entry} path={path} />
                </li>
              ))}
            </ul>
          </div>
        )
      })}
    </nav>
  )
}

function NavigationLink({ entry, path }: { readonly entry: PageEntry; readonly path: string }) {
  const { whyNot, whyNotSee } = useSession()
  const isRefused = whyNotSee(entry) !== null
  const hasRole = whyNot(entry.needs ?? 'viewer') === null
  const isHere = path === entry.path
  // A page about one endpoint lies below the list of them.
  const isAround = entry.path !== '' && path.startsWith(`${entry.path}/`)
  return (
    <>
      <a href={hrefOf(entry.path)} aria-current={isHere ? 'page' : isAround ? 'true' : undefined}>
        {entry.title}
      </a>
      {isRefused && <span class="hint"> ({hasRole ? 'token of all tenants' : entry.needs} only)</span>}
    </>
  )
}
