/** Processes of the benchmark: each part runs engine, receivers and load in processes of their own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a process can be asked, by name. */
export type Commands = Readonly<Record<string, (input: never) => unknown>>

export interface Remote<C extends Commands> {
  call<Name extends keyof C & string>(
    name: Name,
    ...input: Parameters<C[Name]>
  ): Promise<Awaited<ReturnType<C[Name]>>>
  /** Ends the process and waits for it. Can be called twice. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Where the CPU profiles of all its threads go when it ends. */
  readonly profileDir?: string | null
  /** Another build of the product, for what `product.ts` loads. */
  readonly dist?: string | undefined
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** No single command of the benchmark takes longer. */
const callTimeoutMs = 10 * 60_000
const stopTimeoutMs = 60_000

export async function startProcess<C extends Commands>(
  file: URL,
  options: StartOptions = {},
): Promise<Remote<C>> {
  // As an environment variable it reaches the store's threads, which have arguments of their own.
  const profile = options.profileDir
    ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${options.profileDir}` }
    : {}
  const build = options.dist === undefined ? {} : { OUTHOOK_BENCH_DIST: options.dist }
  const env = { ...process.env, ...profile, ...build }
  const child = fork(fileURLToPath(file), [], { serialization: 'advanced', env })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let nextId = 0
  let gone: Error | null = null
  const end = (error: Error) => {
    gone ??= error
    for (const { reject } of waiting.values()) reject(gone)
    waiting.clear()
  }
  child.on('message', ({ id, value, error }: Answer) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  })
  child.on('error', end)
  child.on('exit', (code, signal) => end(new Error(`${file.pathname} ended with ${code ?? signal}`)))
  await once(child, 'message')
  return {
    async call(name, ...input) {
      if (gone !== null) throw gone
      const id = nextId++
      const call = Promise.withResolvers<unknown>()
      waiting.set(id, call)
      child.send({ id, name, input: input[0] })
      const timer = setTimeout(() => call.reject(new Error(`${name} took too long`)), callTimeoutMs)
      return (await call.promise.finally(() => clearTimeout(timer))) as never
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await exited
      clearTimeout(timer)
    },
  }
}
