/**
 * CPU of other processes as the kernel counts it, in nanoseconds: `/proc/PID/stat` knows only hundredths of a second,
 * more than an idle process uses in ten. Linux alone has it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Spent } from './cpu-meter.ts'

/** Of `cutime` and `cstime`, which Linux shows in this unit on every machine. */
const microsPerTick = 10_000

export function canMeterProcesses(): boolean {
  return existsSync('/proc/self/schedstat')
}

/** Of the process, all its threads and all processes under it, those included that begin or end meanwhile. */
export function meterProcess(pid: number): () => Spent {
  const startedAt = performance.now()
  const [all, thread] = [treeMicros(pid), threadMicros(`${pid}/task/${pid}`)]
  return () => ({
    wallMs: performance.now() - startedAt,
    cpuMicros: treeMicros(pid) - all,
    threadMicros: threadMicros(`${pid}/task/${pid}`) - thread,
  })
}

interface ProcessState {
  readonly pid: number
  readonly name: string
  readonly parent: number
  /** CPU of its children that have ended. */
  readonly endedMicros: number
}

/** Null when it has ended. */
export function readProcess(pid: number): ProcessState | null {
  const text = readProc(`${pid}/stat`)
  if (text === null) return null
  // The name, in brackets, may itself contain spaces and brackets.
  const [nameStart, nameEnd] = [text.indexOf('('), text.lastIndexOf(')')]
  const fields = text.slice(nameEnd + 2).split(' ')
  return {
    pid,
    name: text.slice(nameStart + 1, nameEnd),
    parent: Number(fields[1]),
    endedMicros: (Number(fields[13]) + Number(fields[14])) * microsPerTick,
  }
}

function treeMicros(root: number): number {
  const states = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
  let micros = 0
  const add = (state: ProcessState) => {
    micros += state.endedMicros + ownMicros(state.pid)
    for (const child of states) if (child.parent === state.pid) add(child)
  }
  const state = states.find(({ pid }) => pid === root)
  if (state === undefined) throw new Error(`process ${root}, which is measured, has ended`)
  add(state)
  return micros
}

/** Of the threads that live: neither Node nor PostgreSQL ends any while it works. */
function ownMicros(pid: number): number {
  let tasks: readonly string[]
  try {
    tasks = readdirSync(`/proc/${pid}/task`)
  } catch {
    return 0
  }
  return tasks.reduce((sum, task) => sum + threadMicros(`${pid}/task/${task}`), 0)
}

function threadMicros(task: string): number {
  return Number(readProc(`${task}/schedstat`)?.split(' ')[0] ?? 0) / 1000
}

function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return null
  }
}
