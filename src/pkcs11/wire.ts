/**
 * Frames between the door and the HSM process, which share a machine: a 4-byte length
 * (little-endian) and that many bytes. Frames of one event-loop turn leave in one write.
 */

/** The longest frame on a worker's pipe: two contexts, a ciphertext and room. */
export const DATA_FRAME_BYTES_MAX = 64 * 1024
/** The longest frame on the management pipe: a list of a million backing keys. */
export const MANAGEMENT_FRAME_BYTES_MAX = 64 * 1024 * 1024

const LENGTH_BYTES = 4
const FIRST_BYTES = 16 * 1024

/** Verbs on a worker's pipe. */
export const VERB = {
  encrypt: 1,
  decrypt: 2,
  reEncrypt: 3,
  generateDataKey: 4,
  generateDataKeyWithoutPlaintext: 5,
  generateRandom: 6,
  sign: 7,
  mac: 8,
  decryptAsymmetric: 9,
  deriveSharedSecret: 10,
  generateDataKeyPair: 11,
  generateDataKeyPairWithoutPlaintext: 12,
  reEncryptAsymmetric: 13,
} as const

/** In a re-encryption that is not symmetric on both sides: what a side is. */
export const SIDE = { symmetric: 0, asymmetric: 1 } as const

/** How a worker answers. */
export const STATUS = {
  done: 0,
  /** The ciphertext or its context is not authentic. */
  invalidCiphertext: 1,
  /** The deadline passed before the token was asked. */
  tooLate: 2,
  /** No handle, or one that the token does not know: the object thread has to look. */
  keyNotFound: 3,
  /** The device, the session or the module failed. */
  deviceFault: 4,
  /** What the key needs is withdrawn on this token. */
  withdrawn: 5,
  /** The token lacks what the call needs, and has said so by its proofs. */
  unsupported: 6,
} as const

/** A frame that breaks the format: the pipe is of no more use. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError'
}

/** Reads the fields of one frame, front to back. The bytes it hands out are views. */
export class FrameCursor {
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** Turns to another frame. */
  reset(buffer: Buffer, start: number, end: number): this {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
    return this
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#end - this.#at
  }

  u8(): number {
    return this.#buffer[this.#take(1)] ?? 0
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#take(4))
  }

  f64(): number {
    return this.#buffer.readDoubleLE(this.#take(8))
  }

  /** The next bytes; all that are left without a number. */
  bytes(length = this.left): Buffer {
    const at = this.#take(length)
    return this.#buffer.subarray(at, at + length)
  }

  /** The next bytes as text of one character a byte. */
  latin1(length = this.left): string {
    const at = this.#take(length)
    return this.#buffer.toString('latin1', at, at + length)
  }

  /** A 4-byte length and as many bytes. */
  block(): Buffer {
    return this.bytes(this.u32())
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw new MalformedFrameError('a frame ends too early')
    this.#at = at + length
    return at
  }
}

/** Collects frames for one write. */
export class FrameWriter {
  #buffer: Buffer
  #at = 0
  #start = 0

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)) {
    this.#buffer = buffer
  }

  /** How many bytes are waiting. */
  get length(): number {
    return this.#at
  }

  begin(): void {
    this.#start = this.#at
    this.#room(LENGTH_BYTES)
    this.#at += LENGTH_BYTES
  }

  end(): void {
    this.#buffer.writeUInt32LE(this.#at - this.#start - LENGTH_BYTES, this.#start)
  }

  /** Takes back what has been written since `begin`, and answers its first four bytes. */
  abandon(): number {
    const first = this.#buffer.readUInt32LE(this.#start + LENGTH_BYTES)
    this.#buffer.fill(0, this.#start, this.#at)
    this.#at = this.#start
    return first
  }

  u8(value: number): void {
    this.#room(1)
    this.#buffer[this.#at] = value
    this.#at += 1
  }

  u32(value: number): void {
    this.#room(4)
    this.#at = this.#buffer.writeUInt32LE(value, this.#at)
  }

  f64(value: number): void {
    this.#room(8)
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  bytes(value: Buffer): void {
    this.#room(value.length)
    // Copies bytes by memory, not by element.
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  /** A 4-byte length and the bytes. */
  block(value: Buffer): void {
    this.u32(value.length)
    this.bytes(value)
  }

  /** Hands out what has been collected, and begins anew in another buffer. */
  take(next: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)): { buffer: Buffer; length: number } {
    const taken = { buffer: this.#buffer, length: this.#at }
    this.#buffer = next
    this.#at = 0
    return taken
  }

  #room(length: number): void {
    const needed = this.#at + length
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer.fill(0)
    this.#buffer = larger
  }
}

/**
 * Takes a stream of bytes apart into frames. Every chunk is zeroed once its frames are dealt
 * with: it may have carried a plaintext.
 */
export class FrameReader {
  readonly #frameBytesMax: number
  readonly #onFrame: (frame: FrameCursor) => void
  readonly #cursor = new FrameCursor()
  #rest: Buffer | undefined

  constructor(frameBytesMax: number, onFrame: (frame: FrameCursor) => void) {
    this.#frameBytesMax = frameBytesMax
    this.#onFrame = onFrame
  }

  /**
   * Deals with a chunk.
   *
   * @throws MalformedFrameError for a frame that is too long, or from `onFrame`.
   */
  push(chunk: Buffer): void {
    const data = this.#join(chunk)
    let at = 0
    try {
      while (data.length - at >= LENGTH_BYTES) {
        const length = data.readUInt32LE(at)
        if (length > this.#frameBytesMax) throw new MalformedFrameError(`a frame of ${length}`)
        const end = at + LENGTH_BYTES + length
        if (end > data.length) break
        this.#onFrame(this.#cursor.reset(data, at + LENGTH_BYTES, end))
        at = end
      }
      if (at < data.length) {
        this.#rest = Buffer.allocUnsafeSlow(data.length - at)
        data.copy(this.#rest, 0, at)
      }
    } finally {
      data.fill(0)
    }
  }

  #join(chunk: Buffer): Buffer {
    const rest = this.#rest
    if (rest === undefined) return chunk
    this.#rest = undefined
    const joined = Buffer.allocUnsafeSlow(rest.length + chunk.length)
    rest.copy(joined)
    chunk.copy(joined, rest.length)
    rest.fill(0)
    chunk.fill(0)
    return joined
  }
}
