/** The key policies that keys have of themselves, and the check that somebody stays in charge. */

import type { Policy, Relevant } from './document.ts'
import type { PrincipalIds } from './principals.ts'
import type { PolicyRequest } from './request.ts'
import { applies } from './statements.ts'

/**
 * The key policy of a key that was made without one: its account may do everything with it, and
 * pass that on by identity policies.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export function defaultKeyPolicy(account: string): string {
  return asText({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  })
}

/**
 * The key policy of the key that a service manages for an account: everybody in the account may
 * use it through the service, and the account may look at it but change nothing.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-caller-account
 *
 * @param service its name, `backup` or `backup.amazonaws.com`.
 */
export function managedKeyPolicy(account: string, region: string, service: string): string {
  const name = service.replace(/\.amazonaws\.com$/, '')
  return asText({
    Version: '2012-10-17',
    Id: `auto-${name}-1`,
    Statement: [
      {
        Sid: `Allow access through ${name} for all principals in the account that may use it`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          StringEquals: {
            'kms:CallerAccount': account,
            'kms:ViaService': `${name}.${region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  })
}

/**
 * Whether the caller could still change a key's policy after this one is put, itself or by leave
 * of its account's identity policies; the safety check of CreateKey and PutKeyPolicy.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
 */
export function leavesSomebodyInCharge(
  policy: Policy,
  asked: Omit<PolicyRequest, 'action' | 'grantable'>,
  { principalIds: ids, bounded = false }: Named,
): boolean {
  const request = { ...asked, action: 'kms:PutKeyPolicy', grantable: false }
  const some = (statements: Relevant['denials']) =>
    statements.some((statement) => applies(statement, request, ids, bounded))
  const { denials, allowances } = policy.on(request.action)
  return some(allowances) && !some(denials)
}

/** What tells who is named by the policy. */
interface Named {
  /** The unique ids to which its ARNs are bound. */
  readonly principalIds: PrincipalIds
  /** Whether the caller has a permissions boundary. */
  readonly bounded?: boolean
}

function asText(policy: object): string {
  return JSON.stringify(policy, undefined, 2)
}
