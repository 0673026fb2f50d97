/** Whoever has opened a link: nobody yet, somebody whose link has ended, or somebody who is let in. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Portal } from '../../client/index.ts'
import { home, hrefOf, useAddress } from '../kit/address.ts'
import { formatMoment, t } from './locales.ts'
import { Outlet } from './outlet.tsx'
import { type Ability, messageOf, openServer, type Session, SessionContext, statusOf } from './session.tsx'
import type { Theme } from './theme.ts'

type View =
  | { readonly kind: 'loading' }
  | { readonly kind: 'told'; readonly title: string; readonly why: string; readonly canRetry: boolean }
  | { readonly kind: 'in'; readonly portal: Portal }

interface AppProps {
  readonly token: string | null
  readonly theme: Theme
}

export function App({ token, theme }: AppProps) {
  const server = useMemo(() => openServer(token ?? ''), [token])
  const [view, setView] = useState<View>({ kind: 'loading' })
  const onEnd = (error: unknown) => setView(endOf(error))
  const look = () => {
    if (token === null) {
      return setView({ kind: 'told', title: t('noLink'), why: t('noLinkWhy'), canRetry: false })
    }
    setView({ kind: 'loading' })
    server.portals.get().then((portal) => setView({ kind: 'in', portal }), onEnd)
  }
  useEffect(look, [token])
  if (view.kind === 'loading') {
    return (
      <main class="narrow" aria-busy="true">
        <p role="status">{t('loading')}</p>
      </main>
    )
  }
  if (view.kind === 'told') {
    return (
      <main class="narrow">
        <Brand theme={theme} name={null} />
        <h1>{view.title}</h1>
        <p role="alert">{view.why}</p>
        {view.canRetry && (
          <button type="button" onClick={look}>
            {t('tryAgain')}
          </button>
        )}
      </main>
    )
  }
  return <LetIn portal={view.portal} server={server} theme={theme} onEnd={onEnd} />
}

interface LetInProps extends Pick<Session, 'portal' | 'server' | 'onEnd'> {
  readonly theme: Theme
}

function LetIn({ portal, server, theme, onEnd }: LetInProps) {
  const { path } = useAddress()
  const [said, setSaid] = useState<{ readonly text: string; readonly at: string } | null>(null)
  // The page that it is said on may be the one that somebody is sent to at the same moment.
  const tell = (text: string) => setSaid({ text, at: location.pathname })
  useEffect(() => setSaid((now) => (now?.at === location.pathname ? now : null)), [path])
  const can = (ability: Ability) => portal.abilities.includes(ability)
  return (
    <SessionContext.Provider value={{ portal, server, can, tell, onEnd }}>
      <a class="skip" href="#content">
        {t('skip')}
      </a>
      <header>
        <Brand theme={theme} name={portal.tenantName} />
        <Navigation />
      </header>
      <main id="content" tabIndex={-1}>
        <div role="status" class="hint">
          {said?.text}
        </div>
        <Outlet />
        {portal.expiresAt !== null && (
          <p class="hint footer">{t('until', { time: formatMoment(portal.expiresAt) })}</p>
        )}
      </main>
    </SessionContext.Provider>
  )
}

/** Why nobody is let in, in words for somebody who was given a link. */
function endOf(error: unknown): View {
  const why = messageOf(error)
  const told = (title: string, text: string, canRetry = false): View => ({
    kind: 'told',
    title,
    why: text,
    canRetry,
  })
  switch (statusOf(error)) {
    case 401:
      if (why.includes('has expired')) return told(t('expired'), t('endedWhy'))
      return told(why.includes('has been revoked') ? t('revoked') : t('unknown'), t('endedWhy'))
    case 429:
      return told(t('slowed'), t('slowedWhy'), true)
    default:
      return told(t('title'), t('unreachable', { why }), true)
  }
}

function Brand({ theme, name }: { readonly theme: Theme; readonly name: string | null }) {
  const shown = theme.name ?? (name === null || name === '' ? t('title') : name)
  return (
    <span class="brand">
      {theme.logo !== null && (
        <img class="logo" alt="" src={theme.logo === './logo' ? new URL('logo', home).href : theme.logo} />
      )}
      <strong>{shown}</strong>
    </span>
  )
}

function Navigation() {
  const { path } = useAddress()
  const pages = [
    ['', t('endpoints')],
    ['deliveries', t('deliveries')],
    ['activity', t('activity')],
  ] as const
  const isNow = (page: string) =>
    page === '' ? path === '' || path.startsWith('endpoints') : path.startsWith(page)
  return (
    <nav class="bar" aria-label={t('title')}>
      {pages.map(([page, text]) => (
        <a key={page} href={hrefOf(page)} aria-current={isNow(page) ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  )
}
