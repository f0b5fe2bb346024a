/** Comparisons of points in time. */

import { anyOf, type Operator } from './operator.ts'

// https://www.w3.org/TR/NOTE-datetime, from the year alone to fractions of a second.
const DATE = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9:.]+)(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/
const TIME = /^([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?$/
// Four digits alone are a year.
const EPOCH_SECONDS = /^[0-9]{5,13}(?:\.[0-9]+)?$/

/** An operator that compares the request's time with the policy's. */
export function compareDate(
  holds: (valueMs: number, operandMs: number) => boolean,
): Operator['compile'] {
  return (texts, { refuse }) =>
    anyOf(
      texts.map((text) => {
        const operandMs = parseDate(text) ?? refuse(`"${text}" is not a date`)
        return (value) => {
          const valueMs = parseDate(value)
          return valueMs !== undefined && holds(valueMs, operandMs)
        }
      }),
    )
}

/** Milliseconds since the epoch, of W3C's date formats or of seconds since the epoch. */
function parseDate(text: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000
  const [whole, year, month = '01', day = '01', time, zone = 'Z'] = DATE.exec(text) ?? []
  if (whole === undefined) return undefined
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day))
  // What is no date of the calendar, the calendar makes into another.
  if (!new Date(midnightMs).toISOString().startsWith(`${year}-${month}-${day}`)) return undefined
  const sinceMidnightMs = time === undefined ? 0 : parseTime(time)
  const offsetMs = parseZone(zone)
  if (sinceMidnightMs === undefined || offsetMs === undefined) return undefined
  return midnightMs + sinceMidnightMs - offsetMs
}

function parseTime(text: string): number | undefined {
  const [whole, hour, minute, second = '00', fraction = '0'] = TIME.exec(text) ?? []
  if (whole === undefined) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
  return seconds * 1000 + Math.trunc(Number(`0.${fraction}`) * 1000)
}

function parseZone(zone: string): number | undefined {
  // `Z` has neither hours nor minutes.
  const [hour, minute] = [Number(zone.slice(1, 3)), Number(zone.slice(4))]
  if (hour > 23 || minute > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hour * 60 + minute) * 60_000
}
