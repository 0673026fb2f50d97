/** What the process of `--processes` and its workers say to each other. */

/** From a worker. */
export type WorkerMessage =
  /** It serves. */
  | { readonly kind: 'up'; readonly url: string }
  /** Somebody asked it for `/metrics`. */
  | { readonly kind: 'metrics'; readonly id: number }
  | { readonly kind: 'snapshot'; readonly id: number; readonly snapshot: unknown }

/** To a worker. */
export type GroupMessage =
  /** As SIGTERM, which Windows does not have. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'snapshot'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
