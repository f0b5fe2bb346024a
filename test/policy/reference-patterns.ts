/** Patterns, variables and the values of keys, for the naive evaluator. */

import type { PolicyRequest } from '../../src/policy/request.ts'

/** A character as it stands, or a wildcard. */
export type Token = string | { literal: string }

/** The tokens of a text; of the value of a variable each is literal. */
export function substitute(
  text: string,
  version: string,
  request: PolicyRequest,
): Token[] | undefined {
  if (version !== '2012-10-17') return [...text]
  const tokens: Token[] = []
  for (const piece of text.split(/(\$\{[^}]*\})/)) {
    if (!piece.startsWith('${')) {
      tokens.push(...piece)
      continue
    }
    const inner = piece.slice(2, -1)
    const [key = '', otherwise] = inner.split(/,\s*/)
    const value = '*?$'.includes(inner)
      ? inner
      : (valueOfKey(key.trim(), request) ?? otherwise?.trim().slice(1, -1))
    if (typeof value !== 'string') return undefined
    tokens.push(...[...value].map((literal) => ({ literal })))
  }
  return tokens
}

/** Whether tokens match a text: a `*` for every possible length. */
export function globs(tokens: readonly Token[], text: string, token = 0, at = 0): boolean {
  const first = tokens[token]
  if (first === undefined) return at === text.length
  if (first === '*') {
    for (let next = at; next <= text.length; next += 1) {
      if (globs(tokens, text, token + 1, next)) return true
    }
    return false
  }
  const fits = first === '?' || (typeof first === 'string' ? first : first.literal) === text[at]
  return at < text.length && fits && globs(tokens, text, token + 1, at + 1)
}

/** The same for ARNs, where wildcards stay in their part but for a `*` at its end. */
export function globsArn(tokens: readonly Token[], text: string, token = 0, at = 0): boolean {
  const first = tokens[token]
  if (first === undefined) return at === text.length
  if (first === '*') {
    const rest = tokens.slice(token + 1).find((each) => each !== '*')
    const reaches = rest === ':' || rest === undefined
    for (let next = at; next <= text.length; next += 1) {
      if (globsArn(tokens, text, token + 1, next)) return true
      if (!reaches && text[next] === ':') return false
    }
    return false
  }
  const fits =
    first === '?'
      ? text[at] !== ':'
      : (typeof first === 'string' ? first : first.literal) === text[at]
  return at < text.length && fits && globsArn(tokens, text, token + 1, at + 1)
}

/** The values of a key, as the tables of AWS's documentation have them for each kind of caller. */
export function valueOfKey(
  key: string,
  { caller, conditions }: PolicyRequest,
): string | readonly string[] | undefined {
  const lower = key.toLowerCase()
  const isService = caller.kind === 'service'
  const tag = /^aws:principaltag\/(.*)$/s.exec(lower)?.[1]
  if (tag !== undefined) {
    return [...(caller.tags ?? [])].find(([name]) => name.toLowerCase() === tag)?.[1]
  }
  switch (lower) {
    case 'aws:username':
      return caller.kind === 'user' ? caller.arn.split('/').at(-1) : undefined
    case 'aws:userid':
      return caller.principalId
    case 'aws:principalarn':
      return isService ? undefined : (caller.roleArn ?? caller.arn)
    case 'aws:principalaccount':
      return isService ? undefined : caller.account
    case 'aws:principaltype':
      return { root: 'Account', user: 'User', role: 'AssumedRole' }[caller.kind as string]
    case 'aws:principalisawsservice':
      return String(isService)
    case 'aws:principalservicename':
      return isService ? caller.arn : undefined
    case 'kms:calleraccount':
      return caller.account
    case 'aws:sourceaccount':
      return isService ? caller.account : undefined
    case 'aws:sourcearn':
      return caller.sourceArn
    case 'aws:sourceidentity':
      return caller.sourceIdentity
    case 'aws:viaawsservice':
      return String(isService)
    case 'aws:tokenissuetime':
      return caller.issuedMs === undefined ? undefined : new Date(caller.issuedMs).toISOString()
    case 'aws:multifactorauthpresent':
      return caller.issuedMs === undefined ? undefined : 'false'
    default:
      return conditions.get(lower)
  }
}
