/**
 * What a TLS client says first, as far as it tells for whom it comes: the protocols that it would
 * speak inside (ALPN). Nothing of it is proved; the TLS server reads it again.
 */

/** A ClientHello that has not arrived in full yet, or bytes that are none. */
export type Unread = 'incomplete' | 'malformed'

const HANDSHAKE = 22
const CLIENT_HELLO = 1
const RECORD_HEAD_BYTES = 5
const RECORD_BYTES_MAX = 16 * 1024
/** Clients send one or a few: each is looked at again whenever more bytes come. */
const RECORDS_MAX = 16
const MESSAGE_HEAD_BYTES = 4
const VERSION_AND_RANDOM_BYTES = 2 + 32
const ALPN = 16

/** Whether these bytes begin as a TLS connection does. */
export function isTls(bytes: Buffer): boolean {
  return bytes[0] === HANDSHAKE
}

/**
 * Reads which protocols a client offers; none if it has no such extension.
 * https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2 and https://www.rfc-editor.org/rfc/rfc7301
 */
export function readAlpn(bytes: Buffer): readonly string[] | Unread {
  const message = readMessage(bytes)
  if (typeof message === 'string') return message
  try {
    return alpnOf(message)
  } catch (error) {
    if (error instanceof RangeError) return 'malformed'
    throw error
  }
}

/** The body of the ClientHello, which may come in several records. */
function readMessage(bytes: Buffer): Buffer | Unread {
  const fragments: Buffer[] = []
  let length = 0
  let at = 0
  while (fragments.length < RECORDS_MAX) {
    if (bytes.length < at + RECORD_HEAD_BYTES) return 'incomplete'
    const fragmentLength = bytes.readUInt16BE(at + 3)
    const isRecord = bytes[at] === HANDSHAKE && bytes[at + 1] === 3
    if (!isRecord || fragmentLength === 0 || fragmentLength > RECORD_BYTES_MAX) return 'malformed'
    const end = at + RECORD_HEAD_BYTES + fragmentLength
    const fragment = bytes.subarray(at + RECORD_HEAD_BYTES, end)
    if (length === 0 && fragment.length > 0 && fragment[0] !== CLIENT_HELLO) return 'malformed'
    fragments.push(fragment)
    length += fragment.length
    if (bytes.length < end) return 'incomplete'
    const whole = wholeMessage(fragments, length)
    if (whole) return whole
    at = end
  }
  return 'malformed'
}

/** `undefined` as long as something is missing. */
function wholeMessage(fragments: readonly Buffer[], length: number): Buffer | undefined {
  if (length < MESSAGE_HEAD_BYTES) return undefined
  const message = Buffer.concat(fragments, length)
  const end = MESSAGE_HEAD_BYTES + message.readUIntBE(1, 3)
  return length < end ? undefined : message.subarray(MESSAGE_HEAD_BYTES, end)
}

/** @throws RangeError for lengths that lead out of the message. */
function alpnOf(message: Buffer): readonly string[] {
  let at = VERSION_AND_RANDOM_BYTES
  const skip = (lengthBytes: 1 | 2): void => {
    at += lengthBytes + message.readUIntBE(at, lengthBytes)
  }
  // The id of the session, the cipher suites and the compression methods.
  skip(1)
  skip(2)
  skip(1)
  if (at === message.length) return []
  const extensionsEnd = at + 2 + message.readUInt16BE(at)
  for (at += 2; at < extensionsEnd; ) {
    const type = message.readUInt16BE(at)
    at += 2
    const extension = slice(message, at + 2, message.readUInt16BE(at))
    if (type === ALPN) return namesIn(slice(extension, 2, extension.readUInt16BE(0)))
    skip(2)
  }
  return []
}

function namesIn(list: Buffer): readonly string[] {
  const names: string[] = []
  for (let at = 0; at < list.length; ) {
    const name = slice(list, at + 1, list.readUInt8(at))
    names.push(name.toString('latin1'))
    at += 1 + name.length
  }
  return names
}

function slice(bytes: Buffer, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw new RangeError('a length that leads out of the message')
  return bytes.subarray(from, from + length)
}
