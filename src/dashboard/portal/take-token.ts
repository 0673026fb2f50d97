/** Takes the token out of the address, so that it is in no entry of the history, and is sent to nobody with a link. */
export function takeToken(): string | null {
  const token = /^#(hkprt_[0-9a-f]{64})$/.exec(location.hash)?.[1] ?? null
  if (token !== null) history.replaceState(history.state, '', location.pathname + location.search)
  return token
}
