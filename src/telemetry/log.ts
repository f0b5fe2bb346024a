/** The log: JSON lines for machines, on standard error. */

import { pino } from 'pino'

/** How serious a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Writes a line. Fields must hold no secret: no PIN, plaintext, data key or request body. Of an
 * error, its stack and those of its causes are written.
 */
export type Log = (level: LogLevel, message: string, fields?: object) => void

/** How long a chain of causes is followed. */
const CAUSES_MAX = 5

/** Opens the log at a level; lines below it are dropped. */
export function openLog(level: LogLevel): Log {
  const logger = pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: withReadableErrors },
    },
    pino.destination({ dest: 2, sync: true }),
  )
  return (lineLevel, message, fields) => logger[lineLevel](fields ?? {}, message)
}

/** As JSON an error is empty. */
function withReadableErrors(fields: Record<string, unknown>): Record<string, unknown> {
  const readable = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? stacks(value).join('\ncaused by ') : value,
  ])
  return Object.fromEntries(readable)
}

function stacks(error: unknown, depth = 1): readonly string[] {
  if (!(error instanceof Error)) return error === undefined ? [] : [String(error)]
  const own = error.stack ?? String(error)
  return depth === CAUSES_MAX ? [own] : [own, ...stacks(error.cause, depth + 1)]
}
