/** Calls with a JWT-SVID: the SPIFFE ID in it names the caller, as in a certificate. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningService, startTestService } from '../../harness.ts'
import { bearerCall } from './bearer.ts'
import { type Issuer, newIssuer } from './tokens.ts'

const account = '111122223333'
const directory = mkdtempSync(join(tmpdir(), 'keyslot-svid-'))
const jwks = join(directory, 'bundle.json')
let service: RunningService
let spire: Issuer

beforeAll(async () => {
  spire = await newIssuer(Date.now)
  writeFileSync(jwks, spire.jwks)
  service = await startTestService({ 'svid.jwks': jwks, 'svid.audience': 'keyslot' })
  await service.client.call('CreateUser', { userName: 'ada', path: '/team/' })
})
afterAll(async () => {
  await service.stop()
  rmSync(directory, { recursive: true })
})

function whoIs(token: string): Promise<unknown> {
  const ca = readFileSync(join(service.config.home, 'tls', 'ca.pem'))
  const address = service.service.grpcAddress
  return bearerCall({ address, ca }, { authorization: `Bearer ${token}` })
}
const idOf = (path: string, of = account) => `spiffe://keyslot/account/${of}/${path}`

test('names roots and users who exist', async () => {
  const root = await whoIs(await spire.sign({ sub: idOf('root'), iss: undefined }))
  expect(root).toMatchObject({ arn: `arn:aws:iam::${account}:root` })
  const ada = await whoIs(await spire.sign({ sub: idOf('user/ada') }))
  expect(ada).toMatchObject({ arn: `arn:aws:iam::${account}:user/team/ada` })
})

test.each([
  ['nobody', () => ({ sub: idOf('user/nobody') })],
  ['an account that is not there', () => ({ sub: idOf('root', '999900001111') })],
  ['another trust domain', () => ({ sub: `spiffe://elsewhere/account/${account}/root` })],
  ['another audience', () => ({ sub: idOf('root'), aud: 'elsewhere' })],
  ['a time that is over', () => ({ sub: idOf('root'), exp: 1000 })],
] as const)('of %s is refused', async (_, claims) => {
  const refused = whoIs(await spire.sign(claims()))
  await expect(refused).rejects.toMatchObject({ code: 16 })
})

test('of another signer is refused, until the bundle has its key', async () => {
  const next = await newIssuer(Date.now, { kid: 'next' })
  const token = await next.sign({ sub: idOf('root') })
  await expect(whoIs(token)).rejects.toMatchObject({ code: 16 })
  const keys = [spire, next].flatMap((issuer) => JSON.parse(issuer.jwks).keys)
  writeFileSync(jwks, JSON.stringify({ keys }))
  await whoIs(token)
})
