/**
 * Signing keys: an HMAC chain over the scope, which costs more than the signature itself and stays
 * the same all day. They are kept, bounded.
 */

import { createHmac, randomBytes } from 'node:crypto'

interface Kept {
  readonly secret: string
  readonly scope: string
  readonly key: Buffer
}

/** Signing keys by access key. */
export interface SigningKeys {
  /** The signing key of a secret for a scope, `<date>/<region>/<service>/aws4_request`. */
  of(accessKeyId: string, secret: string, scope: string): Buffer
  /** A key that is nobody's, for an access key that there is not: in the same steps. */
  ofNobody(accessKeyId: string, scope: string): Buffer
}

const KEPT_MAX = 4096
/** No access key has this id, since it has a character that none may have. */
const NOBODY = '-'

/** Makes an empty cache. */
export function createSigningKeys(): SigningKeys {
  const kept = new Map<string, Kept>()
  const nobodysSecret = randomBytes(30).toString('base64')

  function keyOf(named: string, accessKeyId: string, secret: string, scope: string): Buffer {
    // Looked up under the name that the request has in any case: that too takes its time.
    const found = kept.get(named)
    const known = named === accessKeyId ? found : kept.get(accessKeyId)
    if (known && known.scope === scope && known.secret === secret) return known.key
    const key = derive(secret, scope)
    kept.delete(accessKeyId)
    kept.set(accessKeyId, { secret, scope, key })
    const [oldest] = kept.keys()
    if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest)
    return key
  }

  return {
    of: (accessKeyId, secret, scope) => keyOf(accessKeyId, accessKeyId, secret, scope),
    ofNobody: (accessKeyId, scope) => keyOf(accessKeyId, NOBODY, nobodysSecret, scope),
  }
}

function derive(secret: string, scope: string): Buffer {
  let key = Buffer.from(`AWS4${secret}`)
  for (const part of scope.split('/')) {
    const next = createHmac('sha256', key).update(part).digest()
    key.fill(0)
    key = next
  }
  return key
}
