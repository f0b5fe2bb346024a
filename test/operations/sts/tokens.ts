/** Issuers of JSON Web Tokens for tests. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** An issuer with one key. */
export interface Issuer {
  readonly url: string
  readonly audience: string
  /** Its JSON Web Key Set. */
  readonly jwks: string
  /** Signs claims, after sound ones. */
  sign(
    claims?: JWTPayload,
    header?: { readonly alg?: string; readonly kid?: string },
  ): Promise<string>
}

/** Makes an issuer whose tokens are good for five minutes from `clock`, ms since the epoch. */
export async function newIssuer(
  clock: () => number,
  { url = 'https://issuer.example/realm', alg = 'ES256', kid = 'one' } = {},
): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  const audience = 'keyslot'
  return {
    url,
    audience,
    jwks: JSON.stringify({ keys: [jwk] }),
    sign(claims = {}, header = {}) {
      const now = Math.floor(clock() / 1000)
      const sound = { iss: url, aud: audience, sub: 'someone', iat: now, exp: now + 300 }
      return new SignJWT({ ...sound, ...claims })
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...header })
        .sign(privateKey)
    },
  }
}

/** Serves a key set over HTTP, and counts how often it was fetched. */
export async function serveKeys(jwks: () => string) {
  let fetched = 0
  const server = createServer((_request, response) => {
    fetched += 1
    response.setHeader('content-type', 'application/json').end(jwks())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/keys`,
    fetched: () => fetched,
    close: () => server.close(),
  }
}
