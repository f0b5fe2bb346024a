/** Odd client certificates: none is taken for a principal that it does not name. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BasicConstraints,
  ExtendedKeyUsage,
  type Extension,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyslotError } from '../../src/client/error.ts'
import type { IssuedCertificate } from '../../src/development/authority.ts'
import { extension, signCertificate } from '../../src/development/certificate.ts'
import { identify, nameAt } from '../../src/doors/grpc/authenticate.ts'
import type { Caller } from '../../src/model/caller.ts'
import { arnOf } from '../../src/model/identities/principal.ts'
import { type TriedDoor, tryDoor } from './door.ts'

const ID = 'spiffe://keyslot/account/111122223333/user/alice'
const ALICE = 'arn:aws:iam::111122223333:user/alice'
const DAY_MS = 86_400_000

const uri = (text: string) => new GeneralName({ uniformResourceIdentifier: text })
const dns = (text: string) => new GeneralName({ dNSName: text })
const san = (...names: GeneralName[]) =>
  extension(id_ce_subjectAltName, new SubjectAlternativeName(names))
const leaf = extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true)
const signs = extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true)
const client = extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_clientAuth]))
const ordinary = [leaf, signs, client]
const usage = (flags: number) => extension(id_ce_keyUsage, new KeyUsage(flags), true)

/** What a certificate departs from an ordinary one in. */
interface Oddity {
  readonly extensions: readonly Extension[]
  readonly commonName?: string
  readonly fromMs?: number
  readonly toMs?: number
  readonly otherCa?: boolean
}

const withUri = (text: string): Oddity => ({ extensions: [...ordinary, san(uri(text))] })

const ODD: Readonly<Record<string, Oddity>> = {
  'two URIs': { extensions: [...ordinary, san(uri(ID), uri(`${ID}2`))] },
  'the same URI twice': { extensions: [...ordinary, san(uri(ID), uri(ID))] },
  'two SAN extensions': { extensions: [...ordinary, san(uri(ID)), san(uri(`${ID}2`))] },
  'a second SAN extension without URI': { extensions: [...ordinary, san(uri(ID)), san(dns('a'))] },
  'a common name only': { extensions: ordinary, commonName: ID },
  'no names at all': { extensions: [...ordinary, san()] },
  'a DNS name that is a URI': { extensions: [...ordinary, san(dns(ID))] },
  'a DNS name with a comma and a URI': { extensions: [...ordinary, san(dns(`a, URI:${ID}`))] },
  'a DNS name with quotes and a URI': { extensions: [...ordinary, san(dns(`"a", "URI:${ID}"`))] },
  'an e-mail address that is a URI': {
    extensions: [...ordinary, san(new GeneralName({ rfc822Name: ID }))],
  },
  'the purpose of a server': {
    extensions: [
      leaf,
      signs,
      san(uri(ID)),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    ],
  },
  'every purpose but that of a client': {
    extensions: [
      leaf,
      signs,
      san(uri(ID)),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage(['2.5.29.37.0'])),
    ],
  },
  'a certificate authority': {
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true }), true),
      signs,
      client,
      san(uri(ID)),
    ],
  },
  'a key that signs certificates': {
    extensions: [
      leaf,
      client,
      san(uri(ID)),
      usage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign),
    ],
  },
  'a key that signs revocation lists': {
    extensions: [
      leaf,
      client,
      san(uri(ID)),
      usage(KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign),
    ],
  },
  'a key that does not sign': {
    extensions: [leaf, client, san(uri(ID)), usage(KeyUsageFlags.keyAgreement)],
  },
  'two key usages': { extensions: [...ordinary, signs, san(uri(ID))] },
  'a usage that is no DER': {
    extensions: [leaf, client, san(uri(ID)), extension(id_ce_keyUsage, new BasicConstraints())],
  },
  'another CA of the same name': { ...withUri(ID), otherCa: true },
  'not valid yet': { ...withUri(ID), fromMs: DAY_MS },
  expired: { ...withUri(ID), fromMs: -2 * DAY_MS, toMs: -DAY_MS },
  'another trust domain': withUri('spiffe://other/account/111122223333/user/alice'),
  'a trust domain that begins with ours': withUri(
    'spiffe://keyslot.evil/account/111122223333/root',
  ),
  'an upper-case trust domain': withUri('spiffe://KEYSLOT/account/111122223333/user/alice'),
  'an upper-case scheme': withUri('SPIFFE://keyslot/account/111122223333/user/alice'),
  'another scheme': withUri('https://keyslot/account/111122223333/user/alice'),
  'no trust domain': withUri('spiffe:///account/111122223333/user/alice'),
  'a port': withUri('spiffe://keyslot:443/account/111122223333/user/alice'),
  'user information': withUri('spiffe://root@keyslot/account/111122223333/user/alice'),
  'a query': withUri(`${ID}?a=b`),
  'a fragment': withUri(`${ID}#root`),
  'no path': withUri('spiffe://keyslot'),
  'an empty path': withUri('spiffe://keyslot/'),
  'a slash at the end': withUri(`${ID}/`),
  'an empty segment': withUri('spiffe://keyslot/account//user/alice'),
  'two slashes': withUri('spiffe://keyslot/account/111122223333//root'),
  'a user who is ..': withUri('spiffe://keyslot/account/111122223333/user/..'),
  'a role by way of ..': withUri('spiffe://keyslot/account/111122223333/role/../root'),
  'a relative path to root': withUri('spiffe://keyslot/account/111122223333/user/../root'),
  'percent-encoding': withUri('spiffe://keyslot/account/111122223333/user/%61lice'),
  'a percent-encoded slash': withUri('spiffe://keyslot/account/111122223333%2Froot'),
  'a wildcard': withUri('spiffe://keyslot/account/111122223333/user/*'),
  'a colon in a name': withUri('spiffe://keyslot/account/111122223333/user/a:root'),
  'a line feed at the end': withUri(`${ID}\n`),
  'a NUL inside': withUri('spiffe://keyslot/account/111122223333/user/alice\0.evil'),
  'eleven digits': withUri('spiffe://keyslot/account/11112222333/root'),
  'thirteen digits': withUri('spiffe://keyslot/account/1111222233334/root'),
  'letters for digits': withUri('spiffe://keyslot/account/11112222333l/root'),
  'a name of 65 characters': withUri(
    `spiffe://keyslot/account/111122223333/user/${'a'.repeat(65)}`,
  ),
  '2049 bytes': withUri(`spiffe://keyslot/account/111122223333/user/${'a'.repeat(2006)}`),
  'a role without session': withUri('spiffe://keyslot/account/111122223333/role/deploy'),
  'a third kind': withUri('spiffe://keyslot/account/111122223333/service/jobs'),
  'more after root': withUri('spiffe://keyslot/account/111122223333/root/x'),
}

