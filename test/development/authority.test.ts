/** The authority of a first start: sound certificates, kept while they are good, renewed in time. */

import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureAuthority, issueClientCertificate } from '../../src/development/authority.ts'

const DAY_MS = 86_400_000
const account = '111122223333'
let directory: string
let nowMs: number
const clock = () => nowMs

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyslot-authority-'))
  nowMs = Date.UTC(2030, 0, 1)
})
afterEach(() => rmSync(directory, { recursive: true }))

function read(name: string): X509Certificate {
  return new X509Certificate(readFileSync(join(directory, 'tls', name)))
}

/** The files with their contents, to see what has changed. */
function snapshot(): Record<string, string> {
  const tls = join(directory, 'tls')
  return Object.fromEntries(
    readdirSync(tls).map((name) => [name, readFileSync(join(tls, name), 'utf8')]),
  )
}

test('a first start makes a CA, a server and the root of the account', () => {
  ensureAuthority(directory, { account, clock, serverNames: ['kms.example.org', 'fe80::1'] })
  const [ca, server, root] = [read('ca.pem'), read('server.pem'), read('root.pem')]
  expect(ca.ca).toBe(true)
  expect(ca.verify(ca.publicKey)).toBe(true)
  for (const endEntity of [server, root]) {
    expect(endEntity.ca).toBe(false)
    expect(endEntity.checkIssued(ca)).toBe(true)
    expect(endEntity.verify(ca.publicKey)).toBe(true)
    expect(endEntity.validToDate.getTime() - nowMs).toBe(365 * DAY_MS)
  }
  for (const host of ['localhost', 'kms.example.org']) expect(server.checkHost(host)).toBe(host)
  for (const ip of ['127.0.0.1', '::1', 'fe80::1']) expect(server.checkIP(ip)).toBe(ip)
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(root.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(root.subjectAltName).toBe('URI:spiffe://keyslot/account/111122223333/root')
})

test('certificates are valid for as long as is asked, but no longer than the CA', () => {
  ensureAuthority(directory, { account, clock, validityMs: 3000 * DAY_MS })
  expect(read('server.pem').validToDate.getTime() - nowMs).toBe(3000 * DAY_MS)
  rmSync(join(directory, 'tls', 'server.pem'))
  ensureAuthority(directory, { account, clock, validityMs: 4000 * DAY_MS })
  expect(read('server.pem').validToDate).toEqual(read('ca.pem').validToDate)
})

test('private keys are for the owner alone, and no temporary file stays', () => {
  ensureAuthority(directory, { account, clock })
  const modes = readdirSync(join(directory, 'tls')).map((name) => [
    name,
    statSync(join(directory, 'tls', name)).mode & 0o777,
  ])
  expect(Object.fromEntries(modes)).toEqual({
    'ca.pem': 0o644,
    'ca-key.pem': 0o600,
    'server.pem': 0o644,
    'server-key.pem': 0o600,
    'root.pem': 0o644,
    'root-key.pem': 0o600,
  })
})

test('a second start changes nothing', () => {
  ensureAuthority(directory, { account, clock })
  const before = snapshot()
  nowMs += 300 * DAY_MS
  ensureAuthority(directory, { account, clock })
  expect(snapshot()).toEqual(before)
})

test('server and root are renewed within 30 days of their end, the CA is not', () => {
  ensureAuthority(directory, { account, clock })
  const before = snapshot()
  nowMs += 336 * DAY_MS
  ensureAuthority(directory, { account, clock })
  const after = snapshot()
  expect(after['ca.pem']).toBe(before['ca.pem'])
  expect(after['server.pem']).not.toBe(before['server.pem'])
  expect(after['root-key.pem']).not.toBe(before['root-key.pem'])
  expect(read('root.pem').verify(read('ca.pem').publicKey)).toBe(true)
})

test('another server name or account renews just the certificate that names it', () => {
  ensureAuthority(directory, { account, clock })
  const before = snapshot()
  ensureAuthority(directory, { account, clock, serverNames: ['kms.example.org'] })
  const renamed = snapshot()
  expect(renamed['server.pem']).not.toBe(before['server.pem'])
  expect(renamed['root.pem']).toBe(before['root.pem'])
  ensureAuthority(directory, { account: '444455556666', clock, serverNames: ['kms.example.org'] })
  expect(snapshot()['server.pem']).toBe(renamed['server.pem'])
  expect(read('root.pem').subjectAltName).toBe('URI:spiffe://keyslot/account/444455556666/root')
})

test('a start that was cut short is completed, at every point', () => {
  const order = ['ca-key.pem', 'ca.pem', 'server-key.pem', 'server.pem', 'root-key.pem', 'root.pem']
  for (let kept = 0; kept < order.length; kept += 1) {
    ensureAuthority(directory, { account, clock })
    for (const name of order.slice(kept)) rmSync(join(directory, 'tls', name))
    const before = snapshot()
    ensureAuthority(directory, { account, clock })
    if (before['ca.pem']) expect(snapshot()['ca.pem']).toBe(before['ca.pem'])
    for (const name of ['server.pem', 'root.pem']) {
      expect(read(name).verify(read('ca.pem').publicKey)).toBe(true)
    }
  }
})

test('without the key of the CA sound certificates stay and no new one is made', () => {
  ensureAuthority(directory, { account, clock })
  rmSync(join(directory, 'tls', 'ca-key.pem'))
  ensureAuthority(directory, { account, clock })
  nowMs += 340 * DAY_MS
  expect(() => ensureAuthority(directory, { account, clock })).toThrow(/the key of the CA is not/)
})

test('no certificate outlives its CA, and an expired CA is named', () => {
  ensureAuthority(directory, { account, clock })
  const caEndMs = read('ca.pem').validToDate.getTime()
  nowMs = caEndMs - 100 * DAY_MS
  const spiffeId = 'spiffe://keyslot/account/111122223333/user/alice'
  const { certificate } = issueClientCertificate(directory, { spiffeId, clock })
  expect(new X509Certificate(certificate).validToDate.getTime()).toBe(caEndMs)
  nowMs = caEndMs
  expect(() => ensureAuthority(directory, { account, clock })).toThrow(/has expired/)
})

test('a client certificate carries the SPIFFE ID and the validity asked for', () => {
  ensureAuthority(directory, { account, clock })
  const spiffeId = 'spiffe://keyslot/account/111122223333/role/deploy/run-7'
  const issued = issueClientCertificate(directory, { spiffeId, clock, validityMs: 60_000 })
  const certificate = new X509Certificate(issued.certificate)
  expect(certificate.subjectAltName).toBe(`URI:${spiffeId}`)
  expect(certificate.validToDate.getTime()).toBe(nowMs + 60_000)
})
