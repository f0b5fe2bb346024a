/** A signed HTTP request as the verifier reads it. */

/** Header values by their names in lower case, each in the order in which it was sent. */
export type Headers = ReadonlyMap<string, readonly string[]>

/** A request, whoever has parsed it. */
export interface SignedRequest {
  readonly method: string
  /** The request target as it was sent: the path, and the query behind a question mark. */
  readonly target: string
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Reads headers as `node:http` gives them in `rawHeaders`: names and values in turn. */
export function readHeaders(raw: readonly string[]): Headers {
  const headers = new Map<string, string[]>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    const value = raw[at + 1] ?? ''
    const known = headers.get(name)
    if (known) known.push(value)
    else headers.set(name, [value])
  }
  return headers
}

/** The value of a header that was sent once; `undefined` when it was sent never or repeatedly. */
export function single(headers: Headers, name: string): string | undefined {
  const values = headers.get(name)
  return values?.length === 1 ? values[0] : undefined
}
