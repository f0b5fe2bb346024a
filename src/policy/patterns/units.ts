/**
 * Whether a text fits a row of units: UTF-16 units, with negative numbers for wildcards.
 *
 * Two ways lead to the same answer. The first one takes as much as it can and tries again from the
 * last asterisk, which is the fastest for what policies hold, and costs the product of both lengths
 * for what is made to cost it. So it gives up after some steps for each unit, and the second one
 * begins anew, which costs the same for whatever row.
 */

/** Any number of units. */
export const MANY = -1
/** One unit. */
export const ONE = -2
/** Any number of units but no colon: it ends before the next part of an ARN. */
export const MANY_WITHIN = -3
/** One unit but no colon. */
export const ONE_WITHIN = -4

const COLON = 0x3a
/** How many steps the first way may take for each unit of the row and of the text. */
const PATIENCE = 4

/**
 * Whether a text fits a row of units from a place on.
 *
 * In a few steps for each unit, and for each unit of the text one for every 32 units of the row.
 */
export function fits(
  units: readonly number[],
  text: string,
  from: number,
  patience = PATIENCE,
): boolean {
  const steps = patience * (units.length + text.length - from)
  return fitsWithin(steps, units, text, from) ?? fitsAtOnce(units, text, from)
}

/**
 * Only the last asterisk of each kind can need another try. One that stays within its part of an
 * ARN is given up at the colon for the last one that does not.
 *
 * @returns `undefined` if it takes more steps than it may.
 */
function fitsWithin(
  steps: number,
  units: readonly number[],
  text: string,
  from: number,
): boolean | undefined {
  let unit = 0
  let at = from
  let many = -1
  let manyAt = 0
  let within = -1
  let withinAt = 0
  for (let left = steps; left > 0; left -= 1) {
    const wanted = units[unit]
    if (wanted === MANY) {
      many = unit
      manyAt = at
      within = -1
      unit += 1
      if (unit === units.length) return true
    } else if (wanted === MANY_WITHIN) {
      within = unit
      withinAt = at
      unit += 1
    } else if (at < text.length && wanted !== undefined && isUnit(wanted, text.charCodeAt(at))) {
      unit += 1
      at += 1
    } else if (at === text.length && wanted === undefined) {
      return true
    } else if (within >= 0 && withinAt < text.length && text.charCodeAt(withinAt) !== COLON) {
      withinAt += 1
      at = withinAt
      unit = within + 1
    } else if (many >= 0 && manyAt < text.length) {
      within = -1
      manyAt += 1
      at = manyAt
      unit = many + 1
    } else {
      return false
    }
  }
  return undefined
}

function isUnit(wanted: number, unit: number): boolean {
  return wanted === unit || wanted === ONE || (wanted === ONE_WITHIN && unit !== COLON)
}

/** Sets of places in a row, a bit for each. */
interface Places {
  /** How many units of a text the row takes, but for its asterisks. */
  readonly length: number
  /** Where a unit is taken that stands in the row. */
  readonly takes: ReadonlyMap<number, Int32Array>
  /** Where any other unit is taken. */
  readonly takesAny: Int32Array
  /** Where a colon is taken, if none stands in the row. */
  readonly takesColon: Int32Array
  /** Where there is an asterisk, of any kind. */
  readonly stays: Int32Array
  /** Where there is one that reaches beyond a colon. */
  readonly staysAtColon: Int32Array
}

/** Follows all ways at once: a place is the number of units that have been taken. */
function fitsAtOnce(units: readonly number[], text: string, from: number): boolean {
  const places = placesOf(units)
  const { length } = places
  const reached = placesFor(length)
  add(reached, 0)
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    const isColon = unit === COLON
    const takes = places.takes.get(unit) ?? (isColon ? places.takesColon : places.takesAny)
    const stays = isColon ? places.staysAtColon : places.stays
    // The end is out of reach from below the first one; none is above the last one.
    const first = Math.max(0, length - (text.length - at)) >> 5
    const last = Math.min(length, at - from + 1) >> 5
    let carried = 0
    for (let word = first; word <= last; word += 1) {
      const here = reached[word] ?? 0
      const taken = here & (takes[word] ?? 0)
      reached[word] = (taken << 1) | carried | (here & (stays[word] ?? 0))
      carried = taken >>> 31
    }
  }
  return has(reached, length)
}

function placesOf(units: readonly number[]): Places {
  const length = units.filter((unit) => unit !== MANY && unit !== MANY_WITHIN).length
  const [takesAny, takesColon] = [placesFor(length), placesFor(length)]
  const [stays, staysAtColon] = [placesFor(length), placesFor(length)]
  const literal = new Map<number, Int32Array>()
  let place = 0
  for (const unit of units) {
    if (unit === MANY || unit === MANY_WITHIN) {
      add(stays, place)
      if (unit === MANY) add(staysAtColon, place)
      continue
    }
    if (unit === ONE) add(takesColon, place)
    if (unit === ONE || unit === ONE_WITHIN) add(takesAny, place)
    else {
      const known = literal.get(unit) ?? placesFor(length)
      literal.set(unit, known)
      add(known, place)
    }
    place += 1
  }
  for (const [unit, known] of literal) {
    const others = unit === COLON ? takesColon : takesAny
    for (const [word, bits] of others.entries()) known[word] = (known[word] ?? 0) | bits
  }
  return { length, takes: literal, takesAny, takesColon, stays, staysAtColon }
}

function placesFor(length: number): Int32Array {
  return new Int32Array((length >> 5) + 1)
}

function add(places: Int32Array, place: number): void {
  const word = place >> 5
  places[word] = (places[word] ?? 0) | (1 << (place & 31))
}

function has(places: Int32Array, place: number): boolean {
  return ((places[place >> 5] ?? 0) & (1 << (place & 31))) !== 0
}
