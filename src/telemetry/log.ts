/** The log: JSON lines for machines, on standard error. */

import { pino } from 'pino'

/** How serious a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Writes a line. Fields must hold no secret: no PIN, plaintext, data key or request body. */
export type Log = (level: LogLevel, message: string, fields?: object) => void

/** Opens the log at a level; lines below it are dropped. */
export function openLog(level: LogLevel): Log {
  const logger = pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
  return (lineLevel, message, fields) => logger[lineLevel](fields ?? {}, message)
}
