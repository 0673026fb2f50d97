/**
 * Where a `Webhook` gets its proxies from. Anything with these methods will do; `ProxyPool` is the built-in one.
 */

/** The URL of a proxy, or an object that has it: `http://`, `https://` or `socks5://`, credentials included. */
export type ProxyEntry = string | { readonly url: string }

export interface ProxyProvider {
  /** The proxy to use next. Asked once per send, and again after each proxy that failed. */
  get(): ProxyEntry | Promise<ProxyEntry>
  /** This one, exactly as `get` gave it, could not be connected to or timed out. */
  burn?(proxy: ProxyEntry): unknown
  /** An answer came through this one, whatever its status. */
  succeeded?(proxy: ProxyEntry): unknown
}
