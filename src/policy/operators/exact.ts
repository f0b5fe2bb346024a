/** Comparisons of truth values and of bytes. */

import { anyOf, type Operator } from './operator.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Both true or both false. */
export const isBoolean: Operator['compile'] = (texts, { refuse }) =>
  anyOf(
    texts.map((text) => {
      const wanted = text.toLowerCase()
      if (wanted !== 'true' && wanted !== 'false') refuse(`"${text}" is no boolean`)
      return (value) => value.toLowerCase() === wanted
    }),
  )

/** The same bytes: values of requests are in base64 as those of policies are. */
export const isBinary: Operator['compile'] = (texts, { refuse }) =>
  anyOf(
    texts.map((text) => {
      if (!BASE64.test(text)) refuse(`"${text}" is not base64`)
      const wanted = Buffer.from(text, 'base64')
      return (value) => BASE64.test(value) && Buffer.from(value, 'base64').equals(wanted)
    }),
  )
