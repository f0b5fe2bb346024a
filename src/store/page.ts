/** A page of a list, as every noun of the store has it. */

/** A page of a list, in the order of the list's key. */
export interface PageRequest {
  /** Begin after the item with this key; from the start if absent. */
  readonly after?: string
  /** How many at most. */
  readonly limit: number
}
