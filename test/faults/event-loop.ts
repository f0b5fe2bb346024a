/**
 * How long an event loop stands still, and by whose doing: on a machine whose cores are shared, a
 * late turn is most often one whose thread waited for a core.
 */

import { closeSync, openSync, readSync } from 'node:fs'

/** What was seen of the turns, in milliseconds. */
export interface EventLoopTurns {
  readonly p50: number
  readonly p99: number
  /** The longest turn, by the clock on the wall. */
  readonly max: number
  /** Of that turn, what the thread spent waiting for a core. */
  readonly maxWaited: number
  /** All but one in a hundred stood still no longer than this, were there a core each time. */
  readonly p99Unwaited: number
  /** What one turn ran at most, garbage collection on this thread included. */
  readonly ranMax: number
}

interface Turn {
  readonly tookMs: number
  readonly waitedMs: number
  readonly ranMs: number
}

const EVERY_MS = 1

/**
 * Watches the event loop of a process's main thread until it is told to stop.
 *
 * Linux only: the wait for a core is the second number of /proc/self/schedstat
 * (https://docs.kernel.org/scheduler/sched-stats.html).
 */
export function watchEventLoop(): { stop(): EventLoopTurns } {
  const schedstat = openSync('/proc/self/schedstat', 'r')
  const text = Buffer.alloc(128)
  const read = () => {
    const length = readSync(schedstat, text, 0, text.length, 0)
    const [ran = '', waited = ''] = text.toString('latin1', 0, length).split(' ')
    return { atMs: performance.now(), ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 }
  }
  const turns: Turn[] = []
  let last = read()
  const timer = setInterval(() => {
    const now = read()
    turns.push({
      tookMs: now.atMs - last.atMs,
      waitedMs: now.waitedMs - last.waitedMs,
      ranMs: now.ranMs - last.ranMs,
    })
    last = now
  }, EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      closeSync(schedstat)
      return summed(turns)
    },
  }
}

function summed(turns: readonly Turn[]): EventLoopTurns {
  const rounded = (ms = Number.NaN) => Math.round(ms * 100) / 100
  const at = (share: number, of: (turn: Turn) => number) => {
    const sorted = turns.map(of).toSorted((one, other) => one - other)
    return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
  }
  const took = ({ tookMs }: Turn) => tookMs
  const longest = turns.toSorted((one, other) => other.tookMs - one.tookMs)[0]
  return {
    p50: at(0.5, took),
    p99: at(0.99, took),
    max: at(1, took),
    maxWaited: rounded(longest?.waitedMs),
    p99Unwaited: at(0.99, ({ tookMs, waitedMs }) => tookMs - waitedMs),
    ranMax: at(1, ({ ranMs }) => ranMs),
  }
}
