/** STS over the query protocol: sessions for workloads that have a key or a token, in AWS's XML. */

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { client, useClientStage } from './clients/environment.ts'
import { type AccessKey, type Answered, send, sign } from './sign.ts'

useClientStage()

const FORM = 'application/x-www-form-urlencoded; charset=utf-8'
const ISSUER = 'https://oidc.example/id'

/** Calls STS, signed with a key. */
function sts(
  key: AccessKey,
  parameters: Readonly<Record<string, string>>,
  region = 'eu-central-1',
): Promise<Answered> {
  const { endpoint, service } = client()
  const signed = sign(key, {
    body: formOf(parameters),
    host: new URL(endpoint).host,
    timeMs: service.clock(),
    service: 'sts',
    region,
    headers: { 'content-type': FORM },
  })
  return send(endpoint, signed)
}

function formOf(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString()
}

/** The text of the first element of this name. */
function textOf({ text }: Answered, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? ''
}

function credentialsIn(answered: Answered): AccessKey {
  return {
    accessKeyId: textOf(answered, 'AccessKeyId'),
    secretAccessKey: textOf(answered, 'SecretAccessKey'),
    sessionToken: textOf(answered, 'SessionToken'),
  }
}

describe('GetCallerIdentity', () => {
  test.each(['eu-central-1', 'us-east-1'])('of the root, signed for %s', async (region) => {
    const { account } = client().service.place
    const answered = await sts(client().key, { Action: 'GetCallerIdentity' }, region)
    expect(answered.status).toBe(200)
    expect(answered.headers['content-type']).toBe('text/xml')
    const requestId = answered.headers['x-amzn-requestid']
    expect(answered.text).toBe(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
        `<GetCallerIdentityResult><UserId>${account}</UserId><Account>${account}</Account>` +
        `<Arn>arn:aws:iam::${account}:root</Arn></GetCallerIdentityResult>` +
        `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>` +
        '</GetCallerIdentityResponse>\n',
    )
  })
})

