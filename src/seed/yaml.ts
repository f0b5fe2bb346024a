/** Reads YAML member by member, each with its place in the file, which every complaint names. */

import { readFileSync } from 'node:fs'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

/** A seed that cannot be read or applied; the message begins with file and line. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
}

/** A value in the file. */
export interface Place {
  /** `seed.yaml:12`. */
  readonly at: string
  /** The file. */
  readonly path: string
  readonly node: Node | null
  /** The place of a node within. */
  readonly placeOf: (node: Node | null) => Place
}

/** Reads a file. */
export function readYaml(path: string): Place {
  const lines = new LineCounter()
  const document = parseDocument(textOfFile(path, path), {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    // A number would lose the zeros that an account begins with.
    schema: 'failsafe',
  })
  const at = (offset = 0) => `${path}:${lines.linePos(offset).line}`
  const [error] = document.errors
  if (error) throw new SeedError(`${at(error.pos[0])}: ${error.message}`)
  const placeOf = (node: Node | null): Place => ({
    at: at(node?.range?.[0]),
    path,
    node,
    placeOf,
  })
  return placeOf(document.contents)
}

/**
 * The members of a mapping.
 *
 * @throws SeedError for anything else, and for a member that is not known.
 */
export function membersOf<Name extends string>(
  place: Place,
  known?: readonly Name[],
): ReadonlyMap<Name, Place> {
  const { node, placeOf } = place
  if (node === null || (isScalar(node) && node.source === '')) return new Map()
  if (!isMap<Node, Node | null>(node)) return refuse(place, 'must be a mapping')
  const members = new Map<Name, Place>()
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (known && !known.includes(name as Name)) {
      refuse(placeOf(key), `${name} is not one of ${known.join(', ')}`)
    }
    members.set(name as Name, placeOf(value ?? null))
  }
  return members
}

/** The items of a list; none if it is absent. */
export function itemsOf(place: Place | undefined): readonly Place[] {
  if (!place) return []
  const { node, placeOf } = place
  if (!isSeq<Node>(node)) return refuse(place, 'must be a list')
  return node.items.map(placeOf)
}

/** A text. */
export function textOf(place: Place): string {
  return isScalar(place.node) ? String(place.node.value) : refuse(place, 'must be a text')
}

/** Texts by their names; none if the mapping is absent. */
export function textsOf(place: Place | undefined): ReadonlyMap<string, string> {
  const members = place ? membersOf(place) : new Map<string, Place>()
  return new Map([...members].map(([name, value]) => [name, textOf(value)]))
}

/** A JSON document: written as YAML, or as a text that is taken as it stands. */
export function documentOf(place: Place): string {
  return isScalar(place.node) ? textOf(place) : JSON.stringify(plainOf(place))
}

/** The content of the file that a text names, relative to the seed, without the last line end. */
export function fileOf(place: Place, resolvePath: (path: string) => string): string {
  return textOfFile(resolvePath(textOf(place)), place.at).trimEnd()
}

/** Complains about a place. */
export function refuse({ at }: Place, what: string): never {
  throw new SeedError(`${at}: ${what}`)
}

function plainOf(place: Place): unknown {
  const { node, placeOf } = place
  if (isSeq<Node>(node)) return node.items.map((item) => plainOf(placeOf(item)))
  if (isMap(node)) {
    return Object.fromEntries([...membersOf(place)].map(([name, value]) => [name, plainOf(value)]))
  }
  return textOf(place)
}

function textOfFile(path: string, at: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new SeedError(`${at}: ${path} cannot be read (${code})`)
  }
}

/** A member that has to be there. */
export function required<Name extends string>(
  place: Place,
  members: ReadonlyMap<Name, Place>,
  name: Name,
): string {
  const member = members.get(name)
  return member ? textOf(member) : refuse(place, `there is no ${name}`)
}

/** A text that may be absent. */
export function optional(place: Place | undefined): string | undefined {
  return place && textOf(place)
}
