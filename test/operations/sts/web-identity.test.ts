/** AssumeRoleWithWebIdentity, and calls with a token: sound ones, and every kind of unsound one. */

import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportSPKI, importJWK, type JWTPayload } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'
import { bearerCall } from './bearer.ts'
import { type Issuer, newIssuer, serveKeys } from './tokens.ts'

useService()

const account = '111122223333'
const HOST = 'issuer.example/realm'
let issuer: Issuer
let roleArn: string

function trustOf(condition: object, provider = `arn:aws:iam::${account}:oidc-provider/${HOST}`) {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Federated: provider },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: condition,
    },
  })
}

beforeAll(async () => {
  issuer = await newIssuer(() => service().clock())
  const { role } = await call('CreateRole', {
    roleName: 'web',
    path: '/ci/',
    assumeRolePolicyDocument: trustOf({
      StringEquals: { [`${HOST}:aud`]: 'keyslot' },
      StringLike: { [`${HOST}:sub`]: 'some*' },
    }),
  })
  roleArn = role?.arn ?? ''
  await call('CreateOpenIDConnectProvider', {
    url: issuer.url,
    clientIdList: ['keyslot'],
    jwks: issuer.jwks,
    defaultRoleArn: roleArn,
    sessionTags: new Map([['namespace', '/kubernetes.io/namespace']]),
  })
})

const assume = (webIdentityToken: string, roleSessionName = 'one') =>
  call('AssumeRoleWithWebIdentity', { roleArn, roleSessionName, webIdentityToken })

