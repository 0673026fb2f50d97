/** Where the browser is below /dashboard/, and how it gets elsewhere without loading the page anew. */
import { useEffect, useState } from 'preact/hooks'
import { readValues, type UrlShape, type ValuesOf, writeValues } from './url-values.ts'

// Assets lie in `dashboard/assets/`, whatever path the page has and whatever prefix a proxy puts before it.
const asset = import.meta.url

/** The address of the dashboard, with a slash at its end. */
export const home = new URL('..', asset)

/** The tenant is of all pages, so it goes along to each. */
const tenantName = 'tenant'

export interface Address {
  /** Below /dashboard/, such as `endpoints/ep_1`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Goes up with each page that was gone to, not with changes of the query. */
  readonly visit: number
}

let visit = 0
let address = readAddress()
const listeners = new Set<() => void>()

function readAddress(): Address {
  return {
    path: location.pathname.slice(home.pathname.length),
    query: new URLSearchParams(location.search),
    visit,
  }
}

function hear(): void {
  const before = address.path
  if (location.pathname.slice(home.pathname.length) !== before) visit += 1
  address = readAddress()
  for (const listener of listeners) listener()
}

/** Once, when the dashboard begins. */
export function watchAddress(): void {
  addEventListener('popstate', hear)
  document.addEventListener('click', followLink)
}

/** Links are plain `<a href>`: those that lead to another page of the dashboard do not load it anew. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element).closest('a')
  if (link === null || link.target !== '' || link.hasAttribute('download')) return
  const to = new URL(link.href, location.href)
  const isPage = to.origin === home.origin && to.pathname.startsWith(home.pathname)
  // A place within the page is the browser's own.
  if (!isPage || (to.hash !== '' && to.pathname === location.pathname)) return
  event.preventDefault()
  open(to)
}

function open(to: URL): void {
  history.pushState({ isFromHere: true }, '', to)
  scrollTo(0, 0)
  hear()
}

/** Of a page, with the tenant that is chosen now. Names with empty values are left out. */
export function hrefOf(path: string, query: Readonly<Record<string, string>> = {}): string {
  const to = new URL(path, home)
  const tenant = address.query.get(tenantName)
  if (tenant !== null) to.searchParams.set(tenantName, tenant)
  for (const [name, value] of Object.entries(query)) if (value !== '') to.searchParams.set(name, value)
  return to.pathname + to.search
}

/** To another page. */
export function goTo(path: string, query: Readonly<Record<string, string>> = {}): undefined {
  open(new URL(hrefOf(path, query), home))
}

/** Whether going back stays in the dashboard. */
export function cameFromHere(): boolean {
  return (history.state as { readonly isFromHere?: boolean } | null)?.isFromHere === true
}

export function useAddress(): Address {
  const [shown, setShown] = useState(address)
  useEffect(() => {
    const listener = () => setShown(address)
    listeners.add(listener)
    listener()
    return () => void listeners.delete(listener)
  }, [])
  return shown
}

type SetValues<S extends UrlShape> = (values: Partial<ValuesOf<S>>, how?: 'push' | 'replace') => void

/** Values of the query, and what changes them: each change is a step that going back takes back, unless told otherwise. */
export function useUrlState<S extends UrlShape>(shape: S): readonly [ValuesOf<S>, SetValues<S>] {
  const { query } = useAddress()
  const set: SetValues<S> = (values, how = 'push') => {
    const to = new URL(location.href)
    to.search = writeValues(shape, new URLSearchParams(location.search), values).toString()
    if (to.href === location.href) return
    if (how === 'push') history.pushState({ isFromHere: true }, '', to)
    else history.replaceState(history.state, '', to)
    hear()
  }
  return [readValues(shape, query), set]
}
