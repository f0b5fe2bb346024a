/** Comparisons of ARNs: part by part, each of which may have wildcards. */

import { arnParts, type Matcher, matcherOf, parseTemplate } from '../patterns.ts'
import { anyOf, type Operator } from './operator.ts'

/** `ArnEquals` and `ArnLike`, which are the same. */
export const likeArn: Operator['compile'] = (texts, { variables, refuse }) =>
  anyOf(
    texts.map((text): Matcher => {
      if (text === '*') return () => true
      const template = parseTemplate(text, { variables, wildcards: 'any', refuse })
      const parts = arnParts(template) ?? refuse(`"${text}" is not an ARN`)
      const matchers = parts.map(matcherOf)
      return (value, request) => {
        const values = splitArn(value)
        let matched = values !== undefined
        for (const [index, matches] of matchers.entries()) {
          const part = matches(values?.[index] ?? '', request)
          // A variable without a value leaves all unknown, though another part may differ.
          if (part === undefined) return undefined
          matched &&= part
        }
        return matched
      }
    }),
  )

/** The six parts of an ARN; the last one may have colons of its own. */
function splitArn(text: string): readonly string[] | undefined {
  const parts = text.split(':')
  return parts.length < 6 ? undefined : [...parts.slice(0, 5), parts.slice(5).join(':')]
}
