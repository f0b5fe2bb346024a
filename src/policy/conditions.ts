/** `Condition` elements, made ready to be asked. */

import { type Element, refuse } from './elements.ts'
import type { PolicyRequest } from './request.ts'
import type { Dialect } from './statements.ts'

/** Whether a condition holds. */
export type Condition = (request: PolicyRequest) => boolean

/** Makes the conditions of a statement ready. */
export function compileConditions(
  element: Element,
  _dialect: Dialect & { readonly effect: 'Allow' | 'Deny' },
): readonly Condition[] {
  refuse(element.place, 'is not understood yet')
}