let tried: TriedDoor
const seen: Caller[] = []

beforeAll(async () => {
  tried = await tryDoor(async (_name, call) => {
    seen.push(await call.authenticate())
    return { keys: [], truncated: false }
  })
})
afterAll(() => tried[Symbol.asyncDispose]())

function make({ extensions, commonName = 'alice', ...odd }: Oddity): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ca = odd.otherCa
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    : createPrivateKey(readFileSync(join(tried.directory, 'tls', 'ca-key.pem')))
  const certificate = signCertificate(
    {
      commonName,
      publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
      notBefore: new Date(Date.now() + (odd.fromMs ?? -DAY_MS)),
      notAfter: new Date(Date.now() + (odd.toMs ?? 7 * DAY_MS)),
      extensions,
    },
    { commonName: 'keyslot development CA', privateKey: ca },
  )
  return { certificate, privateKey: `${privateKey.export({ type: 'pkcs8', format: 'pem' })}` }
}

const der = (pem: string): Buffer => new X509Certificate(pem).raw
const read = (pem: string) => nameAt(identify(der(pem), 'keyslot'), Date.now())

test('the principals that a certificate can name', () => {
  const named = (text: string) => read(make(withUri(text)).certificate)
  expect(named('spiffe://keyslot/account/111122223333/root')).toEqual({
    account: '111122223333',
    kind: 'root',
  })
  expect(named(ID)).toEqual({ account: '111122223333', kind: 'user', user: 'alice' })
  expect(named('spiffe://keyslot/account/444455556666/role/deploy/run-7.a_B')).toEqual({
    account: '444455556666',
    kind: 'role',
    role: 'deploy',
    session: 'run-7.a_B',
  })
})

test('names beside the one URI, and certificates without usages, are no hindrance', () => {
  const beside = make({ extensions: [...ordinary, san(dns('alice.example.org'), uri(ID))] })
  expect(arnOf(read(beside.certificate))).toBe(ALICE)
  expect(arnOf(read(make({ extensions: [san(uri(ID))] }).certificate))).toBe(ALICE)
})

test('validity is asked of the clock at each call, to the second', () => {
  const identity = identify(der(make(withUri(ID)).certificate), 'keyslot')
  if ('refusal' in identity) throw identity.refusal
  const { notBeforeMs, notAfterMs } = identity
  for (const soundMs of [notBeforeMs, notAfterMs]) {
    expect(arnOf(nameAt(identity, soundMs))).toBe(ALICE)
  }
  expect(() => nameAt(identity, notBeforeMs - 1)).toThrow(/not valid yet/)
  expect(() => nameAt(identity, notAfterMs + 1)).toThrow(/has expired/)
})

test('bytes that are no certificate name nobody', () => {
  const sound = der(make(withUri(ID)).certificate)
  for (const bytes of [Buffer.alloc(0), Buffer.from('junk'), sound.subarray(0, -1)]) {
    expect(() => nameAt(identify(bytes, 'keyslot'), Date.now())).toThrow(
      expect.objectContaining({ name: 'UnrecognizedClientException' }),
    )
  }
})

describe('P11: an odd certificate names nobody', () => {
  test.each(Object.entries(ODD))('%s', async (_name, odd) => {
    const issued = make(odd)
    // TLS verifies the chain; what is left to us is refused here.
    if (!odd.otherCa) {
      expect(() => read(issued.certificate)).toThrow(
        expect.objectContaining({ name: 'UnrecognizedClientException' }),
      )
    }
    const client = tried.client(issued)
    const error: KeyslotError = await client.call('ListKeys', {}).then(
      () => expect.fail('the call was answered'),
      (cause) => cause,
    )
    client.close()
    expect(['UnrecognizedClientException', 'UNAVAILABLE']).toContain(error.name)
    expect(seen).toEqual([])
  })
})

test('an ordinary certificate is known through the same door', async () => {
  await tried.client(make(withUri(ID))).call('ListKeys', {})
  expect(seen.splice(0)).toEqual([{ arn: ALICE, account: '111122223333', kind: 'user' }])
})

test('a connection outlives its certificate, its calls do not', async () => {
  const client = tried.client(tried.issue('user/bob', 3_600_000))
  await client.call('ListKeys', {})
  seen.length = 0
  tried.aheadMs = 3_700_000
  await expect(client.call('ListKeys', {})).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
    grpcStatus: 16,
    message: 'The client certificate has expired.',
  })
  tried.aheadMs = 0
  expect(seen).toEqual([])
  await client.call('ListKeys', {})
})
