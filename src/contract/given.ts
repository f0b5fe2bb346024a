/**
 * Texts and blobs that were given and are empty. Protobuf does not tell them from absent ones,
 * AWS's JSON does: what is required may be there and yet too short.
 */

const EMPTY = Symbol('given and empty')

interface Noting {
  [EMPTY]?: Set<string>
}

/** Notes that a member of a message was given, if it is an empty text or blob. */
export function noteGiven(message: object, name: string, value: unknown): void {
  const isEmpty = value === '' || (value instanceof Uint8Array && value.length === 0)
  if (!isEmpty) return
  const noting: Noting = message
  noting[EMPTY] ??= new Set()
  noting[EMPTY].add(name)
}

/** Whether a member of a message was given, although it is empty. */
export function isGivenEmpty(message: object, name: string): boolean {
  return (message as Noting)[EMPTY]?.has(name) === true
}
