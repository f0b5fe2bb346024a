/**
 * Every permission of every operation, denied in each place where a denial may stand, to a caller
 * whom all else allows everything: OpenBao's LIST went past a denial (GHSA-xp3c).
 */

import { beforeAll, describe, expect, test } from 'vitest'
import { CONTRACT } from '../../../src/contract/contract.ts'
import type { Caller } from '../../../src/model/caller.ts'
import type { Need } from '../../../src/operations/operation.ts'
import { OPERATIONS } from '../../../src/operations/table.ts'
import type { RpcName, Service } from '../../../src/service.ts'
import {
  ACCOUNT,
  callAs,
  here,
  keyStatement,
  newKey,
  newSession,
  newUser,
  ownStatement,
  policyText,
  ROOT_STATEMENT,
  rootOf,
  useInstallation,
} from '../../operations/installation.ts'

useInstallation()

/** What nobody can be denied, as AWS has it, or what is its caller's by a token. */
const WITHOUT_PERMISSION = ['GetCallerIdentity', 'GetSessionToken', 'AssumeRoleWithWebIdentity']
const names = (Object.keys(CONTRACT) as RpcName[]).filter(
  (name) => !WITHOUT_PERMISSION.includes(name),
)
const everything = [ownStatement('*')]
const deny = (permission: string) => ({ ...ownStatement(permission), Effect: 'Deny' })

/** Values of members by their names, good enough to be asked about. */
let values: Readonly<Record<string, unknown>> = {}
let keyId = ''

beforeAll(async () => {
  const made = await newKey([ROOT_STATEMENT])
  keyId = made.keyId
  const root = rootOf()
  const { ciphertextBlob } = await callAs(root, 'Encrypt', { keyId, plaintext: Buffer.from('x') })
  await callAs(root, 'CreateAlias', { aliasName: 'alias/denied', targetKeyId: keyId })
  const granteePrincipal = root.arn
  const { grantId } = await callAs(root, 'CreateGrant', {
    keyId,
    granteePrincipal,
    operations: ['Encrypt'],
  })
  const url = 'https://id.example/denied'
  await newUser('someone')
  const trust = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:*' }
  const { role } = await callAs(root, 'CreateRole', {
    roleName: 'some-role',
    assumeRolePolicyDocument: policyText([trust]),
  })
  const bytes = Buffer.alloc(32, 1)
  values = {
    ...{ keyId, targetKeyId: keyId, destinationKeyId: keyId, sourceKeyId: keyId, grantId },
    ...{ plaintext: bytes, message: bytes, mac: bytes, signature: bytes, publicKey: bytes },
    ...{ importToken: bytes, encryptedKeyMaterial: bytes, ciphertextBlob, numberOfBytes: 32 },
    ...{
      aliasName: 'alias/denied',
      description: 'x',
      granteePrincipal,
      retiringPrincipal: root.arn,
    },
    ...{ tags: [{ tagKey: 'a', tagValue: 'b', key: 'a', value: 'b' }], tagKeys: ['a'] },
    ...{ operations: ['Encrypt'], policy: policyText([ROOT_STATEMENT]), policyName: 'default' },
    ...{ userName: 'someone', roleName: 'some-role', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    ...{ policyDocument: policyText(everything), permissionsBoundary: policyText(everything) },
    ...{ assumeRolePolicyDocument: policyText([trust]), status: 'Inactive' },
    ...{ url, clientIdList: ['x'], jwks: 'https://id.example/jwks' },
    ...{ wrappingAlgorithm: 'RSAES_OAEP_SHA_1', expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
    ...{ principalArn: root.arn, action: 'kms:Encrypt' },
    ...{ openIdConnectProviderArn: `arn:aws:iam::${ACCOUNT}:oidc-provider/id.example/denied` },
    ...{ roleArn: role?.arn, roleSessionName: 'one', sourceIdentity: 'me' },
    ...{ account: '999988887777', accountName: 'x', keyPairSpec: 'ECC_NIST_P256' },
  }
})

/** A request with all that has to be there, and what makes every permission be asked. */
function requestOf<N extends RpcName>(name: N): Partial<Service[N]['request']> {
  const asked = CONTRACT[name].request.fields.filter(
    ({ name: member, rule }) => rule.required || ALSO.includes(member),
  )
  const members = asked.map(({ name: member, holds }) => [
    member,
    values[member] ?? (holds.kind === 'enum' ? holds.enum.names[0] : undefined),
  ])
  return Object.fromEntries(members)
}

const ALSO = [
  ...['keyId', 'grantId', 'tags', 'sourceIdentity', 'userName', 'numberOfBytes'],
  ...['ciphertextBlob', 'wrappingAlgorithm', 'expirationModel', 'jwks'],
]

/** The permissions that an operation asks. */
function permissionsOf(name: RpcName): string[] {
  const needs: readonly Need<never>[] = Object.values(OPERATIONS[name].needs)
  return [...new Set(needs.map(({ permission = `kms:${name}` }) => permission))]
}

/** Who is allowed everything by all but a denial in one place. */
async function deniedIn(place: string, permission: string): Promise<Caller> {
  const all = [...everything, deny(permission)]
  const name = `denied-${count++}`
  if (place === 'identity policy') return newUser(name, { statements: all })
  if (place === 'boundary') return newUser(name, { statements: everything, boundary: all })
  const own = { statements: everything }
  if (place === 'session policy') {
    return newSession(name, 'one', { ...own, sessionPolicies: [all] })
  }
  const caller = await newUser(name, own)
  const denial = keyStatement({ AWS: caller.arn }, permission)
  const policy = policyText([ROOT_STATEMENT, { ...denial, Effect: 'Deny' }])
  await callAs(rootOf(), 'PutKeyPolicy', { keyId, policy })
  return caller
}

let count = 0

/** The last decision on the last call. */
function lastDecision(name: RpcName): Readonly<Record<string, unknown>> | undefined {
  return here()
    .audit.findLast(({ eventName }) => eventName === name)
    ?.authorisation.at(-1)
}

describe('P2: an explicit denial is never passed', () => {
  test.each(names)('%s', async (name) => {
    for (const permission of permissionsOf(name)) {
      const ofKey = Object.values<Need<never>>(OPERATIONS[name].needs).some(
        (need) => need.kind === 'key' && (need.permission ?? `kms:${name}`) === permission,
      )
      const places = ['identity policy', 'boundary', 'session policy', ...(ofKey ? ['key'] : [])]
      for (const place of places) {
        const caller = await deniedIn(place, permission)
        const operations = ['Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant'] as const
        const grant = { keyId, granteePrincipal: caller.arn, operations: [...operations] }
        await callAs(rootOf(), 'CreateGrant', grant)
        const failure = await callAs(caller, name, requestOf(name)).catch((error: Error) => error)
        expect([place, permission, `${failure}`]).toEqual([
          ...[place, permission],
          expect.stringMatching(/^AccessDeniedException/),
        ])
        expect([place, lastDecision(name)]).toEqual([
          place,
          expect.objectContaining({ permission, decision: 'explicit-deny' }),
        ])
      }
    }
  })

  test('nothing else can be asked without a permission', () => {
    const anybody = names.filter((name) =>
      Object.values<Need<never>>(OPERATIONS[name].needs).every(({ kind }) => kind === 'anybody'),
    )
    expect(anybody).toEqual([])
  })
})
