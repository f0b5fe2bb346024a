/** The XML of the query protocol's answers. */

import type { HttpAnswer } from '../answer.ts'

/** The namespace of STS's answers. */
export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

/** An element that holds other elements. */
export function element(name: string, xml: string): string {
  return `<${name}>${xml}</${name}>`
}

/** An element that holds text. */
export function textElement(name: string, text: string): string {
  return element(name, escaped(text))
}

/** Text as XML 1.0 has it; what it cannot have becomes U+FFFD. */
export function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML has no way to write.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? '')
  )
}

/** An answer in XML. */
export function xmlAnswer(status: number, xml: string): HttpAnswer {
  return { status, type: 'text/xml', body: Buffer.from(xml) }
}
