/** Reads the elements of a policy, each with its place for the message of a refusal. */

import { fail } from '../model/failures.ts'
import type { Json } from './json.ts'

/** A JSON value and where it stands: `Statement[2].Condition`. */
export interface Element {
  readonly place: string
  readonly json: Json
}

/** Refuses a policy. @throws KmsError MalformedPolicyDocumentException, always. */
export function refuse(place: string, what: string): never {
  fail('MalformedPolicyDocumentException', `${place}: ${what}.`)
}

/** What refuses a policy for something at a place. */
export function refusalAt(place: string): (what: string) => never {
  return (what) => refuse(place, what)
}

/**
 * The members of an object.
 *
 * @throws KmsError MalformedPolicyDocumentException if it is none, or has others than `known`.
 */
export function membersOf(
  { place, json }: Element,
  known?: readonly string[],
): ReadonlyMap<string, Element> {
  if (json.kind !== 'object') refuse(place, 'is not an object')
  const members = new Map<string, Element>()
  for (const [name, value] of json.members) {
    if (known && !known.includes(name)) refuse(place, `has the unknown member "${name}"`)
    members.set(name, { place: place === DOCUMENT ? name : `${place}.${name}`, json: value })
  }
  return members
}

/** The place of the whole policy. */
export const DOCUMENT = 'The policy'

/** A text. @throws KmsError MalformedPolicyDocumentException if it is none. */
export function textOf({ place, json }: Element): string {
  return json.kind === 'text' ? json.text : refuse(place, 'is not a string')
}

/**
 * A text or a list of texts, of which there is at least one; numbers and booleans as they are
 * written, where they may stand for texts.
 *
 * @throws KmsError MalformedPolicyDocumentException if it is none.
 */
export function textsOf({ place, json }: Element, scalars = false): readonly string[] {
  const items = json.kind === 'list' ? json.items : [json]
  if (items.length === 0) refuse(place, 'is empty')
  return items.map((item) => {
    const isText = item.kind === 'text'
    const isScalar = scalars && (item.kind === 'number' || item.kind === 'boolean')
    if (!isText && !isScalar) refuse(place, 'has a value that is not a string')
    return item.text
  })
}
