/** Evidence that was generated as texts, made ready for the evaluator. */

import { compilePolicy } from '../../src/policy/document.ts'
import type { Evidence } from '../../src/policy/evaluate.ts'
import type { EvidenceTexts } from './reference.ts'

/** Compiles every text. */
export function compiled(texts: EvidenceTexts): Evidence {
  const { resourcePolicy, identityPolicies, boundary, sessionPolicies, grants } = texts
  return {
    resourcePolicy: resourcePolicy && {
      policy: compilePolicy(resourcePolicy.text, 'key'),
      principalIds: resourcePolicy.principalIds,
    },
    identityPolicies: identityPolicies.map((text, index) => ({
      name: `policy-${index}`,
      policy: compilePolicy(text, 'identity'),
    })),
    boundary: boundary === undefined ? undefined : compilePolicy(boundary, 'boundary'),
    sessionPolicies: sessionPolicies.map((text) => compilePolicy(text, 'session')),
    grants,
  }
}
