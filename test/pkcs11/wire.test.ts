/** Frames, however they arrive, and the log of handles. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CANARY_ENTRY,
  HandleLogReader,
  HandleLogWriter,
  newHandleLog,
} from '../../src/pkcs11/process/handle-log.ts'
import { FrameReader, FrameWriter, MalformedFrameError } from '../../src/pkcs11/wire.ts'

describe('frames', () => {
  test('arrive whole and in order however the stream is cut', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 })
    const cuts = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 })
    fc.assert(
      fc.property(frames, cuts, (sent, lengths) => {
        const writer = new FrameWriter(Buffer.alloc(8))
        for (const frame of sent) {
          writer.begin()
          writer.block(Buffer.from(frame))
          writer.end()
        }
        const { buffer, length } = writer.take()
        const stream = Buffer.from(buffer.subarray(0, length))
        const received: Buffer[] = []
        const reader = new FrameReader(1024, (frame) => {
          received.push(Buffer.from(frame.block()))
          expect(frame.left).toBe(0)
        })
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = at + (lengths[cut % lengths.length] ?? 1)
          const chunk = stream.subarray(at, end)
          reader.push(chunk)
          // What may have been a plaintext is gone from memory.
          expect(chunk.every((byte) => byte === 0)).toBe(true)
          at = end
        }
        expect(received).toEqual(sent.map((frame) => Buffer.from(frame)))
      }),
    )
  })

  test('of any bytes are read or refused, and never too long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const reader = new FrameReader(100, (frame) => {
          frame.u8()
          frame.block()
          frame.f64()
          frame.latin1(frame.u8())
        })
        try {
          reader.push(Buffer.from(bytes))
        } catch (cause) {
          expect(cause).toBeInstanceOf(MalformedFrameError)
        }
      }),
      { numRuns: 500 },
    )
    const reader = new FrameReader(100, () => undefined)
    expect(() => reader.push(Buffer.from([101, 0, 0, 0]))).toThrow(MalformedFrameError)
  })

  test('that are abandoned leave nothing', () => {
    const writer = new FrameWriter(Buffer.alloc(16))
    writer.begin()
    writer.u32(7)
    writer.end()
    const before = writer.length
    writer.begin()
    writer.u32(42)
    writer.bytes(Buffer.from('a secret that must not stay'))
    expect(writer.abandon()).toBe(42)
    expect(writer.length).toBe(before)
    expect(writer.take().buffer.includes('secret')).toBe(false)
  })
})

describe('the log of handles', () => {
  const id = (number: number) => {
    const bytes = Buffer.alloc(16)
    bytes.writeUInt32BE(number + 1)
    return bytes
  }
  const handle = (number: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE(number)
    return bytes
  }

  test('says what is published, as it grows', () => {
    const shared = newHandleLog()
    const writer = new HandleLogWriter(shared)
    const gone: string[] = []
    const reader = new HandleLogReader(shared, 8, (entry) => gone.push(entry))
    const find = (number: number) => reader.find(id(number).toString('latin1'))
    expect(find(0)).toBeUndefined()
    for (let number = 0; number < 10_000; number++) writer.publish(id(number), handle(number + 1))
    expect(find(0)).toEqual(handle(1))
    expect(find(9999)).toEqual(handle(10_000))
    expect(reader.find(CANARY_ENTRY)).toBeUndefined()
    writer.publish(id(5))
    expect(find(5)).toBeUndefined()
    writer.publish(id(6), handle(77))
    expect(find(6)).toEqual(handle(77))
    expect(gone).toEqual([id(5), id(6)].map((bytes) => bytes.toString('latin1')))
  })
})
