/** Reads `application/x-www-form-urlencoded`, bounded. */

import { isUtf8 } from 'node:buffer'
import { fail } from '../../../model/failures.ts'

/** The parameters by their names; each is there once. */
export type Form = ReadonlyMap<string, string>

const PARAMETERS_MAX = 1000

/**
 * Reads a form.
 *
 * @throws KmsError SerializationException for a malformed one, too many parameters, or one twice.
 */
export function readForm(bytes: Buffer): Form {
  const form = new Map<string, string>()
  if (!isUtf8(bytes)) malformed('it is not UTF-8')
  for (const pair of bytes.toString().split('&', PARAMETERS_MAX + 1)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals))
    if (form.has(name)) malformed(`the parameter '${name.slice(0, 64)}' is there twice`)
    if (form.size >= PARAMETERS_MAX) malformed('it has too many parameters')
    form.set(name, equals < 0 ? '' : decoded(pair.slice(equals + 1)))
  }
  return form
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return malformed('it has a percent sign that begins no character')
  }
}

function malformed(why: string): never {
  fail('SerializationException', `The body of the request is not usable: ${why}.`)
}