test('AssumeRole gives credentials of the session', async () => {
  const { service } = client()
  const { account } = service.place
  await service.client.call('CreateUser', { userName: 'ada' })
  const { accessKey } = await service.client.call('CreateAccessKey', { userName: 'ada' })
  const ada = {
    accessKeyId: accessKey?.accessKeyId ?? '',
    secretAccessKey: accessKey?.secretAccessKey ?? '',
  }
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:user/ada` },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  }
  await service.client.call('CreateRole', {
    roleName: 'app',
    assumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
  })
  const assumed = await sts(ada, {
    Action: 'AssumeRole',
    RoleArn: `arn:aws:iam::${account}:role/app`,
    RoleSessionName: 'one',
    DurationSeconds: '900',
    'Tags.member.1.Key': 'team',
    'Tags.member.1.Value': 'a & b <c>',
  })
  expect(assumed.status, assumed.text).toBe(200)
  expect(Date.parse(textOf(assumed, 'Expiration'))).toBeGreaterThan(service.clock())
  const session = credentialsIn(assumed)
  const who = await sts(session, { Action: 'GetCallerIdentity' })
  expect(textOf(who, 'Arn')).toBe(`arn:aws:sts::${account}:assumed-role/app/one`)

  const wrongToken = { ...session, sessionToken: `A${session.sessionToken?.slice(1)}` }
  expect(textOf(await sts(wrongToken, { Action: 'GetCallerIdentity' }), 'Code')).toBe(
    'InvalidClientTokenId',
  )
  service.moveClock(901_000)
  const late = await sts(session, { Action: 'GetCallerIdentity' })
  expect(textOf(late, 'Code')).toMatch(/^ExpiredToken/)
})

test('AssumeRoleWithWebIdentity needs a token and no signature', async () => {
  const { service, endpoint } = client()
  const { account } = service.place
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256' }],
  })
  const { openIdConnectProviderArn } = await service.client.call('CreateOpenIDConnectProvider', {
    url: ISSUER,
    clientIdList: ['keyslot'],
    jwks,
  })
  const trust = {
    Effect: 'Allow',
    Principal: { Federated: openIdConnectProviderArn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { 'oidc.example/id:sub': 'system:serviceaccount:shop:cart' } },
  }
  const { role } = await service.client.call('CreateRole', {
    roleName: 'workload',
    assumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
  })
  const assume = async (subject: string) => {
    const seconds = Math.floor(service.clock() / 1000)
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .setIssuer(ISSUER)
      .setAudience('keyslot')
      .setSubject(subject)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 600)
      .sign(privateKey)
    const body = Buffer.from(
      formOf({
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn: role?.arn ?? '',
        RoleSessionName: 'cart',
        WebIdentityToken: token,
      }),
    )
    return send(endpoint, { headers: { 'content-type': FORM }, body })
  }
  const assumed = await assume('system:serviceaccount:shop:cart')
  expect(assumed.status, assumed.text).toBe(200)
  expect(textOf(assumed, 'SubjectFromWebIdentityToken')).toBe('system:serviceaccount:shop:cart')
  const who = await sts(credentialsIn(assumed), { Action: 'GetCallerIdentity' })
  expect(textOf(who, 'Arn')).toBe(`arn:aws:sts::${account}:assumed-role/workload/cart`)

  const other = await assume('system:serviceaccount:shop:other')
  expect([other.status, textOf(other, 'Code')]).toEqual([403, 'AccessDenied'])
})

test('the credentials of GetSessionToken get no others', async () => {
  const got = await sts(client().key, { Action: 'GetSessionToken' })
  expect(got.status, got.text).toBe(200)
  const again = await sts(credentialsIn(got), { Action: 'GetSessionToken' })
  expect([again.status, textOf(again, 'Code')]).toEqual([403, 'AccessDenied'])
})

describe('a failure', () => {
  const nobody = { accessKeyId: 'AKIANOBODY0000000000', secretAccessKey: 'x' }
  const call = { Action: 'GetCallerIdentity' }

  test.each<[string, number, string, () => Promise<Answered>]>([
    ['InvalidClientTokenId', 403, 'Sender', () => sts(nobody, call)],
    [
      'SignatureDoesNotMatch',
      403,
      'Sender',
      () => sts({ ...client().key, secretAccessKey: 'x' }, call),
    ],
    ['InvalidAction', 400, 'Sender', () => sts(client().key, { Action: 'GetFederationToken' })],
    ['InvalidAction', 400, 'Sender', () => sts(client().key, { Action: 'ListKeys' })],
    ['InvalidAction', 400, 'Sender', () => sts(client().key, { ...call, Version: '2010-05-08' })],
    ['ValidationError', 400, 'Sender', () => sts(client().key, { Action: 'AssumeRole' })],
    [
      'MalformedInput',
      400,
      'Sender',
      () => sts(client().key, { Action: 'GetSessionToken', DurationSeconds: 'long' }),
    ],
    [
      'MissingAuthenticationToken',
      403,
      'Sender',
      () =>
        send(client().endpoint, {
          headers: { 'content-type': FORM },
          body: Buffer.from(formOf(call)),
        }),
    ],
    [
      'MalformedInput',
      400,
      'Sender',
      () =>
        send(client().endpoint, {
          headers: { 'content-type': FORM },
          body: Buffer.from('Action=GetCallerIdentity&Action=AssumeRole'),
        }),
    ],
  ])('is %s with %i', async (code, status, type, provoke) => {
    const answered = await provoke()
    expect(answered.text).toMatch(/^<ErrorResponse xmlns="[^"]+"><Error><Type>/)
    expect([textOf(answered, 'Code'), answered.status, textOf(answered, 'Type')]).toEqual([
      code,
      status,
      type,
    ])
    expect(textOf(answered, 'RequestId')).toBe(answered.headers['x-amzn-requestid'])
  })
})
