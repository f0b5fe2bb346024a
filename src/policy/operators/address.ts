/** Comparisons of IP addresses with ranges in CIDR notation. */

import { isIPv4, isIPv6 } from 'node:net'
import { anyOf, type Operator } from './operator.ts'

/** An address of 32 or 128 bits. */
interface Address {
  readonly bits: 32 | 128
  readonly value: bigint
}

const MAPPED = 0xffffn

/** Within a range; an address alone is a range of one. */
export const inRange: Operator['compile'] = (texts, { refuse }) =>
  anyOf(
    texts.map((text) => {
      const range = parseRange(text) ?? refuse(`"${text}" is not an IP address or range`)
      const { bits, shift, prefix } = range
      return (value) => {
        const address = parseAddress(value)
        return address !== undefined && address.bits === bits && address.value >> shift === prefix
      }
    }),
  )

interface Range {
  readonly bits: 32 | 128
  readonly shift: bigint
  readonly prefix: bigint
}

function parseRange(text: string): Range | undefined {
  const [, base = '', length] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(base)
  if (!address) return undefined
  const { bits, value } = address
  // The length of the prefix of a mapped address counts the 96 bits before it.
  const before = bits === 32 && base.includes(':') ? 96 : 0
  const kept = length === undefined ? bits : Number(length) - before
  if (kept < 0 || kept > bits) return undefined
  const shift = BigInt(bits - kept)
  return { bits, shift, prefix: value >> shift }
}

/** An address; one of IPv4 that is mapped into IPv6, as listeners on both report it, is IPv4. */
function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: parseIPv4(text) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const value = parseIPv6(text)
  return value >> 32n === MAPPED ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value }
}

function parseIPv4(text: string): bigint {
  return BigInt(text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0))
}

function parseIPv6(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const before = wordsOf(head)
  const after = wordsOf(tail ?? '')
  const zeros = new Array<bigint>(8 - before.length - after.length).fill(0n)
  return [...before, ...zeros, ...after].reduce((sum, word) => (sum << 16n) | word, 0n)
}

/** The 16-bit words of a part of an address, whose end may be written as IPv4. */
function wordsOf(text: string): bigint[] {
  if (text === '') return []
  return text.split(':').flatMap((word) => {
    if (!word.includes('.')) return [BigInt(`0x${word}`)]
    const address = parseIPv4(word)
    return [address >> 16n, address & 0xffffn]
  })
}
