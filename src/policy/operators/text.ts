/** Comparisons of texts: exact, whatever the case, with wildcards. */

import { type Matcher, matcherOf, parseTemplate, type Template, textOf } from '../patterns.ts'
import { anyOf, type OperandRules, type Operator } from './operator.ts'

/** Equal, unit for unit. */
export const equalText: Operator['compile'] = (texts, rules) =>
  anyOf(texts.map((text) => matcherOf(templateOf(text, 'none', rules))))

/** Equal but for the case. */
export const equalTextIgnoringCase: Operator['compile'] = (texts, rules) =>
  anyOf(
    texts.map((text): Matcher => {
      const template = templateOf(text, 'none', rules)
      // With a variable it depends on the request.
      const fixed = textOf(template)?.toLowerCase()
      return (value, request) => {
        const wanted = fixed ?? textOf(template, request)?.toLowerCase()
        return wanted === undefined ? undefined : value.toLowerCase() === wanted
      }
    }),
  )

/** Like a text with `*` and `?`. */
export const likeText: Operator['compile'] = (texts, rules) =>
  anyOf(texts.map((text) => matcherOf(templateOf(text, 'any', rules))))

function templateOf(
  text: string,
  wildcards: 'none' | 'any',
  { variables, refuse }: OperandRules,
): Template {
  return parseTemplate(text, { variables, wildcards, refuse })
}
