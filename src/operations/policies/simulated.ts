/** A decision as SimulatePolicy answers it. */

import type { Decision } from '../../policy/evaluate.ts'
import type { Operations } from '../operation.ts'

type Response = Operations['SimulatePolicy']['response']

const DECISIONS = {
  allow: 'ALLOWED',
  'explicit-deny': 'EXPLICIT_DENY',
  'implicit-deny': 'IMPLICIT_DENY',
} as const
const SOURCES = {
  'key-policy': 'KEY_POLICY',
  'trust-policy': undefined,
  'identity-policy': 'IDENTITY_POLICY',
  boundary: 'BOUNDARY',
  'session-policy': 'SESSION_POLICY',
  grant: 'GRANT',
  'account-root': 'ACCOUNT',
} as const

/** The answer. */
export function simulated({ reason, by }: Decision): Response {
  return {
    decision: DECISIONS[reason],
    source: by && SOURCES[by.source],
    name: by?.name,
    statement: by?.statement?.toString(),
  }
}