test('a sound token begins a session', async () => {
  const answer = await assume(await issuer.sign(), 'build-7')
  expect(answer).toMatchObject({
    subjectFromWebIdentityToken: 'someone',
    audience: 'keyslot',
    provider: issuer.url,
    assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/web/build-7` },
  })
  const { expiration } = answer.credentials ?? {}
  expect(expiration).toEqual(new Date(service().clock() + 3_600_000))
  const record = service().auditRecords().at(-1)
  expect(record).toMatchObject({
    eventName: 'AssumeRoleWithWebIdentity',
    userIdentity: { type: 'web-identity' },
  })
  expect(JSON.stringify(record)).not.toContain(answer.credentials?.sessionToken)
})

test('what the trust policy does not say is denied', async () => {
  const other = assume(await issuer.sign({ sub: 'other' }))
  await expect(other).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

describe('an unsound token is refused:', () => {
  const now = () => Math.floor(service().clock() / 1000)
  const signed: Record<string, () => JWTPayload> = {
    'for another audience': () => ({ aud: 'other' }),
    'of another issuer': () => ({ iss: 'https://other.example' }),
    'of an issuer that differs in its scheme': () => ({ iss: `http://${HOST}` }),
    'not valid yet': () => ({ nbf: now() + 60 }),
    'without an end': () => ({ exp: undefined }),
    'without a subject': () => ({ sub: undefined }),
    'with an end that is no number': () => ({ exp: 'never' as never }),
  }
  test.each(Object.entries(signed))('%s', async (_, claims) => {
    const failure = { name: 'InvalidIdentityTokenException' }
    await expect(assume(await issuer.sign(claims()))).rejects.toMatchObject(failure)
  })

  test('expired', async () => {
    const token = await issuer.sign({ exp: now() - 60 })
    await expect(assume(token)).rejects.toMatchObject({ name: 'ExpiredTokenException' })
  })

  const invalid = { name: 'InvalidIdentityTokenException' }

  test('by the key of somebody else, under the same id and under another', async () => {
    const forger = await newIssuer(() => service().clock())
    await expect(assume(await forger.sign())).rejects.toMatchObject(invalid)
    await expect(assume(await forger.sign({}, { kid: 'unknown' }))).rejects.toMatchObject(invalid)
    await expect(assume(await issuer.sign({}, { kid: 'unknown' }))).rejects.toMatchObject(invalid)
  })

  test('without a signature, or signed by the public key as if it were a secret', async () => {
    const [, payload = ''] = (await issuer.sign()).split('.')
    const header = (alg: string) =>
      Buffer.from(JSON.stringify({ alg, kid: 'one', typ: 'JWT' })).toString('base64url')
    for (const alg of ['none', 'None', 'NONE']) {
      await expect(assume(`${header(alg)}.${payload}.`)).rejects.toMatchObject(invalid)
    }
    const [jwk] = JSON.parse(issuer.jwks).keys
    const spki = await exportSPKI((await importJWK({ ...jwk, ext: true })) as CryptoKey)
    for (const secret of [spki, issuer.jwks, JSON.stringify(jwk), jwk.x]) {
      const head = `${header('HS256')}.${payload}`
      const mac = createHmac('sha256', secret).update(head).digest('base64url')
      await expect(assume(`${head}.${mac}`)).rejects.toMatchObject(invalid)
    }
  })

  test('cut, changed or made up', async () => {
    const token = await issuer.sign()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody' })).toString('base64url')
    const tokens = [
      `${header}.${forged}.${signature}`,
      `${header}.${payload}`,
      `${token}AA`,
      `${header}.${payload}.`,
      'a.b.c',
      '....',
    ]
    for (const each of tokens) await expect(assume(each)).rejects.toMatchObject(invalid)
  })

  test('with a critical header that nobody understands', async () => {
    const header = { crit: ['exp2'], exp2: 1 } as never
    const token = await issuer.sign({}, header).catch(() => undefined)
    if (token) await expect(assume(token)).rejects.toMatchObject(invalid)
  })
})

test('a token of one account is of no use in another', async () => {
  const other = service().clientOf('777788889999')
  const provider = `arn:aws:iam::777788889999:oidc-provider/${HOST}`
  const { role } = await other.call('CreateRole', {
    roleName: 'web',
    assumeRolePolicyDocument: trustOf({}, provider),
  })
  const request = { roleArn: role?.arn, roleSessionName: 'one' }
  const webIdentityToken = await issuer.sign()
  const failure = 'InvalidIdentityTokenException'
  await expectFailure('AssumeRoleWithWebIdentity', { ...request, webIdentityToken }, failure)
})

test('keys are fetched by URL, and again when an unknown one has signed', async () => {
  const url = 'https://fetched.example'
  const first = await newIssuer(() => service().clock(), { url, alg: 'RS256', kid: 'first' })
  const server = await serveKeys(() => first.jwks)
  const arn = `arn:aws:iam::${account}:oidc-provider/fetched.example`
  await call('CreateOpenIDConnectProvider', { url, clientIdList: ['keyslot'], jwks: server.url })
  const { role } = await call('CreateRole', {
    roleName: 'fetched',
    assumeRolePolicyDocument: trustOf({}, arn),
  })
  const request = { roleArn: role?.arn, roleSessionName: 'one' }
  for (const webIdentityToken of [await first.sign(), await first.sign({ sub: 'two' })]) {
    await call('AssumeRoleWithWebIdentity', { ...request, webIdentityToken })
  }
  expect(server.fetched()).toBe(1)
  server.close()
  await call('UpdateOpenIDConnectProvider', {
    openIdConnectProviderArn: arn,
    clientIdList: ['keyslot'],
    jwks: `${server.url}/gone`,
  })
  const webIdentityToken = await first.sign()
  const failure = 'IDPCommunicationErrorException'
  await expectFailure('AssumeRoleWithWebIdentity', { ...request, webIdentityToken }, failure)
  await call('DeleteOpenIDConnectProvider', { openIdConnectProviderArn: arn })
  await expectFailure(
    'AssumeRoleWithWebIdentity',
    { ...request, webIdentityToken },
    'InvalidIdentityTokenException',
  )
})

function whoAmI(headers: Record<string, string>): Promise<unknown> {
  const { config, service: running } = service()
  const ca = readFileSync(join(config.home, 'tls', 'ca.pem'))
  return bearerCall({ address: running.grpcAddress, ca }, headers)
}

describe('a call with a token', () => {
  test('is made by a session of the role that it names, or of the default one', async () => {
    const authorization = `Bearer ${await issuer.sign()}`
    const arn = `arn:aws:sts::${account}:assumed-role/web/someone`
    expect(await whoAmI({ authorization, 'keyslot-role-arn': roleArn })).toMatchObject({ arn })
    expect(await whoAmI({ authorization })).toMatchObject({ arn })
  })

  test('is made by no role of another account that knows the issuer too', async () => {
    const stranger = service().clientOf('777788880000')
    const provider = `arn:aws:iam::777788880000:oidc-provider/${HOST}`
    const { role } = await stranger.call('CreateRole', {
      roleName: 'web',
      assumeRolePolicyDocument: trustOf({}, provider),
    })
    const said = { clientIdList: ['keyslot'], jwks: issuer.jwks }
    const withDefault = { ...said, defaultRoleArn: role?.arn }
    const made = stranger.call('CreateOpenIDConnectProvider', { url: issuer.url, ...withDefault })
    await expect(made).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await stranger.call('CreateOpenIDConnectProvider', { url: issuer.url, ...said })
    const changed = stranger.call('UpdateOpenIDConnectProvider', {
      openIdConnectProviderArn: provider,
      ...withDefault,
    })
    await expect(changed).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const authorization = `Bearer ${await issuer.sign()}`
    const arn = `arn:aws:sts::${account}:assumed-role/web/someone`
    expect(await whoAmI({ authorization })).toMatchObject({ arn })
  })

  test('has a session name for every subject, and no two the same', async () => {
    const names = new Set()
    for (const sub of ['some:a', 'some-a', 'some/a', `some${'a'.repeat(80)}`]) {
      const authorization = `Bearer ${await issuer.sign({ sub })}`
      const { arn } = (await whoAmI({ authorization })) as { arn: string }
      expect(arn).toMatch(/assumed-role\/web\/[\w+=,.@-]{2,64}$/)
      names.add(arn)
    }
    expect(names.size).toBe(4)
  })

  test('is refused when the token is not sound, or the role does not trust it', async () => {
    const expired = await issuer.sign({ exp: 1000 })
    await expect(whoAmI({ authorization: `Bearer ${expired}` })).rejects.toMatchObject({ code: 16 })
    await expect(whoAmI({ authorization: 'Bearer x.y.z' })).rejects.toMatchObject({ code: 16 })
    const other = await issuer.sign({ sub: 'other' })
    await expect(whoAmI({ authorization: `Bearer ${other}` })).rejects.toMatchObject({ code: 7 })
    await expect(whoAmI({})).rejects.toMatchObject({ code: 16 })
  })

  test('without keys for JWT-SVIDs takes none', async () => {
    const sub = `spiffe://keyslot/account/${account}/root`
    const authorization = `Bearer ${await issuer.sign({ sub })}`
    await expect(whoAmI({ authorization })).rejects.toMatchObject({ code: 16 })
  })
})
